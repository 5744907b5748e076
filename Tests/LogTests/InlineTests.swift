import EventLog
import EventModel
import Foundation
import GRDB
import Synchronization
import Testing

@testable import LocalLog

/// What a member's work does within the commits that bring its records.
@Suite("Work within a commit", .timeLimit(.minutes(10)))
struct InlineTests {
    private let commands = TopicPartition("commands", 0)
    private let events = TopicPartition("events", 0)
    private let group = "group"

    private func logs(_ count: Int = 1, _ test: ([LocalLog]) async throws -> Void) async throws {
        let directory = NSTemporaryDirectory() + "millrace-test-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var logs: [LocalLog] = []
        for _ in 0..<count { logs.append(try await LocalLog.open(directory: directory)) }
        try await logs[0].create([Topic("commands", 2), Topic("events", 2)])
        try await test(logs)
        for log in logs { await log.close() }
    }

    /// A member that has its partitions and has lent its work; gives what else it was told.
    private func lending(
        _ work: Answering, on log: LocalLog, _ body: (_ told: Told) async throws -> Void
    ) async throws {
        let member = try await log.join(group, topics: ["commands"])
        let told = Told(member)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                while !Task.isCancelled {
                    let delivery = try await member.next(max: 1000, wait: .seconds(5), inline: work)
                    if case .assigned(let partitions) = delivery {
                        try await member.start(Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) }))
                    }
                    told.add(delivery)
                }
            }
            // It lends its work when it has nothing else to do.
            let deadline = Deadline()
            while work.count == 0 {
                try await deadline.pause(for: "a member that lends its work")
                if !told.hasAll { continue }
                _ = try await log.append([Append(TopicPartition("commands", 1), [NewRecord("probe", "")])])
            }
            try await body(told)
            tasks.cancelAll()
            do { try await tasks.waitForAll() } catch is CancellationError {}
        }
        await member.leave()
    }

    private func append(_ values: [String], on log: LocalLog) async throws -> [Offset] {
        try await log.append([Append(commands, values.map { NewRecord("key", $0) })])[0]
    }

    private func contents(of partition: TopicPartition, on log: LocalLog) async throws -> [String] {
        let end = try await log.bounds(of: [partition])[partition]?.upperBound ?? 0
        var values: [String] = []
        try await log.scan(partition, from: 0, to: end) { values += $0.records.map(\.value.text) }
        return values
    }

    @Test func `is there when the append returns, and its records are not delivered`() async throws {
        try await logs { logs in
            let work = Answering()
            try await lending(work, on: logs[0]) { told in
                let before = told.all.count
                for round in 0..<50 {
                    let version = logs[0].version
                    let offsets = try await append(["\(round)", "\(round)'"], on: logs[0])
                    #expect(logs[0].version?.count != version?.count)
                    let end = try await logs[0].bounds(of: [events])[events]?.upperBound
                    #expect(end == offsets[1] + 1, "no task had to run for it")
                }
                #expect(try await logs[0].committed(group, [commands]) == [commands: 100])
                #expect(told.all.count == before)
                #expect(work.places[events] == (0..<100).map { Offset($0) })
            }
            let answers = (0..<50).flatMap { ["re \($0)", "re \($0)'"] }
            #expect(try await contents(of: events, on: logs[0]) == answers)
        }
    }

    @Test func `that does not take records leaves them to be delivered`() async throws {
        try await logs { logs in
            let work = Answering()
            try await lending(work, on: logs[0]) { told in
                work.isOpen = false
                _ = try await append(["a", "b"], on: logs[0])
                try await told.until("2 records") { $0.records(of: commands) == ["a", "b"] }
                work.isOpen = true
                #expect(try await contents(of: events, on: logs[0]).isEmpty)
            }
        }
    }

    @Test func `comes after what another process has appended`() async throws {
        try await logs(2) { logs in
            let work = Answering()
            try await lending(work, on: logs[0]) { told in
                for round in 0..<30 {
                    _ = try await append(["other \(round)"], on: logs[1])
                    _ = try await append(["own \(round)"], on: logs[0])
                }
                let all = (0..<30).flatMap { ["other \($0)", "own \($0)"] }
                try await told.until("all of the others") { told in
                    told.records(of: commands).count + work.values(of: commands).count == 60
                }
                let (delivered, handled) = (told.records(of: commands), work.values(of: commands))
                #expect(Set(delivered).isDisjoint(with: handled))
                #expect(delivered == all.filter(Set(delivered).contains))
                #expect(handled == all.filter(Set(handled).contains))
                #expect(Set(delivered).isSuperset(of: (0..<30).map { "other \($0)" }))
            }
        }
    }

    @Test func `is not given more records of a commit than may be handled at once`() async throws {
        try await logs { logs in
            let work = Answering()
            try await lending(work, on: logs[0]) { told in
                let many = (0...Lending.most).map(String.init)
                _ = try await append(many, on: logs[0])
                try await told.until("\(many.count) records") { $0.records(of: commands).count == many.count }
                #expect(work.values(of: commands).isEmpty)
                let fewer = Array(many.dropLast())
                try await retry("work that takes \(fewer.count)") {
                    _ = try await append(fewer, on: logs[0])
                    return !work.values(of: commands).isEmpty
                }
                #expect(work.values(of: commands) == fewer)
            }
        }
    }

    @Test func `whose records are refused does not refuse the commit`() async throws {
        try await logs { logs in
            let work = Answering()
            try await lending(work, on: logs[0]) { told in
                work.isOversized = true
                _ = try await append(["a"], on: logs[0])
                try await told.until("the record") { $0.records(of: commands) == ["a"] }
                #expect(work.failures.map(\.kind) == [.tooLarge])
                work.isOversized = false
                #expect(try await contents(of: events, on: logs[0]).isEmpty)
                try await retry("work that is taken again") {
                    _ = try await append(["b"], on: logs[0])
                    return work.values(of: commands).contains("b")
                }
            }
        }
    }

    @Test func `is told where nothing was committed`() async throws {
        try await logs { logs in
            let work = Answering()
            try await lending(work, on: logs[0]) { told in
                let room = try await logs[0].writer.write { round in
                    let pages = try Int.fetchOne(round.db, sql: "PRAGMA page_count") ?? 0
                    try round.db.execute(sql: "PRAGMA max_page_count = \(pages)")
                    return pages
                }
                let before = work.count
                await #expect(throws: LogError.self) {
                    _ = try await append([String(repeating: "large", count: 100_000)], on: logs[0])
                }
                #expect(work.failures.map(\.kind) == [.full] && work.count == before)
                _ = try await logs[0].writer.write { round in
                    try round.db.execute(sql: "PRAGMA max_page_count = \(room * 1000)")
                }
                try await retry("work that is taken again") {
                    _ = try await append(["b"], on: logs[0])
                    return work.values(of: commands).last == "b"
                }
                let handled = work.values(of: commands)
                #expect(try await contents(of: commands, on: logs[0]) == told.records(of: commands) + handled)
            }
        }
    }

    @Test func `of a member that has lost its partitions writes nothing`() async throws {
        try await logs { logs in
            let work = Answering()
            try await lending(work, on: logs[0]) { told in
                // As another process does that takes this one for dead.
                try await logs[0].writer.write { [group] round in
                    try round.db.execute(sql: "UPDATE owners SET member = 'other' WHERE team = ?", arguments: [group])
                }
                let handled = work.values(of: commands)
                _ = try await append(["a"], on: logs[0])
                #expect(work.failures.map(\.kind) == [.fenced])
                _ = try await logs[0].writer.write { [group] round in round.changesGroup(group) }
                try await told.until("the loss") { $0.losses > 0 }
                #expect(work.values(of: commands) == handled)
                #expect(try await contents(of: events, on: logs[0]).isEmpty)
                #expect(try await contents(of: commands, on: logs[0]) == ["a"])
            }
        }
    }

    @Test func `wakes its member where its task is wanted`() async throws {
        try await logs { logs in
            let work = Answering()
            try await lending(work, on: logs[0]) { told in
                work.isWanted = true
                let idle = told.idle
                _ = try await append(["a"], on: logs[0])
                try await told.until("a waking") { $0.idle > idle }
                #expect(work.values(of: commands) == ["a"])
            }
        }
    }

    @Test func `is done or delivered, each record once and in order, however often its member is woken`() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        try await logs { logs in
            let work = Answering()
            try await lending(work, on: logs[0]) { told in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    let member = told.member
                    tasks.addTask {
                        var random = SeededRandom(seed)
                        while !Task.isCancelled {
                            member.wake()
                            work.isOpen = Int.random(in: 0..<4, using: &random) > 0
                            try? await Task.sleep(for: .microseconds(Int.random(in: 0..<300, using: &random)))
                        }
                    }
                    for round in 0..<2000 { _ = try await append(["\(round)"], on: logs[0]) }
                    tasks.cancelAll()
                }
                work.isOpen = true
                let all = (0..<2000).map(String.init)
                try await told.until("all records") { told in
                    told.records(of: commands).count + work.values(of: commands).count >= all.count
                }
                let (delivered, handled) = (told.records(of: commands), work.values(of: commands))
                #expect(delivered == all.filter(Set(delivered).contains))
                #expect(handled == all.filter(Set(handled).contains))
                #expect(delivered.count + handled.count == all.count && handled.count > 100)
            }
        }
    }

    /// Tries until it is so: what has just been delivered is on its way to the member that is to lend its work again.
    private func retry(_ what: String, _ body: () async throws -> Bool) async throws {
        let deadline = Deadline()
        while try await !body() { try await deadline.pause(for: what) }
    }
}

