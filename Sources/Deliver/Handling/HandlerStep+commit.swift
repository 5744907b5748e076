internal import EventLog
internal import EventModel

/// What a handler does once its decisions are committed, and as time passes.
extension HandlerStep {
    /// How often it looks at the clock, which may be set while it waits for a timer.
    private static let glance = Duration.seconds(1)

    func committed(
        _ output: Decisions, written: ArraySlice<[Offset]>, replied: ArraySlice<[Offset]>,
        _ partitions: [Partition: RestoredPartition<State>]
    ) {
        counting?.add(output.tally)
        for (decisions, (events, outcomes)) in zip(output.all, zip(written, replied)) {
            guard let partition = partitions[decisions.events.partition] else { continue }
            remember(decisions.commands, outcomes, partition)
            if let checkpoint = partition.checkpoint { advance(checkpoint, decisions, events, outcomes) }
        }
    }

    private func remember(
        _ commands: [DecidedCommand], _ outcomes: [Offset], _ partition: RestoredPartition<State>
    ) {
        let ids = partition.state.ids
        for (command, offset) in zip(commands, outcomes) where !command.isRepeated {
            let entry = Remembered.Entry(digest: command.outcome.digest, outcome: offset, time: command.time)
            ids.add(KeyedID(command.key, command.outcome.id), entry)
        }
        // A checkpoint forgets by itself.
        if partition.checkpoint == nil, let cutoff { ids.forget(before: cutoff) }
    }

    /// Tells the checkpoint what has been committed.
    private func advance(
        _ checkpoint: PartitionCheckpoint, _ decisions: Decisions.OfPartition, _ written: [Offset],
        _ outcomes: [Offset]
    ) {
        if let last = written.last, let event = decisions.made.last {
            checkpoint.advance(
                decisions.events, to: last + 1, last: LogFingerprint(last: last, key: event.key, value: event.value),
                records: written.count)
        }
        if let last = outcomes.last, let command = decisions.commands.last {
            let record = command.record(events: decisions.events, written)
            checkpoint.advance(
                decisions.outcomes, to: last + 1,
                last: LogFingerprint(last: last, key: record.key, value: record.value), records: outcomes.count)
        }
    }

    func due(in state: State) -> Timestamp? { state.aggregates.nextDue }

    /// Writes the commands of timers that are due.
    func tick(_ partitions: [Partition: RestoredPartition<State>]) async throws -> Duration {
        let now = clock()
        var appends: [Append] = []
        for (number, partition) in partitions {
            try await partition.checkpoint?.readTimers(by: now)
            let aggregates = partition.state.aggregates
            // What an earlier version let into a wrong partition has no timers: they would be refused there.
            let home = home(number)
            let keys = aggregates.pop(by: now).filter { home.other(for: $0) == nil }
            if keys.isEmpty { continue }
            _ = try await partition.checkpoint?.load(keys)
            let records = aggregates.due(keys, by: now).map { $0.record(now: now) }
            if !records.isEmpty { appends.append(Append(home.place, records)) }
        }
        if !appends.isEmpty { _ = try await log.append(appends) }
        let due = partitions.values.compactMap(\.state.aggregates.nextDue).min()
        let reading = partitions.values.compactMap { $0.checkpoint?.nextReading }.min()
        let left = [due, reading].compactMap(\.self).map { $0.milliseconds(since: clock()) }.min()
        let glance = due == nil ? GroupLoop.heed : Self.glance
        return left.map { min(.milliseconds(max(0, $0)), glance) } ?? glance
    }
}
