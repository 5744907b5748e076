internal import EventLog
internal import EventModel
internal import Logging
internal import Quarantining

/// How a handler comes to know a partition: from its checkpoint and what the log has beyond it.
extension HandlerWork {
    mutating func take(_ partition: Partition, _ book: QuarantineState?) async throws -> PartitionState {
        let began = ContinuousClock.now
        var known = PartitionState(aggregates: decider.aggregates())
        let events = TopicPartition(domain.eventsTopic, partition)
        let outcomes = TopicPartition(domain.outcomesTopic, partition)
        let bounds = try await log.bounds(of: [events, outcomes])
        lot.begin([events, commands(partition)], book)
        if let checkpoints {
            let rows = CheckpointRows(
                Handler.group(of: domain), version: decider.stateVersion,
                topics: [domain.eventsTopic, domain.outcomesTopic], remembersIDs: true)
            known.keeper = try await PartitionCheckpoint.claim(
                checkpoints, rows, [events, outcomes], states: known.aggregates.states, remembered: known.remembered,
                log: log, ends: bounds.mapValues(\.upperBound), limits: checkpointing, logger: logger)
        }
        var folded = 0
        if let book, let keeper = known.keeper {
            folded += try await foldReleased(events, book, keeper, into: known)
            keeper.heed(to: book.next)
        }
        if let range = bounds[events] { folded += try await fold(events, range, into: known) }
        if let range = bounds[outcomes] { folded += try await recall(outcomes, range, into: known) }
        logger.info(
            "partition taken",
            metadata: [
                "partition": "\(events)", "aggregates": "\(known.aggregates.count)", "folded": "\(folded)",
                "took": "\((ContinuousClock.now - began).milliseconds) ms",
            ])
        return known
    }

    /// Folds what had waited when the checkpoint was written, and waits no more.
    private func foldReleased(
        _ source: TopicPartition, _ book: QuarantineState, _ keeper: PartitionCheckpoint, into known: PartitionState
    ) async throws -> Int {
        let offsets = book.released(of: lot.worker, in: source, since: keeper.heeded, before: keeper.start(of: source))
        try await log.records(at: offsets, in: source) { record in
            _ = try await keeper.load([record.key])
            do {
                try known.aggregates.evolve(key: record.key, event: record.value, at: record.timestamp)
            } catch {
                throw LogError(.damaged, "\(source)@\(record.offset) was folded, and cannot be any more: \(error)")
            }
        }
        return offsets.count
    }

    private mutating func fold(_ source: TopicPartition, _ range: Range<Offset>, into known: PartitionState)
        async throws -> Int
    {
        let start = known.keeper?.start(of: source) ?? 0
        if start < range.lowerBound {
            throw LogError(
                .damaged,
                """
                \(source) begins at \(range.lowerBound), but only the events before \(start) are known: those between are \
                gone, and decisions without them would be wrong. Restore them, or the checkpoint of \(Handler.group(of: domain)) \
                that had folded them
                """)
        }
        var folded = 0
        try await log.scan(source, from: start, to: range.upperBound) { batch in
            _ = try await known.keeper?.load(batch.records.map(\.key))
            var entries: [QuarantineEntry] = []
            for record in batch.records {
                if lot.leavesOut(record.offset, in: source) { continue }
                if lot.holds(record, of: source) {
                    entries.append(try lot.park(record, in: source, nil))
                    continue
                }
                do throws(Undecodable) {
                    try known.aggregates.evolve(key: record.key, event: record.value, at: record.timestamp)
                } catch {
                    if quarantine == nil {
                        throw LogError(.damaged, "\(source)@\(record.offset) cannot be folded: \(error)")
                    }
                    entries.append(try lot.park(record, in: source, error.description))
                }
            }
            // Said before a checkpoint goes on without them.
            try await quarantine?.append(entries)
            folded += batch.records.count
            await note(batch, known)
        }
        return folded
    }

    /// Remembers which commands were answered. The first answer counts; the others repeat it, or refuse another command of
    /// the same key and id.
    private func recall(_ source: TopicPartition, _ range: Range<Offset>, into known: PartitionState) async throws
        -> Int
    {
        let start = max(known.keeper?.start(of: source) ?? 0, range.lowerBound)
        var folded = 0
        try await log.scan(source, from: start, to: range.upperBound) { batch in
            let outcomes = batch.records.compactMap { record in
                (try? Outcome(record.value)).map { (record: record, outcome: $0) }
            }
            let ids = outcomes.map { KeyedID($0.record.key, $0.outcome.id) }
            let kept = try await recalled(known.keeper?.load([], ids: ids), source.partition)
            let cutoff = cutoff
            for (id, (record, outcome)) in zip(ids, outcomes) {
                if let entry = kept[id], cutoff.map({ entry.time >= $0 }) ?? true { continue }
                let entry = Remembered.Entry(
                    digest: outcome.digest, outcome: record.offset, time: record.timestamp)
                if known.remembered[id] == nil { known.remembered.add(id, entry) }
            }
            folded += batch.records.count
            await note(batch, known)
        }
        return folded
    }

    /// What a checkpoint remembers of some commands. Where it has an id by itself, the key of the outcome on the log tells
    /// whether it is that of the command.
    func recalled(
        _ found: PartitionCheckpoint.Found?, _ partition: Partition
    ) async throws -> [KeyedID: Remembered.Entry] {
        guard var found else { return [:] }
        let source = TopicPartition(domain.outcomesTopic, partition)
        for (id, entry) in found.unsure where found.entries[id] == nil {
            if try await log.record(at: entry.outcome, in: source)?.key == id.key { found.entries[id] = entry }
        }
        return found.entries
    }

    private func note(_ batch: Batch, _ known: PartitionState) async {
        guard let keeper = known.keeper else { return }
        keeper.advance(
            batch.source, to: batch.next, last: batch.records.last.map { LogFingerprint($0) },
            records: batch.records.count)
        await keeper.turn(cutoff: cutoff)
    }
}
