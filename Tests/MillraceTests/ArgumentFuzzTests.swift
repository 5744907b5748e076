import Domains
import EventModel
import Foundation
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

@Suite("Whatever is typed", .serialized, .timeLimit(.minutes(10)))
struct ArgumentFuzzTests {
    /// How many lines of each command, of some eight times as many; `MILLRACE_FUZZ_LINES` for more.
    private static let lines = setting("MILLRACE_FUZZ_LINES") ?? 20
    private static let seed = UInt64(setting("MILLRACE_FUZZ_SEED") ?? 20)

    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    @Test func `ends with one of the program's own exit codes, and never with a signal`() async throws {
        try await onBus { bus in
            try await fill(bus)
            let files = [
                try bus.file("hits.log", "not a line\n"), try bus.file("empty.csv", ""),
                try bus.file("tweets.ndjson", #"{"id":1,"time":1,"user":"ann","text":"hi"}"# + "\n"),
            ]
            var fuzz = try ArgumentFuzz(seed: Self.seed, real: real(files), fields: fields)
            print("argument fuzzer: seed \(Self.seed), \(Self.lines) lines of each of \(fuzz.commands.count) commands")
            #expect(fuzz.commands.count > 15)
            // Where a line ends the process, it is found here.
            let last = "\(FileManager.default.temporaryDirectory.path)/millrace-fuzz-\(getpid())"
            var exits: [Int32: Int] = [:]
            for command in fuzz.commands {
                // Those with the most ways to be wrong are tried more often.
                let often = ["query", "replay", "send"].contains(command.words[0]) ? 8 : 1
                for _ in 0..<Self.lines * often {
                    let line = fuzz.line(command) + extra(command, bus, files)
                    try Data("\(line)\n".utf8).write(to: URL(fileURLWithPath: last))
                    let output = Output(gathering: true)
                    let exit = await Output.$standard.withValue(output) {
                        await Application(domains: Domains.all).run(line)
                    }
                    exits[exit, default: 0] += 1
                    #expect(
                        Exit(rawValue: exit) != nil && exit != Exit.software.rawValue || exit == 0,
                        "exit \(exit) of \(line): \(output.said.last ?? "")")
                    #expect(exit != 1 || ["send", "produce"].contains(command.words[0]), "\(line): \(output.said)")
                    // Everything is as it was declared: what is typed is never the configuration's fault.
                    // But for a build to go back to, which a view that was never rebuilt has not.
                    #expect(
                        exit != Exit.configuration.rawValue || line.contains("--rollback"), "\(line): \(output.said)")
                    if exit > 1 { #expect(!output.said.isEmpty, "\(line) says nothing") }
                }
            }
            print("argument fuzzer: exit codes \(exits.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })")
            #expect(exits[0, default: 0] > 0 && exits[64, default: 0] > 0 && exits[65, default: 0] > 0)
            try FileManager.default.removeItem(atPath: last)
        }
    }

    private var catalogue: Catalogue { Catalogue(domains: Domains.all) }

    /// What there is, by the commands that take it.
    private func real(_ files: [String]) -> [String: [String]] {
        let projections = catalogue.projections.map(\.name)
        let (commands, events) = (catalogue.commands.map(\.kind.name), catalogue.events.map(\.kind.name))
        return [
            "query": catalogue.queries.map(\.name), "verify": projections, "rebuild": projections,
            "snapshot": projections,
            "replay": ["hits.events", "orders.events", "social.home", "orders.outcomes", "tickets.commands"],
            "topics": ["hits.events", "orders.events"], "send": commands, "produce": events,
            "events": commands + events,
            "quarantine": Workers.all(of: Domains.all).map(\.name), "import": files,
        ]
    }

    private var fields: [String: [ArgumentFuzz.Field]] {
        let examples: [Parameter.Kind: String] = [
            .text: "home", .integer: "17", .real: "52.5", .duration: "1m", .timestamp: "now",
        ]
        let queries = catalogue.queries.map { query in
            (
                query.name,
                query.parameters.map {
                    ArgumentFuzz.Field(
                        name: GeneratedHelp.option($0.name), example: examples[$0.kind] ?? "x", needed: $0.required)
                }
            )
        }
        let commands = catalogue.commands.map { found in
            (
                found.kind.name,
                found.kind.fields.map {
                    ArgumentFuzz.Field(name: GeneratedHelp.option($0.name), example: "x", needed: false)
                }
            )
        }
        return Dictionary(queries + commands) { $1 }
    }

    /// What keeps a line on this bus, and from waiting.
    private func extra(_ command: ArgumentFuzz.Command, _ bus: Bus, _ files: [String]) -> [String] {
        var extra: [String] = []
        if command.words[0] == "produce" { extra += ["--file", files[2], "--timeout", "1ms"] }
        if ["send", "query"].contains(command.words[0]) { extra += ["--timeout", "1ms"] }
        if ["events", "views"].contains(command.words[0]) || command.words == ["topics", "declare"] { return extra }
        return extra + ["--log", bus.url]
    }

    /// Something of most domains, on the log and in the views.
    private func fill(_ bus: Bus) async throws {
        let workers = try await bus.work([])
        try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"# + "\n")
        try await bus.run("produce", "DriverLocation", stdin: #"{"driver":"d","lat":1,"lng":2}"# + "\n")
        try await bus.send("PlaceOrder", "--order", "o1", "--customer", "ann")
        try await bus.send("PostTweet", "--user", "ann", "--text", "hi #tag", "--tweet", "t1")
        try await bus.settle()
        _ = try await workers.stop()
    }
}
