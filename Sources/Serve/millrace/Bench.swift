internal import ArgumentParser
internal import Domains
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import LocalLog
internal import Logging
internal import Projecting
internal import SQLiteViews

/// `millrace bench`.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the embedded log, a projector and a handler on this machine.",
        discussion: """
            Each row is the median of several rounds; the reference beside it was
            measured in the same run. Machines are noisy: compare ratios, not figures of
            different days.
            """)
    @Option(help: ArgumentHelp("Rounds of each row.", valueName: "n"))
    var rounds = 3
    @Option(help: ArgumentHelp("Events of the replay and projector rows.", valueName: "n"))
    var events = 1_000_000
    @Option(help: ArgumentHelp("Commands on the larger log of the rows that start.", valueName: "n"))
    var commands = 400_000
    @OptionGroup var shape: Shape

    struct Line {
        var name: String
        var rate: Double
        var spread: Double
        var reference: String
    }

    func validate() throws {
        if !(1...100).contains(rounds) || !(1000...100_000_000).contains(events)
            || !(1000...100_000_000).contains(commands)
        {
            throw ValidationError("--rounds is 1 to 100, --events and --commands are 1000 to 100000000")
        }
    }

    func run() async throws {
        let folder = NSTemporaryDirectory() + "millrace-bench-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var lines: [Line] = []
        let sync = try await measure("fdatasync of 4 KiB, in a loop", "") { try Self.fdatasyncs(folder) }
        lines.append(sync)
        lines += try await appends(folder, sync)
        lines += try await flow(folder)
        lines.append(try await decisions(folder, sync))
        lines += try await starts(folder)
        try show(lines)
    }

    func measure(_ name: String, _ reference: String, _ body: () async throws -> Double) async throws -> Line {
        var rates: [Double] = []
        for _ in 0..<rounds { rates.append(try await body()) }
        rates.sort()
        let median = rates[rates.count / 2]
        return Line(name: name, rate: median, spread: (rates.last! - rates.first!) / median, reference: reference)
    }

    private func show(_ lines: [Line]) throws {
        if !shape.asTable {
            for line in lines {
                try Output.standard.line(
                    JSON.object([
                        ("row", JSON.string(line.name)), ("perSecond", String(Int(line.rate))),
                        ("spread", String(format: "%.2f", line.spread)), ("reference", JSON.string(line.reference)),
                    ]))
            }
            return
        }
        let rows = lines.map { [$0.name, String(Int($0.rate)), "\(Int($0.spread * 100))%", $0.reference] }
        try Output.standard.write(
            TextTable(header: ["row", "per second", "spread", "reference"], rows: rows, right: [1, 2]).text)
    }

    static func rate(_ count: Int, since start: ContinuousClock.Instant) -> Double {
        let took = ContinuousClock.now - start
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        return Double(count) / max(seconds, 1e-9)
    }

    private static func fdatasyncs(_ folder: String) throws -> Double {
        let file = open(folder + "/sync", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if file < 0 { throw Failure(.cantCreate, "\(folder)/sync cannot be written") }
        defer { close(file) }
        let page = [UInt8](repeating: 1, count: 4096)
        let start = ContinuousClock.now
        let count = 1000
        for _ in 0..<count {
            _ = page.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            fdatasync(file)
        }
        return rate(count, since: start)
    }

    private func appends(_ folder: String, _ sync: Line) async throws -> [Line] {
        let log = try await LocalLog.open(directory: folder + "/append")
        try await log.create([Topic("bench", partitions: 4, key: "", schema: "", owner: "")])
        let record = NewRecord(key: "key-0123456789", value: Bytes(repeating: 7, count: 86), timestamp: now())
        var lines: [Line] = []
        for (batch, count) in [(10_000, 100), (100, 1000), (1, 1000)] {
            let records = [NewRecord](repeating: record, count: batch)
            lines.append(
                try await measure("append 100 B durably, batches of \(batch)", "") {
                    let start = ContinuousClock.now
                    for i in 0..<count {
                        _ = try await log.append([Append(TopicPartition("bench", Partition(i % 4)), records)])
                    }
                    return Self.rate(count * batch, since: start)
                })
        }
        lines[2].reference = String(format: "%.2f of the fdatasync loop", lines[2].rate / sync.rate)
        lines.append(
            try await measure("append 100 B durably, 64 writers of one", "") {
                let start = ContinuousClock.now
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<64 {
                        group.addTask {
                            for _ in 0..<200 {
                                _ = try await log.append([
                                    Append(TopicPartition("bench", Partition(writer % 4)), [record])
                                ])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                return Self.rate(64 * 200, since: start)
            })
        lines[3].reference = String(format: "%.1f of the fdatasync loop", lines[3].rate / sync.rate)
        await log.close()
        return lines
    }

    /// Replay and projection of the same hits.
    private func flow(_ folder: String) async throws -> [Line] {
        guard let telemetry = Domain.hits.telemetry, let kind = telemetry.events.kind(named: "Hit"),
            let projection = Domain.hits.projections.first
        else { return [] }
        let log = try await LocalLog.open(directory: folder + "/flow")
        try await log.create(Domain.hits.topics)
        let count = Domain.hits.topics[0].partitions
        var random = SplitMix(seed: 1)
        // As on a busy house: all within two minutes.
        let base = now() - .seconds(120)
        let samples = try (0..<5000).map { i in
            let visitor = Int.random(in: 0..<100_000, using: &random)
            let value = try telemetry.events.encode(
                kind,
                json: Bytes(
                    #"{"site":"site-\#(i % 20)","path":"/page/\#(i % 300)","visitor":"10.0.\#(visitor)","status":200,"bytes":5120}"#
                ))
            return (key: try telemetry.keyOfEvent(value), value: value)
        }
        var made = 0
        while made < events {
            var appends: [TopicPartition: [NewRecord]] = [:]
            for i in 0..<min(10_000, events - made) {
                let sample = samples[(made + i) % samples.count]
                let target = TopicPartition(telemetry.topic, Partitioner.partition(of: sample.key, among: count))
                let time = base + .milliseconds(Int64(made + i) * 120_000 / Int64(events))
                appends[target, default: []].append(NewRecord(key: sample.key, value: sample.value, timestamp: time))
            }
            _ = try await log.append(appends.map { Append($0.key, $0.value) })
            made += min(10_000, events - made)
        }
        let partitions = (0..<count).map { TopicPartition(telemetry.topic, Partition($0)) }
        let bounds = try await log.bounds(of: partitions)
        let schema = telemetry.events
        let replay = try await measure("replay: read, tell the type, count", "one core") {
            let start = ContinuousClock.now
            var hits = 0
            for (partition, range) in bounds {
                try await log.scan(partition, from: range.lowerBound, to: range.upperBound) { batch in
                    for record in batch.records where schema.kindName(in: record.value) == "Hit" { hits += 1 }
                }
            }
            return Self.rate(hits, since: start)
        }
        var round = 0
        let project = try await measure("project hits: log to committed window rows", "one core") {
            round += 1
            let views = try SQLiteViews(directory: folder + "/views-\(round)")
            let claims = try await views.claim(projection, partitions, owner: "bench").mapValues(\.epoch)
            let start = ContinuousClock.now
            for (partition, range) in bounds {
                try await log.scan(partition, from: range.lowerBound, to: range.upperBound, batch: Projector.batch) {
                    batch in
                    try await views.commit(projection, to: [partition: batch.next], under: claims) { view in
                        try projection.fold([(partition, batch.records)], into: view)
                    }
                }
            }
            let rate = Self.rate(events, since: start)
            await views.close()
            return rate
        }
        await log.close()
        return [replay, project]
    }

    /// Holds decided, durable and answered, by 256 clients at once.
    private func decisions(_ folder: String, _ sync: Line) async throws -> Line {
        let log = try await LocalLog.open(directory: folder + "/decide")
        try await log.create(Domain.tickets.topics)
        let logger = makeLogger(verbose: false)
        guard var handler = Handler(.tickets, log: log, clock: { now() }, logger: logger) else {
            throw Failure(.software, "tickets has no handler")
        }
        let views = try SQLiteViews(directory: folder + "/decide/views")
        handler.checkpoints = ViewCheckpoints(views)
        let deciding = handler
        let reactor = Reactor(Domain.tickets.reactions[0], log: log, logger: logger)
        let line = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await deciding.run() }
            group.addTask { try await reactor.run() }
            defer { group.cancelAll() }
            return try await CommandClient.with(log, domains: [.tickets], clock: { now() }) { client in
                var round = 0
                return try await measure("tickets: HoldSeats decided, durable, answered, 256 clients", "") {
                    round += 1
                    return try await Self.hold(client, event: "e\(round)")
                }
            }
        }
        await views.close()
        await log.close()
        var result = line
        result.reference = String(format: "%.1f of the fdatasync loop", line.rate / sync.rate)
        return result
    }

    private static func hold(_ client: CommandClient, event: String) async throws -> Double {
        let catalogue = Catalogue(domains: [.tickets])
        @Sendable func send(_ name: String, _ json: [String]) async throws -> [Outcome] {
            let found = try catalogue.command(name)
            let commands = try json.map { try found.command(json: $0, id: UUID().uuidString, at: now()) }
            return try await client.send(commands, to: .tickets, within: .seconds(30))
        }
        let rows = (0..<50).map { #"{"label":"R\#($0)","seats":400}"# }.joined(separator: ",")
        let sections = (0..<4).map { #"{"name":"s\#($0)","rows":[\#(rows)],"price":{"amount":1,"currency":"EUR"}}"# }
        _ = try await send(
            "ListEvent",
            [
                #"{"event":"\#(event)","title":"t","venue":"v","startsAt":"2030-01-01T00:00:00Z","sections":[\#(sections.joined(separator: ","))]}"#
            ])
        for section in 0..<4 {
            let probe = #"{"event":"\#(event)","section":"s\#(section)","holder":"x","seats":["R0-1"]}"#
            while try await send("HoldSeats", [probe])[0].reason == "unknown-section" {}
        }
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for fan in 0..<256 {
                group.addTask {
                    for turn in 0..<40 {
                        let seat = (fan * 40 + turn) / 4
                        let json =
                            #"{"event":"\#(event)","section":"s\#(fan % 4)","holder":"f\#(fan)","seats":["R\#(1 + seat % 49)-\#(1 + seat / 49 % 400)"]}"#
                        _ = try await send("HoldSeats", [json])
                    }
                }
            }
            try await group.waitForAll()
        }
        return rate(256 * 40, since: start)
    }
}
