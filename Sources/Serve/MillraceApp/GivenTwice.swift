internal import ArgumentParser
internal import Foundation

extension Root {
    /// Refuses an option that is given twice and has one value: the parser would take the last, and say nothing.
    static func checkOnce(_ arguments: [String]) throws {
        var (seen, twice): (Set<String>, [String]) = ([], [])
        for word in arguments.prefix(while: { $0 != "--" }) where word.hasPrefix("--") {
            let name = String(word.prefix { $0 != "=" })
            if !seen.insert(name).inserted { twice.append(name) }
        }
        if twice.isEmpty { return }
        let single = try singleOptions(of: arguments)
        if let name = twice.first(where: { single.contains($0) }) {
            throw Failure(.usage, "\(name) is given twice; give it once")
        }
    }

    /// The options of the command that these words name which have one value.
    private static func singleOptions(of arguments: [String]) throws -> Set<String> {
        var command = try Dump.ofProgram()
        for word in arguments {
            guard let next = command.subcommands?.first(where: { $0.commandName == word }) else { break }
            command = next
        }
        let names = (command.arguments ?? []).filter { $0.kind == "option" && !$0.isRepeating }.flatMap {
            $0.names ?? []
        }
        return Set(names.filter { $0.kind == "long" }.map { "--\($0.name)" })
    }

    /// What the parser says of a program: `--experimental-dump-help`.
    struct Dump: Decodable {
        var command: Command

        static func ofProgram() throws -> Command {
            try JSONDecoder().decode(Dump.self, from: Data(Root._dumpHelp().utf8)).command
        }

        struct Command: Decodable {
            var commandName: String
            var subcommands: [Command]?
            var arguments: [Argument]?
        }
        struct Argument: Decodable {
            var kind: String
            var isRepeating: Bool
            var names: [Name]?
        }
        struct Name: Decodable {
            var kind: String
            var name: String
        }
    }
}