/// Answers each record with an event of the partition's number.
private final class Answering: InlineWork {
    private struct State {
        var isOpen = true
        var isOversized = false
        var isWanted = false
        var inHand: [Batch] = []
        var handled: [TopicPartition: [String]] = [:]
        var places: [TopicPartition: [Offset]] = [:]
        var failures: [LogError] = []
        var targets: [TopicPartition] = []
    }
    private let state = Mutex(State())

    var isOpen: Bool {
        get { state.withLock(\.isOpen) }
        set { state.withLock { $0.isOpen = newValue } }
    }
    var isOversized: Bool {
        get { state.withLock(\.isOversized) }
        set { state.withLock { $0.isOversized = newValue } }
    }
    var isWanted: Bool {
        get { state.withLock(\.isWanted) }
        set { state.withLock { $0.isWanted = newValue } }
    }
    /// Records that were handled and committed.
    var count: Int { state.withLock { $0.handled.values.reduce(0) { $0 + $1.count } } }
    func values(of partition: TopicPartition) -> [String] { state.withLock { $0.handled[partition] ?? [] } }
    var places: [TopicPartition: [Offset]] { state.withLock(\.places) }
    var failures: [LogError] { state.withLock(\.failures) }

    func handle(_ batches: [Batch]) -> Transaction? {
        state.withLock { state in
            if !state.isOpen { return nil }
            #expect(state.inHand.isEmpty, "one call after another")
            state.inHand = batches
            state.targets = batches.map { TopicPartition("events", $0.source.partition) }
            let appends = zip(batches, state.targets).map { batch, target in
                Append(
                    target,
                    batch.records.map { record in
                        var answer = NewRecord("key", "re \(record.value.text)")
                        if state.isOversized { answer.value = Bytes(repeating: 1, count: Limits.valueBytes + 1) }
                        return answer
                    })
            }
            return Transaction(
                appends: appends, consumed: Dictionary(uniqueKeysWithValues: batches.map { ($0.source, $0.next) }))
        }
    }

