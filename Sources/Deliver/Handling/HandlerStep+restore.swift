internal import EventLog
internal import EventModel

/// How a handler comes to know the states of its keys, and which commands were answered.
extension HandlerStep {
    func checkBeginning(of source: TopicPartition, at first: Offset, goingOnAt start: Offset?) throws {
        let start = start ?? 0
        if source.topic != domain.eventsTopic || start >= first { return }
        throw LogError(
            .damaged,
            """
            \(source) begins at \(first), but only the events before \(start) are known: those between are \
            gone, and decisions without them would be wrong. Restore them, or the checkpoint of \(worker) \
            that had folded them
            """)
    }

    func fold(_ record: Record, from source: TopicPartition, into state: State) throws {
        try state.aggregates.evolve(key: record.key, event: record.value, at: record.timestamp)
    }

    /// Remembers which commands were answered. The first answer counts; the others repeat it, or refuse another command of
    /// the same key and id.
    func recall(_ batch: Batch, into partition: RestoredPartition<State>) async throws -> Bool {
        if batch.source.topic != domain.outcomesTopic { return false }
        let outcomes = batch.records.compactMap { record in
            (try? Outcome(record.value)).map { (record: record, outcome: $0) }
        }
        let ids = outcomes.map { KeyedID($0.record.key, $0.outcome.id) }
        let kept = try await recalled(partition.checkpoint?.load([], ids: ids), batch.source.partition)
        let (cutoff, remembered) = (cutoff, partition.state.ids)
        for (id, (record, outcome)) in zip(ids, outcomes) {
            if let entry = kept[id], cutoff.map({ entry.time >= $0 }) ?? true { continue }
            if remembered[id] != nil { continue }
            remembered.add(
                id, Remembered.Entry(digest: outcome.digest, outcome: record.offset, time: record.timestamp))
        }
        return true
    }

    /// What a checkpoint remembers of some commands. Where it has an id by itself, the key of the outcome on the log tells
    /// whether it is that of the command.
    func recalled(
        _ found: PartitionCheckpoint.Found?, _ number: Partition
    ) async throws -> [KeyedID: Remembered.Entry] {
        guard var found else { return [:] }
        let source = outcomes(number)
        for (id, entry) in found.unsure where found.entries[id] == nil {
            if try await log.record(at: entry.outcome, in: source)?.key == id.key { found.entries[id] = entry }
        }
        return found.entries
    }

    /// Everything of a handler's partition is folded from what it has written itself.
    func foresee(
        _ source: TopicPartition, from next: Offset?, in bounds: Range<Offset>, into partition: RestoredPartition<State>
    ) async throws {}

    func restored(_ source: TopicPartition, to end: Offset, _ state: State) -> [String: String]? {
        // The outcomes are the last.
        if source.topic != domain.outcomesTopic { return nil }
        return ["partition": "\(events(source.partition))", "aggregates": "\(state.aggregates.count)"]
    }
}
