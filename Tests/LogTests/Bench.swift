import EventLog
import EventModel
import Synchronization
import Testing

/// How long a test waits for what must come.
let patience = Duration.seconds(300)

/// Where the tests' clock stands, 2025-01-01T12:00:00Z: in the past, since a broker refuses what lies far ahead.
let noon = Timestamp(1_735_732_800_000)

/// What should have come and did not.
struct Overdue: Error, CustomStringConvertible {
    let description: String
}

/// A moment after which waiting is given up.
struct Deadline {
    private let end = ContinuousClock.now + patience
    /// What is left to wait.
    func left(for what: String) throws -> Duration {
        let left = end - .now
        if left <= .zero { throw Overdue(description: "waited \(patience) for \(what)") }
        return left
    }
    /// Waits a moment before the condition is looked at again.
    func pause(for what: String) async throws {
        _ = try left(for: what)
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// Opens a carrier's log for one test, and closes and clears it whatever comes of the test.
func bench(_ carrier: Carrier, _ test: (Bench) async throws -> Void) async throws {
    let bench = try await Bench(carrier)
    do {
        try await test(bench)
    } catch {
        await bench.clear()
        throw error
    }
    await bench.clear()
}

/// One log under test, and names in it that no other test uses. One task's.
final class Bench {
    // Drawn once a run, so that a run finds nothing of an earlier one on a broker.
    private static let run = String(UInt32.random(in: .min ... .max), radix: 36)
    private static let count = Atomic<Int>(0)

    private(set) var log: any EventLog
    private let home: Home
    private let prefix: String
    private var closed = false
    private var others: [any EventLog] = []

    init(_ carrier: Carrier) async throws {
        prefix = "test-\(Self.run)-\(Self.count.add(1, ordering: .relaxed).newValue)"
        home = try await carrier.home()
        log = try await home.open()
    }

    /// Opens the same log a second time, as another process would.
    func another() async throws -> any EventLog {
        others.append(try await home.open())
        return others[others.count - 1]
    }

    func close() async {
        if !closed { await log.close() }
        closed = true
    }
    func reopen() async throws {
        await close()
        log = try await home.open()
        closed = false
    }
    func clear() async {
        await close()
        for other in others { await other.close() }
        await home.clear()
    }

    /// A name for a topic or group.
    func name(_ name: String) -> String { "\(prefix)-\(name)" }

    /// Makes a topic; gives its partitions.
    func topic(
        _ name: String = "events", partitions: Int = 1, retention: Duration? = nil, cleanup: Topic.Cleanup = .delete
    ) async throws -> [TopicPartition] {
        let topic = Topic(
            self.name(name), partitions: partitions, retention: retention, cleanup: cleanup, key: "key",
            schema: "test.Event", owner: "tests")
        try await log.create([topic])
        return (0..<partitions).map { TopicPartition(topic.name, Partition($0)) }
    }

    /// Appends one record a text, with the text as key and value, in one call.
    @discardableResult
    func append(_ texts: [String], to partition: TopicPartition) async throws -> [Offset] {
        try await log.append([Append(partition, texts.map { NewRecord($0, $0) })])[0]
    }

    func bounds(of partition: TopicPartition) async throws -> Range<Offset> {
        try #require(try await log.bounds(of: [partition])[partition])
    }

    /// All that can be read of a partition: it appends a last record, and reads from the start up to that.
    func contents(of partition: TopicPartition) async throws -> [Record] {
        let last = try await append(["the last"], to: partition)[0]
        let reader = try await log.reader(from: [partition: try await bounds(of: partition).lowerBound])
        let haul = try await reader.gather("the last record of \(partition)") { haul in
            (haul[partition].last?.offset ?? -1) >= last
        }
        await reader.close()
        return haul[partition].filter { $0.key != "the last" }
    }

    func join(_ group: String = "group", _ topics: [TopicPartition]..., max: Int = 1000) async throws -> Worker {
        let (log, group) = (log, name(group))
        return try await Worker(max: max) { try await log.join(group, topics: topics.map { $0[0].topic }) }
    }
    func committed(_ partition: TopicPartition, by group: String = "group") async throws -> Offset? {
        try await log.committed(name(group), [partition])[partition]
    }
}

/// What was read so far, partition by partition; what comes out of order is noted as it comes.
struct Haul {
    private var records: [TopicPartition: [Record]] = [:]
    /// Where reading goes on.
    private(set) var next: [TopicPartition: Offset] = [:]

    var count: Int { records.values.reduce(0) { $0 + $1.count } }
    subscript(partition: TopicPartition) -> [Record] { records[partition] ?? [] }
    func texts(_ partition: TopicPartition) -> [String] { self[partition].map(\.value.text) }

    mutating func take(_ batches: [Batch]) {
        for batch in batches {
            for record in batch.records {
                #expect(record.offset >= next[batch.source] ?? record.offset, "\(batch.source) went back")
                next[batch.source] = record.offset + 1
            }
            #expect(batch.next >= next[batch.source] ?? batch.next, "\(batch.source) would give a record twice")
            next[batch.source] = batch.next
            records[batch.source, default: []] += batch.records
        }
    }

    /// Takes what was read after this.
    mutating func take(_ later: Haul) {
        take(later.records.map { Batch(source: $0, records: $1, next: later.next[$0] ?? 0) })
    }

    /// Forgets records that will be delivered again.
    mutating func takeBack(_ batches: [Batch]) {
        for batch in batches {
            let gone = Set(batch.records.map(\.offset))
            records[batch.source]?.removeAll { gone.contains($0.offset) }
        }
    }

    /// Lets a partition be read from another place.
    mutating func restart(_ partition: TopicPartition) { next[partition] = nil }
}

extension LogReader {
    /// Reads until `done` holds of what came.
    func gather(_ what: String, max: Int = 1000, until done: (Haul) -> Bool) async throws -> Haul {
        let deadline = Deadline()
        var haul = Haul()
        while !done(haul) {
            haul.take(try await next(max: max, wait: try deadline.left(for: "\(what); \(haul.count) records came")))
        }
        return haul
    }

    /// Reads until that many records have come.
    func gather(_ count: Int, max: Int = 1000) async throws -> Haul {
        try await gather("\(count) records", max: max) { $0.count >= count }
    }
}

extension NewRecord {
    init(_ key: String, _ value: String, at time: Timestamp = noon) {
        self.init(key: Bytes(key), value: Bytes(value), timestamp: time)
    }
}

/// Expects a log to refuse for a reason.
func refuses<R>(
    _ kind: LogError.Kind, sourceLocation: SourceLocation = #_sourceLocation, _ action: () async throws -> R
) async {
    let error = await #expect(throws: LogError.self, sourceLocation: sourceLocation) { _ = try await action() }
    #expect(error?.kind == kind, sourceLocation: sourceLocation)
}
