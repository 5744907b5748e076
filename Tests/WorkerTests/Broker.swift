import EventLog
import EventModel
import Foundation
import Kafka
import KafkaLog
import SQLiteViews

extension Carrier {
    /// The broker of `MILLRACE_TEST_KAFKA=host:port`, where that is set.
    static let broker = ProcessInfo.processInfo.environment["MILLRACE_TEST_KAFKA"].map { address in
        Carrier(
            testDescription: "kafka", log: { try await BrokerLog(address, folder: $0) },
            views: { try SQLiteViews(directory: $0 + "/views") })
    }
    /// Everything that handlers and reactors run on, Kafka included.
    static let logs = all + (broker.map { [$0] } ?? [])
    /// The same, for what is about checkpoints.
    static let keepingLogs = keeping + (broker.map { [$0] } ?? [])
}

/// A log of one folder's own on a broker that others use too: what its topics and groups are called there begins with a
/// name of the folder's. Who closes it removes them.
final class BrokerLog: EventLog {
    private let log: KafkaLog
    private let address: String
    private let prefix: String

    init(_ address: String, folder: String) async throws {
        self.address = address
        prefix = folder.split(separator: "/").last.map { "\($0)." } ?? ""
        // A member that vanishes is missed as soon as brokers allow, and partitions that are added are soon seen.
        log = try await KafkaLog(
            brokers: address,
            properties: ["session.timeout.ms": "6000", "topic.metadata.refresh.interval.ms": "2000"])
    }

    /// Gives a topic more partitions, so many in all.
    func widen(_ topic: String, to count: Int) async throws {
        let admin = try Admin(["bootstrap.servers": address])
        do {
            try await admin.widen(there(topic), to: count)
        } catch {
            await admin.close()
            throw error
        }
        await admin.close()
    }

    var promises: Promises { log.promises }

    func create(_ topics: [Topic]) async throws {
        try await log.create(topics.map { topic in Topic(there(topic.name), like: topic) })
    }
    func topics() async throws -> [Topic] {
        try await log.topics().filter { $0.name.hasPrefix(prefix) }
            .map { topic in Topic(String(topic.name.dropFirst(prefix.count)), like: topic) }
    }
    func append(_ appends: [Append]) async throws -> [[Offset]] {
        try await log.append(appends.map { Append(there($0.target), $0.records) })
    }
    func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>] {
        here(try await log.bounds(of: partitions.map(there)))
    }
    func offsets(of partitions: [TopicPartition], at time: Timestamp) async throws -> [TopicPartition: Offset] {
        here(try await log.offsets(of: partitions.map(there), at: time))
    }
    func reader(from positions: [TopicPartition: Offset]) async throws -> any LogReader {
        Reader(reader: try await log.reader(from: there(positions)), log: self)
    }
    func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember {
        Member(
            member: try await log.join(there(group), topics: topics.map(there), sharing: sharing), log: self)
    }
    func committed(_ group: String, _ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        here(try await log.committed(there(group), partitions.map(there)))
    }
    func close() async {
        let names = (try? await log.topics().map(\.name).filter { $0.hasPrefix(prefix) }) ?? []
        await log.close()
        if let admin = try? Admin(["bootstrap.servers": address]) {
            _ = try? await admin.delete(names)
            await admin.close()
        }
    }

    /// Takes records away, as retention does.
    func deleteRecords(before offsets: [TopicPartition: Offset]) async throws {
        let admin = try Admin(["bootstrap.servers": address])
        let there = there(offsets).map { (KafkaPartition($0.key.topic, $0.key.partition.rawValue), $0.value.rawValue) }
        try await admin.deleteRecords(before: Dictionary(uniqueKeysWithValues: there))
        await admin.close()
    }

    private struct Reader: LogReader {
        let reader: any LogReader
        let log: BrokerLog
        func next(max: Int, wait: Duration) async throws -> [Batch] {
            try await reader.next(max: max, wait: wait).map(log.here)
        }
        func close() async { await reader.close() }
    }

    private struct Member: GroupMember {
        let member: any GroupMember
        let log: BrokerLog
        func next(max: Int, wait: Duration) async throws -> Delivery {
            switch try await member.next(max: max, wait: wait) {
            case .assigned(let partitions): .assigned(partitions.map(log.here))
            case .revoked(let partitions): .revoked(partitions.map(log.here))
            case .lost(let partitions): .lost(partitions.map(log.here))
            case .records(let batches): .records(batches.map(log.here))
            case .idle: .idle
            }
        }
        func start(_ positions: [TopicPartition: Offset?]) async throws { try await member.start(log.there(positions)) }
        func release(_ partitions: [TopicPartition]) async throws {
            try await member.release(partitions.map(log.there))
        }
        func commit(_ consumed: [TopicPartition: Offset]) async throws { try await member.commit(log.there(consumed)) }
        func show(_ positions: [TopicPartition: Offset]) async { await member.show(log.there(positions)) }
        func transact(_ transaction: Transaction) async throws -> [[Offset]] {
            let log = log
            @Sendable func there(_ appends: [Append]) -> [Append] {
                appends.map { Append(log.there($0.target), $0.records) }
            }
            return try await member.transact(
                Transaction(appends: there(transaction.appends), consumed: log.there(transaction.consumed)) {
                    there(transaction.replies($0))
                })
        }
        func wake() { member.wake() }
        func leave() async { await member.leave() }
    }

    private func there(_ name: String) -> String { prefix + name }
    private func there(_ partition: TopicPartition) -> TopicPartition {
        TopicPartition(there(partition.topic), partition.partition)
    }
    private func there<Value>(_ values: [TopicPartition: Value]) -> [TopicPartition: Value] {
        Dictionary(uniqueKeysWithValues: values.map { (there($0.key), $0.value) })
    }
    private func here(_ partition: TopicPartition) -> TopicPartition {
        TopicPartition(String(partition.topic.dropFirst(prefix.count)), partition.partition)
    }
    private func here<Value>(_ values: [TopicPartition: Value]) -> [TopicPartition: Value] {
        Dictionary(uniqueKeysWithValues: values.map { (here($0.key), $0.value) })
    }
    private func here(_ batch: Batch) -> Batch {
        Batch(source: here(batch.source), records: batch.records, next: batch.next)
    }
}

extension Topic {
    /// The same topic under another name.
    fileprivate init(_ name: String, like topic: Topic) {
        self = topic
        self.name = name
    }
}
