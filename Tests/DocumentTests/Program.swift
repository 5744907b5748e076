import Foundation
import Testing

/// What the program says of itself.
enum Program {
    /// Its commands, as `--help` lists them.
    static func commands() async throws -> [String] {
        let help = try await Shell.millrace("--help").drop { !$0.hasPrefix("SUBCOMMANDS") }
        let commands = help.compactMap { $0.firstMatch(of: #/^  ([a-z]+)  /#).map { String($0.1) } }
        #expect(commands.count > 10)
        return commands
    }

    /// The JSON objects that it prints, one a line.
    static func objects(_ arguments: String) async throws -> [[String: Any]] {
        try await Shell.millrace(arguments).filter { !$0.isEmpty }.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }

    /// The texts of one member of what it prints.
    static func names(_ arguments: String, _ member: String) async throws -> Set<String> {
        let names = Set(try await objects(arguments).compactMap { $0[member] as? String })
        #expect(!names.isEmpty, "\(arguments)")
        return names
    }
}

/// What the sources say, read as text.
enum Code {
    private static func isGenerated(_ path: String) -> Bool {
        path.hasSuffix(".pb.swift") || path.hasSuffix(".descriptor.swift")
    }

    /// The files below some folders of the repository, or files, without what is generated.
    static func files(in folders: [String], without left: [String] = []) -> [(path: String, text: String)] {
        folders.flatMap { folder -> [(String, String)] in
            let root = Document.root + "/" + folder
            guard let found = FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) else {
                return [(folder, (try? String(contentsOfFile: root, encoding: .utf8)) ?? "")]
            }
            return found.sorted().map { "\(folder)/\($0)" }
                .filter { path in !isGenerated(path) && !left.contains { path.hasPrefix($0) } }
                .compactMap { path in
                    (try? String(contentsOfFile: "\(Document.root)/\(path)", encoding: .utf8)).map { (path, $0) }
                }
        }
    }

    /// What the first group of an expression matches in the lines of the files that are no comments.
    static func matches(
        _ expression: String, in folders: [String], without left: [String] = []
    ) throws -> Set<String> {
        let expression = try Regex(expression).wordBoundaryKind(.simple)
        var all: Set<String> = []
        for (_, text) in files(in: folders, without: left) {
            let code = text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }
                .joined(separator: "\n")
            all.formUnion(code.matches(of: expression).compactMap { $0.output[1].substring.map(String.init) })
        }
        return all
    }
}
