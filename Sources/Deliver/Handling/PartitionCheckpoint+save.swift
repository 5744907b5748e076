internal import EventLog
internal import EventModel
internal import Logging
internal import Synchronization

/// What goes to a checkpoint, and when.
extension PartitionCheckpoint {
    /// A checkpoint that is being written. Its task writes only the copies it was given.
    final class Writing: Sendable {
        let isOver = Atomic(false)
        /// Nobody wants it any more.
        let isGivenUp = Atomic(false)
        /// Told when it is over.
        let end = Signal()
        let task: Mutex<Task<Result<Duration, any Error>, Never>?> = Mutex(nil)
        let ids: Int
        let records: Int
        init(ids: Int, records: Int) { (self.ids, self.records) = (ids, records) }
    }

    /// Whether ``saveIfDue(cutoff:mayBegin:)`` has something to do.
    var wantsCare: Bool {
        if let writing { return writing.isOver.load(ordering: .acquiring) || states.count > 2 * limits.held }
        if states.count > limits.held, hasSettled || states.count > left + limits.held / 10 { return true }
        return isDue
    }

    private var isDue: Bool {
        if since == 0 || writing != nil { return false }
        let passed = ContinuousClock.now - began
        let isFull = states.count > limits.held
        return (passed >= pause || (isFull && !hasFailed)) && (passed >= limits.pause || since >= limits.records)
    }

    /// Begins a checkpoint where one is due, takes note of one that is over, and lets go of states above the limit.
    ///
    /// - Parameters:
    ///   - cutoff: Ids from before that are past their retention.
    ///   - mayBegin: Whether one may begin now. To begin one takes milliseconds for thousands of states, in which nothing is handled.
    /// - Returns: Whether one is due still, and whether one has begun.
    @discardableResult
    func saveIfDue(cutoff: Timestamp?, mayBegin: Bool) async -> (isLeft: Bool, isBegun: Bool) {
        await settle(waiting: false)
        let begins = mayBegin && isDue
        if begins { beginSaving(cutoff: cutoff) }
        await letGo()
        return (isDue, begins)
    }

    private func letGo() async {
        if states.count <= limits.held { return }
        // More than twice as many are waited for, unless they cannot be kept at all.
        await settle(waiting: states.count > 2 * limits.held && !hasFailed)
        // All are looked through, which is of use once more can be let go.
        if hasSettled || states.count > left + limits.held / 10 {
            states.evict(above: limits.held, horizon: horizon)
            (hasSettled, left) = (false, states.count)
        }
    }

    /// Writes all that has changed and waits for it, but not past a moment: then what is under way is given up, or not begun. A checkpoint is
    /// written whole or not at all, so what is there is the one before.
    func save(cutoff: Timestamp?, until deadline: ContinuousClock.Instant) async {
        if await !settle(until: deadline) { return }
        beginSaving(cutoff: cutoff)
        await settle(until: deadline)
    }

    /// How long a write that is given up may take to come back.
    private static let recall = Duration.seconds(1)

    /// Waits for a checkpoint that is under way, and gives it up where it is not over by then.
    ///
    /// - Returns: whether none is under way.
    @discardableResult
    func settle(until deadline: ContinuousClock.Instant) async -> Bool {
        guard let writing else { return .now < deadline }
        if await !writing.ends(by: deadline) {
            writing.isGivenUp.store(true, ordering: .releasing)
            writing.task.withLock { $0 }?.cancel()
            logger.notice(
                "a last checkpoint of \(rows.kept.name) takes longer than \(limits.parting) and is left; a start folds from the one before",
                metadata: ["partition": "\(partition)"])
            // What was given up in the middle was not written; a store that goes on with it is not waited for.
            if await !writing.ends(by: .now + Self.recall) {
                self.writing = nil
                return false
            }
        }
        await settle(waiting: true)
        return .now < deadline
    }

    private func beginSaving(cutoff: Timestamp?) {
        if since == 0 || writing != nil { return }
        let ids = remembered?.all ?? []
        self.ids.add(ids.lazy.map(\.id))
        let change = CheckpointChange(
            rows: rows, partition: partition, states: states.changes(), ids: ids, marks: marks, next: next,
            cutoff: cutoff, forgotten: limits.forgotten)
        let writing = Writing(ids: remembered?.count ?? 0, records: since)
        (self.writing, since, began, hasRows) = (writing, 0, .now, true)
        let checkpoint = checkpoint
        writing.task.withLock {
            $0 = Task {
                defer {
                    writing.isOver.store(true, ordering: .releasing)
                    writing.end.notify()
                }
                do {
                    let start = ContinuousClock.now
                    try await change.write(to: checkpoint)
                    return .success(.now - start)
                } catch {
                    return .failure(error)
                }
            }
        }
    }

    /// Takes note of a checkpoint that is over.
    func settle(waiting: Bool) async {
        guard let writing, waiting || writing.isOver.load(ordering: .acquiring) else { return }
        self.writing = nil
        switch await writing.task.withLock({ $0 })?.value {
        case nil: break
        case .success(let took):
            states.settle(kept: true)
            remembered?.forget(writing.ids)
            (hasFailed, pause, hasSettled) = (false, took * limits.rest, true)
        case .failure(let error):
            states.settle(kept: false)
            since += writing.records
            if writing.isGivenUp.load(ordering: .acquiring) { return }
            (hasFailed, pause) = (true, limits.retry)
            if let error = error as? LogError, error.kind == .fenced { fenced = error }
            logger.warning(
                "a checkpoint of \(rows.kept.name) was not written; until one is, a start folds from the one before: \(error)",
                metadata: ["partition": "\(partition)"])
        }
    }
}

extension PartitionCheckpoint.Writing {
    /// Whether it is over by a moment; waits no longer than that.
    fileprivate func ends(by deadline: ContinuousClock.Instant) async -> Bool {
        await end.first(within: max(deadline - .now, .zero)) {
            isOver.load(ordering: .acquiring) ? true : nil
        } ?? isOver.load(ordering: .acquiring)
    }
}
