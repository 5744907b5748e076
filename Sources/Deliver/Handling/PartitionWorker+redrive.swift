internal import EventLog
internal import EventModel
internal import Quarantining

extension PartitionWorker {
    /// Drops and handles the waiting records of one key. What comes of it, and that they wait no more, is committed together.
    mutating func redrive(_ request: RedriveRequest, as member: any GroupMember) async throws {
        let line = step.line(of: request.source)
        guard let input = line.last, let position = backoff.next[input] else { return }
        isCommitted = false
        var pending = Pending<Step.Output>()
        var redrive = Redrive(request, line.map { ($0, parked[$0]) })
        for (source, waiting) in redrive.dropped {
            pending.entries.append(parked.unpark(waiting.offset, in: source, dropped: true))
        }
        try await redrive.run(on: log) { record, waiting, source in
            if let why = try await handleAgain(record, from: source, &pending.output) {
                pending.entries.append(try parked.park(waiting.failed(why), in: source))
                return why
            }
            pending.entries.append(parked.unpark(record.offset, in: source, dropped: false))
            if pending.output.isLarge {
                pending.consumed[input] = position
                try await commit(&pending, as: member)
            }
            return nil
        }
        pending.entries.append(.ended(redrive.result))
        pending.consumed[input] = position
        try await commit(&pending, as: member)
        isCommitted = true
    }

    /// - Returns: Why it still cannot be handled, nil where it was.
    private mutating func handleAgain(
        _ record: Record, from source: TopicPartition, _ output: inout Step.Output
    ) async throws -> String? {
        if step.topics.contains(source.topic) {
            let hand = try await lookUp([record], in: source)
            if step.repeats(record, 0, in: hand, into: &output) { return nil }
            return try step.handle(record, 0, in: hand, into: &output)
        }
        let partition = try restored(source)
        _ = try await partition.checkpoint?.load([record.key])
        do {
            try step.fold(record, from: source, into: partition.state)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
