internal import EventLog
internal import EventModel
internal import Logging
internal import Quarantining

/// How a worker restores a partition: from its checkpoint and what the log has beyond it.
extension PartitionWorker {
    /// - Parameters:
    ///   - sources: The partitions that the state is folded from.
    ///   - committed: Where the group goes on with those that it handles.
    ///   - said: What the quarantine's topic says.
    mutating func restore(
        _ sources: [TopicPartition], _ committed: [TopicPartition: Offset], _ said: QuarantineState?
    ) async throws -> Restored {
        let began = ContinuousClock.now
        let state = step.blank()
        let bounds = sources.isEmpty ? [:] : try await log.bounds(of: sources)
        // What is handled is folded as far as it was handled, what the worker itself wrote to its end.
        let ends = sources.reduce(into: [:]) { ends, source in
            ends[source] = step.topics.contains(source.topic) ? committed[source] : bounds[source]?.upperBound
        }
        let partition = Restored(state: state, checkpoint: try await claim(sources, bounds, ends, state))
        var folded = 0
        if let said, let checkpoint = partition.checkpoint {
            for source in sources { folded += try await foldRedriven(source, said, checkpoint, into: state) }
            checkpoint.noteRedriven(to: said.next)
        }
        for source in sources {
            guard let end = ends[source], let bounds = bounds[source] else { continue }
            folded += try await fold(source, from: bounds.lowerBound, to: end, into: partition)
            guard let told = step.restored(source, to: end, state) else { continue }
            var metadata = told.mapValues { Logger.Metadata.Value.string($0) }
            metadata["folded"] = "\(folded)"
            metadata["took"] = "\((ContinuousClock.now - began).milliseconds) ms"
            logger.info("partition taken", metadata: metadata)
        }
        for source in sources {
            guard let bounds = bounds[source] else { continue }
            try await step.foresee(source, from: committed[source], in: bounds, into: partition)
        }
        return partition
    }

    private func claim(
        _ sources: [TopicPartition], _ bounds: [TopicPartition: Range<Offset>], _ ends: [TopicPartition: Offset],
        _ state: Step.State
    ) async throws -> PartitionCheckpoint? {
        guard let checkpoints, !sources.isEmpty, let states = state.states else { return nil }
        if let claimed = try await PartitionCheckpoint.claim(
            checkpoints, step.rows, sources, states: states, remembered: state.remembered, log: log, ends: ends,
            limits: checkpointing, logger: logger)
        {
            return claimed
        }
        // A start without it needs all that it had folded.
        for (source, kept) in bounds {
            do {
                try step.checkBeginning(of: source, at: kept.lowerBound, goingOnAt: nil)
            } catch {
                throw LogError(
                    .busy,
                    "the checkpoint of \(step.rows.kept.name) is held by another process, and the log has not all that it knows: \(error)"
                )
            }
        }
        return nil
    }

    /// Folds what had waited when the checkpoint was written, and waits no more.
    private func foldRedriven(
        _ source: TopicPartition, _ said: QuarantineState, _ checkpoint: PartitionCheckpoint, into state: Step.State
    ) async throws -> Int {
        let offsets = said.redriven(
            of: step.worker, in: source, since: checkpoint.redrivenTo, before: checkpoint.start(of: source))
        try await log.records(at: offsets, in: source) { record in
            _ = try await checkpoint.load([record.key])
            do {
                try step.fold(record, from: source, into: state)
            } catch {
                let what = isHandled(source) ? "cannot be folded" : "was folded, and cannot be any more"
                throw LogError(.damaged, "\(source)@\(record.offset) \(what): \(error)")
            }
        }
        return offsets.count
    }

    private func isHandled(_ source: TopicPartition) -> Bool { step.topics.contains(source.topic) }

    private mutating func fold(
        _ source: TopicPartition, from first: Offset, to end: Offset, into partition: Restored
    ) async throws -> Int {
        let start = partition.checkpoint?.start(of: source)
        try step.checkBeginning(of: source, at: first, goingOnAt: start)
        var folded = 0
        try await log.scan(source, from: max(start ?? first, first), to: end) { batch in
            if try await !step.recall(batch, into: partition) { try await fold(batch, into: partition) }
            folded += batch.records.count
            guard let checkpoint = partition.checkpoint else { return }
            checkpoint.advance(past: batch)
            await checkpoint.saveIfDue(cutoff: step.cutoff, mayBegin: true)
        }
        return folded
    }

    private mutating func fold(_ batch: Batch, into partition: Restored) async throws {
        let source = batch.source
        // What was handled cannot be parked: something followed from it.
        let canPark = quarantine != nil && !isHandled(source)
        _ = try await partition.checkpoint?.load(batch.records.map(\.key))
        var entries: [QuarantineEntry] = []
        for record in batch.records {
            if parked.leavesOut(record.offset, in: source) { continue }
            if canPark, parked.mustWait(record, in: source) {
                entries.append(try parked.park(record, in: source, nil))
                continue
            }
            do {
                try step.fold(record, from: source, into: partition.state)
            } catch {
                if !canPark { throw LogError(.damaged, "\(source)@\(record.offset) cannot be folded: \(error)") }
                entries.append(try parked.park(record, in: source, "\(error)"))
            }
        }
        // Said before a checkpoint goes on without them.
        try await quarantine?.append(entries)
    }
}
