public import EventModel
internal import Foundation
internal import Synchronization

/// How many partitions each topic had when it was made, kept on the log itself.
///
/// Keys are spread among a topic's partitions, and what is known of a key is kept by the partition: with another count a key
/// belongs elsewhere. A broker lets anyone add partitions, so who depends on a count compares it with what was noted.
///
/// One for a process: it reads its topic when somebody asks, from where it stopped. A log without that topic is from before
/// there was one, and there nothing is compared.
public final class TopicBook: Sendable {
    public static let topic = Topic(
        "millrace.topics", partitions: 1, cleanup: .compact, key: "topic", schema: "json",
        owner: "topics apply and workers")

    private static let partition = TopicPartition(topic.name, 0)

    /// The value of a topic's record: `{"partitions":4}`.
    private struct Entry: Codable {
        var partitions: Int
    }
    private struct State {
        var counts: [String: Int] = [:]
        var next = Offset(0)

        mutating func take(_ record: Record) {
            // A record that cannot be read must not stop every worker.
            let entry = try? JSONDecoder().decode(Entry.self, from: Data(record.value.slice))
            let isCount = entry.map { $0.partitions > 0 } ?? false
            if isCount || record.value.isEmpty { counts[record.key.text] = entry?.partitions }
        }
    }
    private let log: any EventLog
    private let clock: @Sendable () -> Timestamp
    private let state = Mutex(State())

    /// - Parameter clock: The time that records of the topic have.
    public init(_ log: any EventLog, clock: @escaping @Sendable () -> Timestamp) {
        (self.log, self.clock) = (log, clock)
    }

    /// The counts that were noted; none on a log without the topic.
    public func counts() async throws -> [String: Int] {
        let bounds: Range<Offset>
        do {
            bounds = try await log.bounds(of: [Self.partition])[Self.partition] ?? 0..<0
        } catch let error as LogError where error.kind == .unknownTopic {
            return [:]
        }
        let from = max(state.withLock(\.next), bounds.lowerBound)
        try await log.scan(Self.partition, from: from, to: bounds.upperBound) { batch in
            state.withLock { state in
                for record in batch.records where record.offset >= state.next { state.take(record) }
                state.next = max(state.next, batch.next)
            }
        }
        return state.withLock(\.counts)
    }

    /// Notes the counts of topics: from now on these are what others are compared with.
    public func note(_ counts: [String: Int]) async throws {
        if counts.isEmpty { return }
        let now = clock()
        let records = try counts.sorted { $0.key < $1.key }.map { topic, count in
            NewRecord(
                key: Bytes(topic), value: Bytes(Array(try JSONEncoder().encode(Entry(partitions: count)))),
                timestamp: now, headers: [Header(HeaderName.type, "PartitionCount")])
        }
        _ = try await log.append([Append(Self.partition, records)])
    }

    /// Compares topics with what was noted of them, and notes those of which nothing is.
    ///
    /// - Parameter counts: How many partitions the log's topics have now.
    /// - Throws: ``LogError/Kind/mismatch`` where one has another count than it had.
    public func check(_ topics: [String], among counts: [String: Int], for worker: String) async throws {
        if counts[Self.topic.name] == nil { return }
        let noted = try await self.counts()
        var fresh: [String: Int] = [:]
        for topic in topics {
            guard let has = counts[topic] else { throw LogError.unknown(topic) }
            guard let had = noted[topic] else {
                fresh[topic] = has
                continue
            }
            if has != had { throw Self.changed(topic, had: had, has: has, worker) }
        }
        try await note(fresh)
    }

    /// What a worker says that depends on a count which is another than it was.
    public static func changed(_ topic: String, had: Int, has: Int, _ worker: String) -> LogError {
        LogError(
            .mismatch,
            """
            \(worker) stops, for \(topic) had \(had) partitions and has \(has) now: keys belong into other partitions than \
            before, and what is known of them is in the old ones. Give it its \(had) partitions back, or write its records \
            anew, each into the partition of its key, and then run topics recount \(topic) (see Partitions in \
            docs/operations/run.md)
            """)
    }
}
