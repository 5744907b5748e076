internal import ArgumentParser
internal import Foundation
internal import Logging

/// Measures Millrace beside what else this machine can do: `make bench`.
@main
struct Benchmarks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure millrace on this machine.",
        discussion: """
            Each row is the median of several rounds. What it is held against was measured in
            the same run. Machines are noisy: compare ratios, not figures of different days.

            The rows of a broker need one: set MILLRACE_TEST_KAFKA=host:port.
            """,
        subcommands: [Measure.self, Codes.self, WriteAlone.self, Hello.self], defaultSubcommand: Measure.self)
}

struct Measure: AsyncParsableCommand {
    @Option(help: ArgumentHelp("Rounds of each row.", valueName: "n"))
    var rounds = 3
    @Option(help: ArgumentHelp("Events of the rows that go through many.", valueName: "n"))
    var events = 10_000_000
    @Option(help: ArgumentHelp("Links of the rows that follow many; 10000 leaves those out.", valueName: "n"))
    var links = 100_000
    @Option(
        help: ArgumentHelp(
            "Only these rows; may be repeated. \(Section.all.map(\.name).joined(separator: ", ")).", valueName: "rows"))
    var only: [String] = []
    @Option(help: "Write the rows to this file too, as JSON lines.")
    var json: String?
    @Option(help: "Write a picture of the growth rows to this file, as SVG.")
    var picture: String?

    func validate() throws {
        if !(1...100).contains(rounds) || !(100_000...100_000_000).contains(events) {
            throw ValidationError("--rounds is 1 to 100, --events is 100000 to 100000000")
        }
        if !(10_000...100_000_000).contains(links) {
            throw ValidationError("--links is 10000 to 100000000")
        }
        let known = Section.all.map(\.name)
        if let unknown = only.first(where: { !known.contains($0) }) {
            throw ValidationError("there are no rows \(unknown); there are \(known.joined(separator: ", "))")
        }
    }

    func run() async throws {
        let program =
            URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .path + "/millrace"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw ValidationError("\(program) is not there: swift build -c release --product millrace")
        }
        let folder = FileManager.default.temporaryDirectory.path + "/millrace-bench-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let bench = Bench(
            folder: folder, program: program, rounds: rounds, events: events, links: links,
            broker: ProcessInfo.processInfo.environment["MILLRACE_TEST_KAFKA"], logger: logger)
        var rows: [Row] = []
        for section in Section.all where only.isEmpty || only.contains(section.name) {
            Bench.progress("\(section.name): \(section.about)")
            let found = try await section.rows(bench)
            rows += found
            // Whoever watches sees each part at once, and the whole table at the end.
            if !found.isEmpty { Bench.progress("\n" + Row.table(found)) }
        }
        print(Row.table(rows))
        if let picture, !Curve.all(in: rows).isEmpty {
            try Picture(curves: Curve.all(in: rows)).svg.write(toFile: picture, atomically: true, encoding: .utf8)
        }
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let lines = try rows.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }
            try lines.joined().write(toFile: json, atomically: true, encoding: .utf8)
        }
    }
}

/// Rows that are measured together.
struct Section: Sendable {
    let name: String
    let about: String
    let rows: @Sendable (Bench) async throws -> [Row]

    static let all: [Section] = [
        Section(name: "log", about: "durable appends to the embedded log") { try await $0.logRows() },
        Section(name: "flow", about: "replay and projection of hits") { try await $0.flowRows() },
        Section(name: "imports", about: "files of others") { try await $0.importRows() },
        Section(name: "past", about: "a long topic asked by time") { try await $0.pastRows() },
        Section(name: "tickets", about: "holds by 256 clients") { try await $0.ticketRows() },
        Section(name: "latency", about: "one command and its view, at 1,000 a second") { try await $0.latencyRows() },
        Section(name: "timelines", about: "home timelines on a follow graph") { try await $0.timelineRows() },
        Section(name: "search", about: "searches, trends with fakes, deep pages") { try await $0.searchRows() },
        Section(name: "suggestions", about: "whom to follow, on a follow graph") { try await $0.suggestionRows() },
        Section(name: "rides", about: "drivers move while riders look for them") { try await $0.rideRows() },
        Section(name: "starts", about: "start to ready, and rebuild") { try await $0.startRows() },
        Section(name: "idle", about: "what up takes of the processor with nothing to do") { try await $0.idleRows() },
        Section(name: "http", about: "the gateway under wrk, beside bare servers") { try await $0.httpRows() },
        Section(name: "links", about: "links that are followed, beside nginx") { try await $0.linkRows() },
        Section(name: "cache", about: "hits by two threads, beside a dictionary with one lock") {
            try await $0.cacheRows()
        },
        Section(name: "metrics", about: "what it costs that workers count") { try await $0.metricsRows() },
        Section(name: "growth", about: "cost per event as events, keys and partitions grow") {
            try await $0.growthRows()
        },
        Section(name: "echo", about: "one command on a broker, beside bare echoes") { try await $0.echoRows() },
        Section(name: "broker", about: "the Kafka module on a broker") { try await $0.brokerRows() },
    ]
}
