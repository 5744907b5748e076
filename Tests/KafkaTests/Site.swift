import EventLog
import EventModel
import Foundation
import Kafka
import KafkaLog
import Synchronization
import Testing

/// Where a test runs: librdkafka's mock cluster, or the broker of `MILLRACE_TEST_KAFKA=host:port` where that is set.
enum Site: String, CaseIterable, Sendable {
    case mock, broker

    static let brokerAddress = ProcessInfo.processInfo.environment["MILLRACE_TEST_KAFKA"]
    static var all: [Site] { brokerAddress == nil ? [.mock] : [.mock, .broker] }

    /// Runs the body with a log and the topics asked for, under names that no other run has.
    func withLog(
        _ partitions: Int = 1, cleanup: Topic.Cleanup = .delete,
        _ body: (_ log: KafkaLog, _ topic: String) async throws -> Void
    ) async throws {
        let topic = fresh("topic")
        let log: KafkaLog
        let mock: MockCluster?
        switch self {
        case .mock:
            let cluster = try MockCluster()
            try cluster.create(topic, partitions: partitions)
            // The mock's long poll does not wake on new data, and it rebalances a second before a session ends, at first after 3.
            log = try await KafkaLog(
                brokers: cluster.brokers,
                properties: [
                    "fetch.wait.max.ms": "10", "session.timeout.ms": "8000", "heartbeat.interval.ms": "100",
                ])
            mock = cluster
        case .broker:
            mock = nil
            log = try await KafkaLog(brokers: Site.brokerAddress ?? "")
            try await log.create([
                Topic(topic, partitions: partitions, cleanup: cleanup, key: "", schema: "", owner: "")
            ])
        }
        defer { withExtendedLifetime(mock) {} }
        do {
            try await body(log, topic)
        } catch {
            await log.close()
            throw error
        }
        await log.close()
    }
}

private let count = Atomic(0)
private let run = String(UInt64(Date().timeIntervalSince1970 * 1000), radix: 36)

/// A name that no other test, and no other run against the same broker, uses.
func fresh(_ name: String) -> String { "\(name)-\(run)-\(count.add(1, ordering: .relaxed).newValue)" }

let patience: Duration = .seconds(300)

struct TookTooLong: Error, CustomStringConvertible {
    var description: String
}

/// Repeats a step that waits by itself until it yields something.
func until<Value>(
    _ what: String, within limit: Duration = patience, _ step: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if let value = try await step() { return value }
        await Task.yield()
    }
    throw TookTooLong(description: "\(what) did not happen within \(limit)")
}

func records(_ texts: String..., at timestamp: Timestamp = 1000) -> [NewRecord] {
    texts.map { NewRecord(key: "k", value: Bytes($0), timestamp: timestamp) }
}

extension LogReader {
    /// The values read until a partition's position is at least `end`, and that position.
    func values(to end: Offset) async throws -> [String] {
        var values: [String] = []
        _ = try await until("reading up to \(end)") { () -> Bool? in
            let batches = try await next(max: 1000, wait: .seconds(1))
            values += batches.flatMap(\.records).map(\.value.text)
            return batches.contains { $0.next >= end } ? true : nil
        }
        return values
    }
}

extension GroupMember {
    /// Starts what is assigned until that many partitions have been, and returns them.
    func take(_ count: Int, committing: Bool = false) async throws -> Set<TopicPartition> {
        var mine: Set<TopicPartition> = []
        return try await until("an assignment of \(count) partitions") {
            try await settle(&mine)
            return mine.count == count ? mine : nil
        }
    }

    /// Takes in one delivery and does what it asks for.
    func settle(_ mine: inout Set<TopicPartition>) async throws {
        switch try await next(max: 1000, wait: .milliseconds(100)) {
        case .assigned(let partitions):
            mine.formUnion(partitions)
            try await start(partitions.reduce(into: [:]) { $0[$1] = .some(nil) })
        case .revoked(let partitions):
            mine.subtract(partitions)
            try await release(partitions)
        case .lost(let partitions): mine.subtract(partitions)
        case .records, .idle: break
        }
    }

    /// The values delivered until there are that many.
    func values(_ count: Int) async throws -> [String] {
        var values: [String] = []
        return try await until("the delivery of \(count) records") {
            switch try await next(max: 1000, wait: .milliseconds(100)) {
            case .records(let batches): values += batches.flatMap(\.records).map(\.value.text)
            case .assigned(let partitions): try await start(partitions.reduce(into: [:]) { $0[$1] = .some(nil) })
            case .revoked(let partitions): try await release(partitions)
            case .lost, .idle: break
            }
            return values.count >= count ? values : nil
        }
    }
}
