import EventLog
import EventModel
import Synchronization
import TestSupport
import Testing

/// A log that fails as often as it is told to, before it does what it is asked.
private final class FlakyLog: WrappedLog {
    let log: any EventLog = MemoryLog()
    let patience: Patience
    private let failures: Mutex<Int>
    private let pause: Duration

    /// - Parameters:
    ///   - failures: How many joins fail.
    ///   - pause: How long it takes to tell the bounds.
    init(_ patience: Patience, failures: Int, pause: Duration = .zero) {
        (self.patience, self.pause) = (patience, pause)
        self.failures = Mutex(failures)
    }

    var left: Int { failures.withLock { $0 } }
    var promises: Promises { log.promises.subtracting(.contiguous) }
    func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>] {
        try await Task.sleep(for: pause)
        return try await log.bounds(of: partitions)
    }
    func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember {
        let fails = failures.withLock { left in
            defer { left = max(0, left - 1) }
            return left > 0
        }
        if fails { throw LogError(.unreachable, "no broker answers") }
        return try await log.join(group, topics: topics, sharing: sharing)
    }
    func close() async { await log.close() }
}

private struct Counting: GroupWork, Sendable {
    var handled = 0
    /// What the first batches fail of.
    var failures: [LogError] = []

    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) })
    }
    mutating func dropped(_ partitions: [TopicPartition]) async {}
    mutating func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        if !failures.isEmpty { throw failures.removeFirst() }
        handled += batches.reduce(0) { $0 + $1.records.count }
        try await member.commit(batches.reduce(into: [:]) { $0[$1.source] = $1.next })
    }
    mutating func tick(_ member: any GroupMember) async throws -> Duration { .milliseconds(10) }
}

@Suite("A log that does not answer", .timeLimit(.minutes(10)))
struct TroubleTests {
    private static let unreachable = LogError(.unreachable, "no broker answers")

    /// Runs a worker until it has handled a record, or fails.
    private func work(_ log: FlakyLog, _ work: inout Counting) async throws {
        try await log.create([Topic("t", partitions: 1, key: "", schema: "", owner: "")])
        _ = try await log.append([Append(TopicPartition("t", 0), [NewRecord(key: "k", value: "a", timestamp: 1)])])
        let seen = Seen(work)
        let loop = GroupLoop(log: log, group: "g", topics: ["t"], batch: 10)
        let deadline = ContinuousClock.now + .seconds(300)
        var worker = Watched(work: work, seen: seen)
        defer { work = seen.now }
        try await loop.run(&worker, until: { seen.now.handled > 0 || ContinuousClock.now > deadline })
        #expect(seen.now.handled > 0)
    }

    private final class Seen: Sendable {
        private let work: Mutex<Counting>
        init(_ work: Counting) { self.work = Mutex(work) }
        var now: Counting { work.withLock { $0 } }
        func see(_ now: Counting) { work.withLock { $0 = now } }
    }

    private struct Watched: GroupWork {
        var work: Counting
        let seen: Seen
        mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
            try await work.assigned(partitions)
        }
        mutating func dropped(_ partitions: [TopicPartition]) async { await work.dropped(partitions) }
        mutating func handle(_ batches: [Batch], as member: any GroupMember) async throws {
            try await work.handle(batches, as: member)
            seen.see(work)
        }
        mutating func tick(_ member: any GroupMember) async throws -> Duration { try await work.tick(member) }
    }

    @Test func `a worker with patience goes on by itself, and says so once at the beginning and once at the end`()
        async throws
    {
        let lines = Lines()
        let log = FlakyLog(Patience(.seconds(60)) { lines.add($0) }, failures: 3)
        var counting = Counting()
        try await work(log, &counting)
        #expect(counting.handled == 1 && log.left == 0)
        #expect(lines.all.count == 2, "\(lines.all)")
        #expect(lines.all.first == "g waits for the log, for 1 min at most: no broker answers")
        #expect(lines.all.last?.hasPrefix("g goes on after ") == true)
        await log.close()
    }

    @Test func `what is cut off in the middle of a batch is done again`() async throws {
        let log = FlakyLog(Patience(.seconds(60)), failures: 0)
        var counting = Counting(failures: [Self.unreachable, LogError(.refused, "the password is wrong")])
        try await work(log, &counting)
        #expect(counting.handled == 1)
        await log.close()
    }

    @Test func `a worker of a log without patience ends`() async throws {
        let log = FlakyLog(.none, failures: 1)
        var counting = Counting()
        await #expect(throws: Self.unreachable) { try await work(log, &counting) }
        await log.close()
    }

    @Test(arguments: [LogError.Kind.denied, .replaced, .unknownTopic, .damaged])
    func `what no waiting mends ends a worker at once`(_ kind: LogError.Kind) async throws {
        let log = FlakyLog(Patience(.seconds(60)), failures: 0)
        var counting = Counting(failures: [LogError(kind, "no")])
        await #expect(throws: LogError(kind, "no")) { try await work(log, &counting) }
        await log.close()
    }

    @Test
    func `trouble is borne for as long as it lasts, what was waited before an error counts, and two troubles are two`()
    {
        let start = ContinuousClock.now
        var trouble = Trouble(Patience(.seconds(300)))
        let borne = [0, 100, 200, 300].map { trouble.bears(Self.unreachable, of: "w", at: start + .seconds($0)) }
        #expect(borne == [true, true, true, false])
        trouble.passed("w", at: start + .seconds(301))
        // The second is hours later, with nothing to do between.
        let again = [302, 9000].map { trouble.bears(Self.unreachable, of: "w", at: start + .seconds($0)) }
        #expect(again == [true, true])
        var waited = Self.unreachable
        waited.waited = .seconds(300)
        var other = Trouble(Patience(.seconds(300)))
        let neither = [waited, LogError(.denied, "no")].map { other.bears($0, of: "w", at: start) }
        #expect(neither == [false, false])
    }

    /// Where a leader is away the log takes minutes to say where a partition ends, which is no sign that records are missing.
    @Test func `the time that a log takes to answer is no silence of a stretch that is read`() async throws {
        let log = FlakyLog(.none, failures: 0, pause: .seconds(2))
        try await log.create([Topic("t", partitions: 1, key: "", schema: "", owner: "")])
        let partition = TopicPartition("t", 0)
        _ = try await log.append([Append(partition, [NewRecord(key: "k", value: "a", timestamp: 1)])])
        var silence = Silence()
        // Each look is said to have taken a second, and is followed by an answer that takes two.
        let began = ContinuousClock.now
        for _ in 0..<3 {
            let lasts = try await silence.lasts(in: partition, from: 0, to: 1, of: log)
            #expect(lasts)
        }
        let took = ContinuousClock.now - began
        #expect(took >= .seconds(6))
        #expect(silence.length < .seconds(2), "\(silence.length)")
        await log.close()
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
