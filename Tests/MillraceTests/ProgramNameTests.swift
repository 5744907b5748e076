import ArgumentParser
import Domains
import EventModel
import Foundation
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

@Suite("An application of another name", .timeLimit(.minutes(10)))
struct ProgramNameTests {
    /// Where a text names Millrace's own program as a command, or as the one that speaks.
    private static func foreign(_ text: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter {
            // Topics, folders and packages of that name are what they are.
            $0.contains(/(^|[^\w.\/~:-])millrace( |:|$)/)
        }
    }

    private static func run(_ arguments: [String], log: String? = nil) async throws -> (exit: Int32, text: String) {
        let output = Output(gathering: true)
        let words = arguments + (log.map { ["--log", $0] } ?? [])
        let exit = await Output.$standard.withValue(output) {
            await Application(name: "city", domains: Domains.all).run(words)
        }
        return (exit, output.text + output.said.joined(separator: "\n"))
    }

    /// Every command, by its words.
    private static func commands(
        under command: any ParsableCommand.Type = Root.self, _ path: [String] = []
    ) -> [[String]] {
        [path] + command.configuration.subcommands.flatMap { commands(under: $0, path + [$0._commandName]) }
    }

    /// A name that is not stated is derived from the type at every start of the program, which took a seventh of it.
    @Test func `every command states its name`() {
        func nameless(_ command: any ParsableCommand.Type) -> [String] {
            (command.configuration.commandName == nil ? ["\(command)"] : [])
                + command.configuration.subcommands.flatMap(nameless)
        }
        #expect(Root.configuration.subcommands.flatMap(nameless).isEmpty)
    }

    @Test func `its help has its own name`() async throws {
        var lines = Self.commands().map { $0 + ["--help"] }
        let catalogue = Catalogue(domains: Domains.all)
        lines += catalogue.commands.map { ["send", $0.kind.name, "--help"] }
        lines += catalogue.events.map { ["produce", $0.kind.name, "--help"] }
        lines += catalogue.queries.map { ["query", $0.name, "--help"] }
        lines += catalogue.importers.map { ["import", $0.importer.name, "--help"] }
        #expect(lines.count > 60)
        for line in lines {
            let help = try await Self.run(line)
            #expect(help.exit == 0 && Self.foreign(help.text).isEmpty, "\(line): \(Self.foreign(help.text))")
            #expect(help.text.contains("USAGE: city"), "\(line): \(help.text)")
        }
        for shell in ["bash", "zsh", "fish"] {
            let script = try await Self.run(["--generate-completion-script", shell])
            #expect(script.text.contains("city") && !script.text.contains("_millrace"), "\(script.text.prefix(2000))")
        }
    }

    @Test func `its complaints have its own name`() async throws {
        try await withScratchFolder { folder in
            let log = "local:\(folder)/log"
            for line in [
                "quer x", "query nothing", "query hits.windw --site a", "query hits.window", "send Nothing --id 1",
                "send HoldSeats --seats A-1",
                "send HoldSeats --event e1 --section s --holder h --seats A-1 --timeout 1ms",
                "send", "produce Hit --site a", "produce Nothing", "replay nothing.events", "replay hits.evnts",
                "replay hits.events --from nowhere", "work nobody", "lag --wait 1ms", "verify nothing",
                "import nothing file", "import access-log", "import access-log /nowhere/file --site www",
                "quarantine show hits.windows k", "quarantine redrive hits.windows k",
                "rebuild hits.windows --rollback",
                "topics describe nothing", "topics check --topics /nowhere.yaml", "snapshot nothing", "health",
                "demo --only nothing", "new X", "query hits.window --site home --window 5m", "events Nothing",
                "verify --invariants --at-rest", "replay hits.events --limit -1", "health --max-age x",
            ] {
                let words = line.split(separator: " ").map(String.init)
                let hasLog = !["events", "demo", "new"].contains(words[0])
                let ended = try await Self.run(words, log: hasLog ? log : nil)
                #expect(Self.foreign(ended.text).isEmpty, "\(line): \(Self.foreign(ended.text))")
            }
        }
    }

    @Test func `texts that are found are those that are looked for`() {
        #expect(Self.foreign("see: millrace views\nmillrace: no\n(millrace query x)").count == 3)
        #expect(Self.foreign("the topic millrace.quarantine\nlocal:/tmp/millrace\ncity: no").isEmpty)
    }
}
