internal import EventLog
internal import EventModel
internal import Synchronization
internal import TestSupport

/// A log that notes how long its members' transactions take, and what is between them.
struct ClockedLog: WrappedLog {
    /// What the members of one log spend their time with.
    final class Times: Sendable {
        let transactions = Latencies()
        /// From the end of one transaction to the begin of the next, where there was something to do at once.
        let between = Latencies()
        /// The part of that in which deliveries were asked for.
        let asking = Latencies()
        private let counted = Mutex(0)

        func count(_ records: Int) { counted.withLock { $0 += records } }
        /// Records consumed in one transaction.
        var records: Double { Double(counted.withLock { $0 }) / Double(max(1, transactions.count)) }
    }

    let log: any EventLog
    let times = Times()

    var patience: Patience { log.patience }
    func partitionCounts() async throws -> [String: Int] { try await log.partitionCounts() }
    func reached(before ends: [TopicPartition: Offset]) async throws -> [TopicPartition: Timestamp] {
        try await log.reached(before: ends)
    }
    func reader(
        from positions: [TopicPartition: Offset], within times: ClosedRange<Timestamp>
    ) async throws -> any LogReader { try await log.reader(from: positions, within: times) }
    func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember {
        ClockedMember(try await log.join(group, topics: topics, sharing: sharing), times)
    }
    func close() async { await log.close() }
}

private final class ClockedMember: GroupMember {
    private struct State {
        var ended: ContinuousClock.Instant?
        var asking = Duration.zero
    }
    private let member: any GroupMember
    private let times: ClockedLog.Times
    private let state = Mutex(State())

    init(_ member: any GroupMember, _ times: ClockedLog.Times) { (self.member, self.times) = (member, times) }

    func next(max: Int, wait: Duration) async throws -> Delivery {
        let began = ContinuousClock.now
        let delivery = try await member.next(max: max, wait: wait)
        state.withLock { state in
            state.asking += .now - began
            if case .records = delivery { return }
            state.ended = nil
        }
        return delivery
    }

    func transact(_ transaction: Transaction) async throws -> [[Offset]] {
        let began = ContinuousClock.now
        state.withLock { state in
            if let ended = state.ended {
                times.between.note(began - ended)
                times.asking.note(state.asking)
            }
        }
        let offsets = try await member.transact(transaction)
        times.transactions.note(.now - began)
        times.count(transaction.appends.reduce(0) { $0 + $1.records.count })
        state.withLock { $0 = State(ended: .now) }
        return offsets
    }

    func wake() { member.wake() }
    func start(_ positions: [TopicPartition: Offset?]) async throws { try await member.start(positions) }
    func release(_ partitions: [TopicPartition]) async throws { try await member.release(partitions) }
    func commit(_ consumed: [TopicPartition: Offset]) async throws { try await member.commit(consumed) }
    func show(_ positions: [TopicPartition: Offset]) async { await member.show(positions) }
    func leave() async { await member.leave() }
}
