internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import KafkaLog
internal import OrdersDomain
internal import SQLiteViews
internal import ServiceLifecycle
internal import Synchronization
internal import TestSupport

/// Writes what it reads to another topic, with no more work than that: what a broker alone takes of a command's time.
struct Echo: Service {
    let log: any EventLog
    let from: String
    let to: String

    func run() async throws {
        let member = try await log.join("echo-\(from)", topics: [from])
        while !Task.isShuttingDownGracefully {
            switch try await member.next(max: Handler.batch, wait: .milliseconds(100)) {
            case .assigned(let partitions):
                try await member.start(partitions.reduce(into: [:]) { $0[$1] = .some(nil) })
            case .revoked(let partitions): try await member.release(partitions)
            case .records(let batches):
                let appends = batches.map { batch in
                    Append(
                        TopicPartition(to, batch.source.partition),
                        batch.records.map { NewRecord(key: $0.key, value: $0.value, timestamp: $0.timestamp) })
                }
                let consumed = Dictionary(uniqueKeysWithValues: batches.map { ($0.source, $0.next) })
                try await member.transact(Transaction(appends: appends, consumed: consumed))
            case .lost, .idle: break
            }
        }
        await member.leave()
    }
}

/// When each record should have been written.
private final class Due: Sendable {
    private let moments = Mutex<[Bytes: ContinuousClock.Instant]>([:])
    func note(_ key: Bytes, _ moment: ContinuousClock.Instant) { moments.withLock { $0[key] = moment } }
    func take(_ key: Bytes) -> ContinuousClock.Instant? { moments.withLock { $0.removeValue(forKey: key) } }
}

extension Bench {
    /// One command on a broker, beside a record that is only written and read, and one that a transaction echoes.
    func echoRows() async throws -> [Row] {
        guard let broker else {
            Bench.progress("echo: skipped, MILLRACE_TEST_KAFKA=host:port names none")
            return []
        }
        let log = ClockedLog(log: try await KafkaLog(brokers: broker))
        let views = try SQLiteViews(directory: try fresh("echo-views"))
        try await log.create(Domain.orders.topics)
        let tag = UUID().uuidString.prefix(8).lowercased()
        let partitions = try await log.partitionCounts()[Domain.orders.commandsTopic] ?? 4
        let (from, to) = ("echo-\(tag)-from", "echo-\(tag)-to")
        try await log.create(
            [from, to].map { Topic($0, partitions: partitions, key: "", schema: "", owner: "") })
        var figures: [String: [Double]] = [:]
        func note(_ name: String, _ latencies: Latencies) {
            figures[name + " p50", default: []].append(latencies.percentile(50))
            figures[name + " p99", default: []].append(latencies.percentile(99))
        }
        let echoLog = try await KafkaLog(brokers: broker)
        let handler = Array(deciders(of: .orders, log, views).prefix(1))
        var processor: [Double] = []
        try await running(handler + [Echo(log: echoLog, from: from, to: to)]) {
            try await CommandClient.with(echoLog, domains: [.orders], clock: { now() }) { client in
                for round in -1..<rounds {
                    // The round before the first warms everything up.
                    let count = round < 0 ? 1000 : 8 * Self.commandsASecond
                    let plain = try await Self.roundTrips(count, on: echoLog, from, back: from)
                    let echoed = try await Self.roundTrips(count, on: echoLog, from, back: to)
                    let answered = Latencies()
                    let watch = Stopwatch()
                    try await Self.place(count, as: "\(tag)-\(round)", client, answered)
                    if round < 0 { continue }
                    processor.append(watch.ownProcessor * 1e6 / Double(count))
                    note("plain", plain)
                    note("echo", echoed)
                    note("command", answered)
                }
            }
        }
        await views.close()
        await echoLog.close()
        await log.close()
        let times = log.times
        return [
            Row("a record written and read on a broker, 1,000/s: p50", .milliseconds, figures["plain p50"] ?? []),
            Row("  p99", .milliseconds, figures["plain p99"] ?? []),
            Row(
                "one command to its outcome, a broker: p50", .milliseconds, figures["command p50"] ?? [],
                .timesAtMost(1)
            )
            .held(against: "a transaction that only echoes", figures["echo p50"] ?? []),
            Row("  p99", .milliseconds, figures["command p99"] ?? [], .atMost(25))
                .held(against: "the same", figures["echo p99"] ?? []),
            Row("  processor a command, client and handler", .microseconds, processor),
            Row("  its transactions, begin to committed: p50", .milliseconds, [times.transactions.percentile(50)]),
            Row("  p99", .milliseconds, [times.transactions.percentile(99)]),
            Row("  between two of them: p50", .milliseconds, [times.between.percentile(50)]),
            Row("  of that, asking for deliveries: p50", .milliseconds, [times.asking.percentile(50)]),
            Row("  commands in one", .share, [times.records]),
        ]
    }

    /// Writes records at a steady rate, and notes how long it is until each is read, from the same topic or from another.
    private static func roundTrips(
        _ count: Int, on log: any EventLog, _ topic: String, back: String
    ) async throws -> Latencies {
        let places = try await log.partitions(of: [back])
        let reader = try await log.reader(from: try await log.bounds(of: places).mapValues(\.upperBound))
        let (latencies, due, run) = (Latencies(), Due(), UUID().uuidString)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while latencies.count < count {
                    let batches = try await reader.next(max: 10_000, wait: .milliseconds(50))
                    let now = ContinuousClock.now
                    for record in batches.flatMap(\.records) {
                        guard let begun = due.take(record.key) else { continue }
                        latencies.note(now - begun)
                    }
                }
            }
            group.addTask {
                try await paced(count, aSecond: commandsASecond) { i, begun in
                    let key = Bytes("\(run)-\(i)")
                    due.note(key, begun)
                    let place = TopicPartition(topic, Partition(i % places.count))
                    _ = try await log.append([
                        Append(place, [NewRecord(key: key, value: "echo", timestamp: now())])
                    ])
                }
            }
            try await group.waitForAll()
        }
        await reader.close()
        return latencies
    }
}
