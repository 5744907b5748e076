internal import CoreMetrics
internal import EventLog
internal import EventModel
internal import Logging
internal import Metering
internal import Quarantining

/// A worker's partitions, from the moment they are given to it until they go to another.
///
/// It restores each from its checkpoint, reads batches, lets its step handle the records one by one, and commits what comes
/// out together with their offsets, in one transaction for all partitions of a delivery. Records that cannot be handled are
/// parked, and redriven when somebody asks for it. It is the same for handlers and reactors: what they do to a record is
/// their ``PartitionStep``.
struct PartitionWorker<Step: PartitionStep>: GroupWork {
    typealias Restored = RestoredPartition<Step.State>

    /// How long records are handled between the beginnings of two checkpoints.
    static var betweenCheckpoints: Duration { .milliseconds(10) }

    var step: Step
    let log: any EventLog
    let logger: Logger
    let checkpoints: (any CheckpointStore)?
    let checkpointing: Checkpointing
    /// Nil stops the worker at the first record that cannot be handled.
    let quarantine: QuarantineLog?
    /// What the log says of how many partitions topics had; nil compares nothing.
    let book: TopicBook?
    /// What it counts; nil counts nothing.
    let metrics: WorkerMetrics?
    var backoff: CrashBackoff
    var partitions: [Partition: Restored] = [:]
    /// Its records that wait.
    var parked: ParkedRecords
    private var requests: RedriveRequests
    /// Whether the states in memory equal what is committed. Only then may they go to a checkpoint.
    var isCommitted = true
    /// When the last checkpoint was begun.
    private var lastSaved: ContinuousClock.Instant?
    /// Until then it handles nothing within the commits that bring it.
    var inlineRest: ContinuousClock.Instant?

    init(_ step: Step, log: any EventLog, logger: Logger, batch: Int, _ care: WorkerCare) {
        (self.step, self.log, self.logger) = (step, log, logger)
        (checkpoints, checkpointing) = (care.checkpoints, care.checkpointing)
        (quarantine, book, metrics) = (care.quarantine, care.book, care.metrics)
        backoff = CrashBackoff(
            of: step.worker, batch: batch, store: care.quarantine == nil ? nil : care.crashRecords,
            notesIdle: Step.worksInline)
        parked = ParkedRecords(worker: step.worker, logger: logger)
        requests = RedriveRequests(of: step.worker)
    }

    var missing: Missing {
        Missing(of: step.worker, step.missed, log: log, quarantine: quarantine, logger: logger)
    }

    mutating func assigned(_ assigned: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        isCommitted = true
        try await step.begin(on: log, book)
        let said = try await quarantine?.read()
        requests.begin()
        parked.begin(assigned.flatMap { step.line(of: $0) }, said)
        let committed = try await log.committed(step.worker, assigned)
        try await restore(Dictionary(grouping: assigned, by: \.partition), committed, said)
        let bounds = try await log.bounds(of: assigned)
        try await missing.begin(committed, bounds)
        let starts = assigned.map { ($0, committed[$0] ?? bounds[$0]?.lowerBound ?? 0) }
        let crashed = try await backoff.begin(
            Dictionary(uniqueKeysWithValues: starts), ends: bounds.mapValues(\.upperBound))
        metrics?.crashes.increment(by: crashed)
        if crashed > 0 { restInline() }
        return Dictionary(uniqueKeysWithValues: assigned.map { ($0, nil) })
    }

    mutating func dropped(_ dropped: [TopicPartition]) async {
        let deadline = ContinuousClock.now + checkpointing.parting
        for number in Set(dropped.map(\.partition)).sorted() {
            if let checkpoint = partitions[number]?.checkpoint {
                // After a failed transaction the states in memory are ahead of the log.
                if isCommitted {
                    await checkpoint.save(cutoff: step.cutoff, until: deadline)
                } else {
                    await checkpoint.settle(until: deadline)
                }
            }
            partitions[number] = nil
        }
        parked.stop(dropped.flatMap { step.line(of: $0) })
        await backoff.stop(dropped)
    }

    /// Whoever sends a command waits for it.
    var gathers: Bool { !Step.worksInline }

    mutating func tick(_ member: any GroupMember) async throws -> Duration {
        if quarantine != nil {
            let owned = Set(backoff.next.keys.flatMap { step.line(of: $0) })
            while let request = try await requests.next(of: owned, from: quarantine) {
                try await redrive(request, as: member)
            }
        }
        let isLeft = await saveOne()
        let pause = min(try await step.tick(partitions), quarantine?.patience ?? GroupLoop.heed)
        return isLeft ? min(pause, Self.betweenCheckpoints) : pause
    }

    /// Begins one checkpoint of those that are due, so that what comes meanwhile does not wait for all of them.
    ///
    /// - Returns: Whether another is due.
    @discardableResult
    mutating func saveOne() async -> Bool {
        var (isLeft, hasBegun) = (false, !maySave)
        for partition in partitions.values {
            guard let checkpoint = partition.checkpoint else { continue }
            let saved = await checkpoint.saveIfDue(cutoff: step.cutoff, mayBegin: !hasBegun)
            isLeft = isLeft || saved.isLeft
            if saved.isBegun { (hasBegun, lastSaved) = (true, .now) }
        }
        return isLeft
    }

    /// Whether a checkpoint may begin.
    var maySave: Bool { lastSaved.map { .now - $0 >= Self.betweenCheckpoints } ?? true }
}

/// How a worker takes care of what may go wrong: what it was given as a ``Handler`` or a ``Reactor``.
struct WorkerCare {
    var checkpoints: (any CheckpointStore)?
    var checkpointing: Checkpointing
    var quarantine: QuarantineLog?
    var book: TopicBook?
    var crashRecords: (any CrashRecordStore)?
    var metrics: WorkerMetrics?
}
