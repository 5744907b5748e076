internal import EventLog
internal import EventModel
internal import Logging
internal import Synchronization

/// What goes to a checkpoint, and when.
extension PartitionCheckpoint {
    /// A checkpoint that is being written. Its task writes only the copies it was given.
    final class Writing: Sendable {
        let isOver = Atomic(false)
        let task: Mutex<Task<Result<Duration, any Error>, Never>?> = Mutex(nil)
        let ids: Int
        let records: Int
        init(ids: Int, records: Int) { (self.ids, self.records) = (ids, records) }
    }

    /// Begins a checkpoint where one is due, takes note of one that is over, and lets go of states above the limit.
    ///
    /// - Parameter cutoff: Ids from before that are past their retention.
    func saveIfDue(cutoff: Timestamp?) async {
        await settle(waiting: false)
        let passed = ContinuousClock.now - began
        let isFull = states.count > limits.held
        if passed >= pause || (isFull && !hasFailed), passed >= limits.pause || since >= limits.records {
            beginSaving(cutoff: cutoff)
        }
        if !isFull { return }
        // More than twice as many are waited for, unless they cannot be kept at all.
        await settle(waiting: states.count > 2 * limits.held && !hasFailed)
        // All are looked through, which is of use once more can be let go.
        if hasSettled || states.count > left + limits.held / 10 {
            states.evict(above: limits.held, horizon: horizon)
            (hasSettled, left) = (false, states.count)
        }
    }

    /// Writes all that has changed and waits for it.
    func save(cutoff: Timestamp?) async {
        await settle(waiting: true)
        beginSaving(cutoff: cutoff)
        await settle(waiting: true)
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
                defer { writing.isOver.store(true, ordering: .releasing) }
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
            (hasFailed, pause) = (true, limits.retry)
            if let error = error as? LogError, error.kind == .fenced { fenced = error }
            logger.warning(
                "a checkpoint of \(rows.kept.name) was not written; until one is, a start folds from the one before: \(error)",
                metadata: ["partition": "\(partition)"])
        }
    }
}
