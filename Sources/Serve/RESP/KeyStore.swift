package import EventLog
package import EventModel
internal import Handling
internal import KVDomain
internal import Synchronization

/// How current what is read has to be.
package enum Consistency: String, Sendable, CaseIterable {
    /// What was acknowledged to anybody before the read began is seen.
    case linearizable
    /// What was acknowledged to the same connection is seen, and what was before a place that it has named.
    case after
    /// Whatever the copy has.
    case any
}

/// What became of a change.
enum WriteResult: Sendable {
    /// It is on the log, at this place.
    case done(KeyCopy.Effect, partition: Int, Offset)
    /// It was so already.
    case unchanged
    case refused(reason: String, message: String)
    /// Nobody knows: it may be on the log, or come there.
    case failed(String)
}

/// Keys as one process serves them: changes go to the log as commands, many in one append; reads come from copies that follow
/// the log.
///
/// **Changes** are answered when their outcome is on the log and the copy has it. **Linearizable reads** ask the log where it
/// ends after they have begun, and wait until the copy has come there. Who reads when the log is asked shares the question.
package final class KeyStore: Sendable {
    typealias Written = @Sendable ([WriteResult]) -> Void
    typealias Fenced = @Sendable (_ failure: String?) -> Void

    /// Changes of one connection that are answered together. Only touched within the store's mutex, but for its constants.
    final class Group: @unchecked Sendable {
        var results: [WriteResult]
        var left: Int
        let deadline: ContinuousClock.Instant
        let done: Written
        init(_ count: Int, done: @escaping Written) {
            results = Array(repeating: .unchanged, count: count)
            (left, deadline, self.done) = (count, .now + RESPLimits.patience, done)
        }
    }
    /// A change whose outcome has not come.
    struct Pending {
        let group: Group
        let place: Int
        let partition: Int
        var effect: (KeyCopy.Effect, Offset)?
        var isAccepted = false
    }
    /// Somebody who waits until the copies have come to some offsets. Only touched within the store's mutex, but for its constants.
    final class Fence: @unchecked Sendable {
        var left: Int
        let deadline: ContinuousClock.Instant
        let done: Fenced
        init(done: @escaping Fenced) { (left, deadline, self.done) = (0, .now + RESPLimits.patience, done) }
    }

    /// All of it is guarded by one mutex, the objects in it too.
    struct State {
        var copies: Copies
        var pending: [String: Pending] = [:]
        /// Those of them that the log was not given yet.
        var queue: [NewRecord] = []
        var gathering = Gathering()
        /// Whose question the log was not asked yet.
        var asking: [Fence] = []
        var waiting: [[(end: Offset, fence: Fence)]]
        var isOver: String?
        /// A version of the log all of which the copies have.
        var whole: LogVersion?
        var served: Int64 = 0
        /// When the copies were last known to have come to the log's end, and how far it was ahead at the last look.
        var reached = ContinuousClock.now
        var behind: Int64 = 0
        /// Who wants to know whether a partition's copy is what the log has.
        var verifying: [(partition: Int, done: @Sendable (Result<Repair, KeyStoreIsOver>) -> Void)] = []
        /// What was put right since the start.
        var repairs = Repair()
        /// Records of `kv.state` that it began with.
        var restored = 0
    }

    let log: any EventLog
    let events: [TopicPartition]
    let outcomes: [TopicPartition]
    /// Of `kv.state`; none where the log has no such topic.
    let states: [TopicPartition]
    let storage: CopyStorage
    let commandsTopic: String
    let clock: @Sendable () -> Timestamp
    let state: Mutex<State>
    let appending = Signal()
    let fencing = Signal()
    let ids: CommandIDs

    /// The store of a log that has the domain's topics.
    ///
    /// - Throws: `LogError` where a topic is missing, or counts of partitions differ; `POSIXError` where blocks cannot be kept.
    package init(
        _ domain: Domain, log: any EventLog, storage: CopyStorage = CopyStorage(folder: "."),
        clock: @escaping @Sendable () -> Timestamp
    ) async throws {
        let counts = try await log.partitionCounts()
        let topics = [domain.commandsTopic, domain.eventsTopic, domain.outcomesTopic]
        try counts.checkCopartitioned(topics, "\(domain.name).serve")
        let count = counts[domain.eventsTopic] ?? 1
        (self.log, self.clock, commandsTopic) = (log, clock, domain.commandsTopic)
        events = (0..<count).map { TopicPartition(domain.eventsTopic, Partition($0)) }
        outcomes = (0..<count).map { TopicPartition(domain.outcomesTopic, Partition($0)) }
        states = (0..<(counts[KeyStates.topic] ?? 0)).map { TopicPartition(KeyStates.topic, Partition($0)) }
        var storage = storage
        storage.partitions = count
        self.storage = storage
        let parts = try (0..<count).map { try storage.copy($0) }
        state = Mutex(State(copies: Copies(parts), waiting: Array(repeating: [], count: count)))
        ids = CommandIDs()
    }

    /// Asks for changes, in this order where they are of one key.
    func write(_ writes: [KeyWrite], _ done: @escaping Written) {
        var records: [(at: Int, id: String, record: NewRecord, partition: Int)] = []
        let group = Group(writes.count, done: done)
        for (at, write) in writes.enumerated() {
            let id = ids.next()
            do throws(Malformed) {
                let record = try write.command(id: id).record(now: clock())
                let partition = Int(Partitioner.partition(of: record.key, among: events.count).rawValue)
                records.append((at, id, record, partition))
            } catch {
                group.results[at] = .refused(reason: error.reason, message: error.message)
                group.left -= 1
            }
        }
        if records.isEmpty { return done(group.results) }
        let (failure, isDue) = state.withLock { state -> (String?, Bool) in
            if let isOver = state.isOver { return (isOver, false) }
            if state.pending.count + records.count > RESPLimits.underWay {
                return ("over \(RESPLimits.underWay) changes are under way; try again", false)
            }
            let isFirst = state.queue.isEmpty
            for one in records {
                state.pending[one.id] = Pending(group: group, place: one.at, partition: one.partition)
                state.queue.append(one.record)
            }
            if isFirst { state.gathering.came(at: .now) }
            return (nil, isFirst || state.mayAppend)
        }
        if let failure { return done(Array(repeating: .failed(failure), count: writes.count)) }
        if isDue { appending.notify() }
    }

    /// Whether the copies are known to have all that was on the log when it was called. Nothing is waited for.
    var isWhole: Bool {
        guard let version = log.version else { return false }
        return state.withLock { $0.whole == version && $0.isOver == nil }
    }

    /// Calls back when the copies have all that was on the log when it was called.
    func fence(_ done: @escaping Fenced) {
        let failure = state.withLock { state -> String? in
            if state.isOver == nil { state.asking.append(Fence(done: done)) }
            return state.isOver
        }
        if let failure { return done(failure) }
        fencing.notify()
    }

    /// Calls back when the copies have come to some offsets, by partition.
    func wait(for places: [Int: Offset], _ done: @escaping Fenced) {
        let isThere = state.withLock { state in
            let ahead = places.filter { $0.value > state.copies.ends[$0.key] }
            if ahead.isEmpty { return true }
            let fence = Fence(done: done)
            fence.left = ahead.count
            for (partition, end) in ahead { state.waiting[partition].append((end, fence)) }
            return false
        }
        if isThere { done(nil) }
    }

    /// Looks into the copies.
    func read<R: Sendable>(_ body: (Copies, Timestamp) -> R) -> R {
        let now = clock()
        return state.withLock { state in
            state.served += 1
            return body(state.copies, now)
        }
    }

    /// Compares a partition's copy with what the log has up to the same place, and puts right what differs.
    func verify(_ partition: Int, _ done: @escaping @Sendable (Result<Repair, KeyStoreIsOver>) -> Void) {
        let isOver = state.withLock { state in
            if state.isOver == nil { state.verifying.append((partition, done)) }
            return state.isOver
        }
        if let isOver { done(.failure(KeyStoreIsOver(why: isOver))) }
    }

    /// Something that was read is not what was written: all copies are compared with the log.
    func complain() {
        state.withLock { state in
            for partition in events.indices where !state.verifying.contains(where: { $0.partition == partition }) {
                state.verifying.append((partition, { _ in }))
            }
        }
    }

    /// What was put right since the start.
    package var repairs: Repair { state.withLock { $0.repairs } }
    /// Records of `kv.state` that the copies began with.
    package var restored: Int { state.withLock { $0.restored } }

    /// Changes whose outcome is awaited.
    var underWay: Int { state.withLock { $0.pending.count } }

    /// How far the copies are known to be behind.
    var staleness: (records: Int64, since: Duration) {
        state.withLock { state in
            (state.behind, state.behind == 0 && state.pending.isEmpty ? .zero : .now - state.reached)
        }
    }
}

/// Nobody follows the log any more.
struct KeyStoreIsOver: Error, Sendable {
    let why: String
}

/// Ids of commands that no other process gives.
struct CommandIDs: Sendable {
    private let prefix: String
    private let last = Last()

    private final class Last: Sendable { let number = Atomic<UInt64>(0) }

    init() {
        let (a, b) = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        prefix = "resp-" + String(a, radix: 36) + String(b, radix: 36) + "-"
    }

    func next() -> String { prefix + String(last.number.wrappingAdd(1, ordering: .relaxed).newValue) }
}
