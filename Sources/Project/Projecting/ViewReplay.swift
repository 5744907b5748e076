public import EventLog
public import EventModel

/// A projection folded afresh from the log, up to offsets that are chosen, into a store where nobody else folds it.
///
/// It goes on where the store's rows stand, so one that was stopped is taken up by making it again.
public struct ViewReplay: Sendable {
    private let projection: AnyProjection
    private let log: any EventLog
    private let views: any ViewStore
    private var folding: QuarantiningProjector
    private var epochs: [TopicPartition: Epoch] = [:]
    /// Up to where each partition has been folded.
    public private(set) var next: [TopicPartition: Offset] = [:]
    /// The last record of each partition that it has folded.
    public private(set) var last: [TopicPartition: Offset] = [:]
    /// How many events it has folded.
    public private(set) var folded = 0
    /// How many offsets it has gone past.
    private var passed = 0
    /// Events folded a second at most, nil for as fast as can be.
    private let rate: Int?

    /// Claims partitions in the store.
    ///
    /// - Parameters:
    ///   - starts: Where folding begins where the store has nothing yet, or less.
    ///   - dropped: What has been dropped of the projection and is left out here too.
    public init(
        _ projection: AnyProjection, from log: any EventLog, starts: [TopicPartition: Offset],
        into views: any ViewStore, owner: String, rate: Int? = nil,
        dropped: [TopicPartition: Quarantine] = [:]
    ) async throws {
        self.projection = projection
        self.log = log
        self.views = views
        self.rate = rate
        folding = QuarantiningProjector(projection, views)
        try await views.open(projection)
        for (partition, claim) in try await views.claim(projection, starts.keys.sorted(), owner: owner) {
            epochs[partition] = claim.epoch
            next[partition] = [claim.next, starts[partition]].compactMap { $0 }.max()
        }
        try await folding.begin(starts.keys.sorted())
        try await folding.drop(dropped.filter { next[$0.key] == starts[$0.key] }, at: next, under: epochs)
    }

    /// Leaves out what another build of the projection does.
    public mutating func leaveOut(_ others: [TopicPartition: Quarantine]) { folding.leaveOut(others) }

    /// Folds each partition up to an offset; one that is there already is left alone.
    ///
    /// - Parameters:
    ///   - times: The times of the records that count, for partitions where not all do. The others are passed over.
    ///   - progress: Told how many events have been folded or passed over in all.
    public mutating func fold(
        to ends: [TopicPartition: Offset], within times: [TopicPartition: ClosedRange<Timestamp>] = [:],
        progress: (_ passed: Int) -> Void = { _ in }
    ) async throws {
        let start = ContinuousClock.now
        let before = folded
        for (partition, end) in ends.sorted(by: { $0.key < $1.key }) {
            guard let from = next[partition], let epoch = epochs[partition], from < end else { continue }
            var (at, done, passed, last, folding) = (from, folded, passed, last[partition], folding)
            defer {
                (next[partition], self.last[partition], self.folding) = (at, last, folding)
                (folded, self.passed) = (done, passed)
            }
            let size = rate.map { max(1, min(Projector.batch, $0 / 10)) } ?? Projector.batch
            var held = HeldBatches(isPaced: rate != nil)
            func commit(_ batches: [Batch]) async throws {
                let began = ContinuousClock.now
                _ = try await folding.commit(batches, under: [partition: epoch])
                await held.committed(batches, since: began, projection, views)
                let next = batches.last?.next ?? at
                passed += Int(next - at)
                at = next
                last = batches.last { !$0.records.isEmpty }?.records.last?.offset ?? last
                done += batches.reduce(0) { $0 + $1.records.count }
                progress(passed)
                if let rate {
                    try await Task.sleep(
                        until: start + .milliseconds(Int64(done - before) * 1000 / Int64(max(1, rate))))
                }
            }
            do {
                try await log.scan(partition, from: from, to: end, within: times[partition], batch: size) { batch in
                    if let batches = held.add(batch) { try await commit(batches) }
                }
                if let batches = held.take() { try await commit(batches) }
            } catch {
                await held.end(projection, views)
                throw error
            }
            await held.end(projection, views)
        }
    }

    /// Folds as far as the live build shows, and holds that build, as one moment shows it, against what was folded.
    ///
    /// - Parameters:
    ///   - live: The build in `store` that is examined; its projectors may go on.
    ///   - alike: Whether events that wait, or were dropped, in the live build are left out here too.
    /// - Throws: ``AheadOfLog`` where it has folded what the log has not.
    public mutating func comparison(
        with live: AnyProjection, in store: any ViewStore, leavingOutAlike alike: Bool = false,
        progress: (_ folded: Int) -> Void = { _ in }
    ) async throws -> Comparison {
        // Most of it is folded before the view is held, for a store keeps what is committed meanwhile. It is not folded
        // beyond what is seen, for both must be at the same offsets to be compared.
        let (seen, waiting) = try await store.read(live) { reader, asOf in
            (asOf, try reader.quarantines(live.quarantine))
        }
        try await log.checkReach(of: live, asOf: seen)
        if alike { folding.leaveOut(waiting) }
        try await fold(to: seen, progress: progress)
        let (projection, views) = (projection, views)
        return try await store.withSnapshot(live) { found in
            if alike {
                let now = try await found.read { try $0.quarantines(live.quarantine) }
                if seen.contains(where: {
                    !(waiting[$0.key] ?? .init()).agrees(with: now[$0.key] ?? .init(), before: $0.value)
                }) {
                    throw ViewError(
                        .failed, "events of \(live.name) that had waited were folded meanwhile; ask again")
                }
                folding.leaveOut(now)
            }
            try await fold(to: found.asOf, progress: progress)
            return try await views.withSnapshot(projection) { expected in
                try await Comparison(of: projection, found: found, expected: expected)
            }
        }
    }
}

/// A view that shows what the log has not.
public struct AheadOfLog: Error, Sendable, Hashable, CustomStringConvertible {
    public var projection: String
    public var partition: TopicPartition
    public var next: Offset
    /// Where the log ends.
    public var end: Offset
    public var description: String {
        """
        \(projection) has folded \(partition) up to \(next), past the log's end at \(end): the view is of another log, or \
        the log is an older copy. Give the view a fresh place, or delete its database, and it is folded again
        """
    }
}
