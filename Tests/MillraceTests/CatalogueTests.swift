import ArgumentParser
import Domains
import EventModel
import Foundation
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

@Suite("What the program says of itself", .serialized, .timeLimit(.minutes(10)))
struct CatalogueTests {
    private static let file = Bus.package + "/topics.yaml"

    /// Every command's words, from the root on.
    private static let commands = words(of: Root.self, [])

    private static func words(of command: any ParsableCommand.Type, _ path: [String]) -> [[String]] {
        [path] + command.configuration.subcommands.flatMap { words(of: $0, path + [$0._commandName]) }
    }

    @Test func `the topics file of this repository equals the code`() async throws {
        let code = try await CatalogueTests.run(["topics", "declare"])
        #expect(
            try String(contentsOfFile: Self.file, encoding: .utf8) == code.out,
            "write it anew: millrace topics declare > topics.yaml")
        try await onBus { bus in
            let check = try await bus.run("topics", "check", "--table", cwd: Bus.package)
            #expect(check.exit == 0 && check.out.hasSuffix("topics agree\n"), "\(check)")
        }
    }

    @Test(arguments: Domains.all.map(\.name))
    func `a domain's page has its messages, topics, tables, queries and importers`(_ name: String) async throws {
        let domain = try #require(Domains.all.first { $0.name == name })
        let page = try await CatalogueTests.run(["describe", domain.name.uppercased()]).out
        #expect(page.hasPrefix("# \(domain.name)\n\n\(domain.about)\n"))
        let schemas =
            [domain.decider?.commands, domain.decider?.events].compactMap { $0 } + domain.telemetry.map(\.events)
        let kinds = schemas.map(\.kinds)
        for kind in kinds.joined() + domain.derived.flatMap(\.events.kinds) {
            let row = try #require(page.split(separator: "\n").first { $0.hasPrefix("| `\(kind.name)` |") })
            for field in kind.fields { #expect(row.contains(field.name), "\(row)") }
        }
        for table in domain.projections.flatMap(\.tables) {
            let row = try #require(page.split(separator: "\n").first { $0.hasPrefix("| `\(table.name)` |") })
            for column in table.columns { #expect(row.contains(column.name), "\(row)") }
        }
        for name in domain.topics.map(\.name) + domain.queries.map(\.name) + domain.importers.map(\.name) {
            #expect(page.contains("| `\(name)` |"))
        }
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("|") }
        #expect(rows.allSatisfy { $0.hasSuffix("|") && !$0.contains("||") })
        let none = try await CatalogueTests.run(["describe", domain.name + "s"])
        #expect(none.exit == 64 && none.out.isEmpty)
    }

    @Test(arguments: [
        ("key: \"site#salt\"", "key: site", "hits.events: key is site#salt in the code, site is declared"),
        ("cleanup: compact", "cleanup: delete", "millrace.imports: cleanup is compact in the code, delete is declared"),
        ("  millrace.imports:", "  other.events:", "other.events: declared, but no domain has it"),
        (
            "  tickets.outcomes:\n    partitions: 4", "  tickets.outcomes:\n    partitions: 6",
            "tickets.outcomes: must have as many partitions"
        ),
        (
            "owner: tickets.handler", "owner: nobody",
            "tickets.events: owner is tickets.handler in the code, nobody is declared"
        ),
        ("owner: import", "owner: import\n    colour: red", "colour is not a field; it has partitions"),
        ("partitions: 8", "partitions: many", "partitions must be 1 to 1024"),
        ("retention: 7d", "retention: long", "retention must be"),
        ("topics:", "topics: [", "is not YAML"), ("topics:", "things:", "has no mapping named topics"),
    ])
    func `a difference between the file and the code is reported`(_ old: String, _ new: String, _ message: String)
        async throws
    {
        try await onBus { bus in
            let text = try String(contentsOfFile: Self.file, encoding: .utf8)
            #expect(text.contains(old))
            let file = try bus.file("other.yaml", text.replacing(old, with: new))
            let check = try await bus.run("topics", "check", "--topics", file)
            #expect(check.exit == 78 && check.err.contains(message), "\(check)")
        }
    }

    @Test func `partitions declared otherwise than the log has them are refused`() async throws {
        try await onBus { bus in
            #expect(try await bus.run("topics", "apply", "--table").out.contains(/there +hits\.events/))
            let file = try bus.file(
                "topics.yaml",
                try await bus.plain(["topics", "declare"]).out.replacing("partitions: 8", with: "partitions: 16"))
            let check = try await bus.run("topics", "check")
            #expect(
                check.exit == 78 && check.err.contains("hits.events: 16 partitions declared, the log has 8"), "\(check)"
            )
            let none = try await bus.run("topics", "check", "--topics", file + ".none")
            #expect(none.exit == 66 && none.err.contains("does not exist"))
        }
    }

    @Test func `topics are listed and described with their offsets`() async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            let list = try await bus.run("topics", "--json").lines.map { try JSON($0)["topic"].string }
            #expect(list.contains("hits.events") && list.contains("tickets.commands") && list == list.sorted())
            let topic = try JSON(try await bus.run("topics", "describe", "hits.events").out)
            #expect(topic["partitions"] == 8 && topic["key"] == "site#salt" && topic["schema"] == "millrace.hits.Event")
            #expect(topic["offsets"].array.map { $0["end"].int }.sorted() == [0, 0, 0, 0, 0, 0, 0, 1])
            let table = try await bus.run("topics", "describe", "hits.events", "--table")
            #expect(table.out.contains("PARTITION  START  END  RECORDS"))
            let unknown = try await bus.run("topics", "describe", "hats.events")
            #expect(unknown.exit == 64 && unknown.err.contains("there is no topic hats.events"))
        }
    }

    @Test func `lag is what is not read yet, and goes to zero`() async throws {
        try await onBus { bus in
            try await bus.run(
                "produce", "Hit", stdin: String(repeating: #"{"site":"home","visitor":"v"}"# + "\n", count: 7))
            let before = try await bus.run("lag", "--sum").lines.map { try JSON($0) }
            #expect(before.first { $0["worker"] == "hits.windows" }?["lag"] == 7)
            let parts = try await bus.run("lag").lines.map { try JSON($0) }
            #expect(parts.count { $0["worker"] == "hits.windows" } == 8)
            #expect(parts.filter { $0["worker"] == "hits.windows" }.reduce(0) { $0 + $1["lag"].int } == 7)
            _ = try await bus.work("projectors")
            try await bus.settle()
            #expect(try await bus.run("lag", "--table").out.contains("WORKER"))
        }
    }

    @Test func `events and views are shown with their fields and columns`() async throws {
        let events = try await CatalogueTests.run(["events"]).out.split(separator: "\n").map { try JSON(String($0)) }
        let hold = try #require(events.first { $0["name"] == "HoldSeats" })
        #expect(hold["kind"] == "command" && hold["topic"] == "tickets.commands")
        #expect(hold["fields"].array.map { $0["name"].string } == ["event", "section", "holder", "seats", "hold"])
        #expect(
            hold["fields"][3]["repeated"] == .bool(true) && hold["fields"][3]["about"].string.contains("ROW-NUMBER"))
        #expect(events.contains { $0["name"] == "Hit" && $0["kind"] == "event" })
        #expect(try await CatalogueTests.run(["events", "Hot"]).exit == 64)
        let views = try await CatalogueTests.run(["views"]).out.split(separator: "\n").map { try JSON(String($0)) }
        let windows = try #require(views.first { $0["projection"] == "hits.windows" })
        #expect(
            windows["tables"][0]["columns"].array.map { $0["name"].string } == [
                "site", "second", "partition", "hits", "late",
            ])
        #expect(windows["queries"] == ["hits.window", "hits.seconds"])
    }

    @Test func `every command has help`() async throws {
        #expect(Self.commands.count > 15)
        for command in Self.commands {
            let help = try await CatalogueTests.run(command + ["--help"])
            #expect(help.exit == 0 && help.out.contains("USAGE: millrace"), "\(command)")
        }
        for (of, text) in [
            (["send", "HoldSeats"], "A-12"), (["produce", "Hit"], "userAgent"), (["query", "hits.window"], "--window"),
        ] {
            let help = try await CatalogueTests.run(of + ["--help"])
            #expect(help.exit == 0 && help.out.contains(text), "\(of)")
        }
        let version = try await CatalogueTests.run(["--version"])
        let lines = version.out.split(separator: "\n")
        #expect(version.exit == 0 && lines.count == 2 && lines.first?.firstMatch(of: /^\d+\.\d+\.\d+$/) != nil)
        #expect(lines.last?.firstMatch(of: /^librdkafka \d+\.\d+\.\S+, SQLite 3\.\d+/) != nil, "\(version.out)")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `a completion script is made for each shell`(_ shell: String) async throws {
        try await onBus { bus in
            let script = try await bus.plain(["--generate-completion-script", shell])
            #expect(script.exit == 0 && script.out.contains("replay") && script.out.contains("---completion import"))
            if shell == "bash" {
                let file = try bus.file("completion", script.out)
                #expect(try await bus.plain(["-n", file], program: "bash").exit == 0)
            }
        }
    }

    /// Runs a command line that touches no log in this process.
    private static func run(_ arguments: [String]) async throws -> (exit: Int32, out: String) {
        let output = Output(gathering: true)
        let exit = await Output.$standard.withValue(output) { await Application(domains: Domains.all).run(arguments) }
        return (exit, output.text)
    }
}