    func committed(_ offsets: [[Offset]]) -> Bool {
        state.withLock { state in
            for (batch, (target, places)) in zip(state.inHand, zip(state.targets, offsets)) {
                state.handled[batch.source, default: []] += batch.records.map(\.value.text)
                state.places[target, default: []] += places
            }
            state.inHand = []
            return state.isWanted
        }
    }

    func failed(_ error: LogError) {
        state.withLock { state in
            state.inHand = []
            state.failures.append(error)
        }
    }
}

/// What a member was told.
private final class Told: Sendable {
    private struct State {
        var records: [(TopicPartition, String)] = []
        var assigned: Set<TopicPartition> = []
        var idle = 0
        var losses = 0
    }
    let member: any GroupMember
    private let state = Mutex(State())

    init(_ member: any GroupMember) { self.member = member }

    func add(_ delivery: Delivery) {
        state.withLock { state in
            switch delivery {
            case .assigned(let partitions): state.assigned.formUnion(partitions)
            case .records(let batches):
                for batch in batches { state.records += batch.records.map { (batch.source, $0.value.text) } }
            case .idle: state.idle += 1
            case .lost: state.losses += 1
            case .revoked: break
            }
        }
    }

    var hasAll: Bool { state.withLock { $0.assigned.count == 2 } }
    var all: [String] { state.withLock { $0.records.map(\.1) } }
    func records(of partition: TopicPartition) -> [String] {
        state.withLock { $0.records.filter { $0.0 == partition }.map(\.1) }
    }
    var idle: Int { state.withLock(\.idle) }
    var losses: Int { state.withLock(\.losses) }

    func until(_ what: String, _ done: (Told) -> Bool) async throws {
        let deadline = Deadline()
        while !done(self) { try await deadline.pause(for: what) }
    }
}
