internal import EventLog
internal import EventModel
internal import Quarantining

extension HandlerWork {
    /// Does what has been asked for records that wait.
    mutating func release(as member: any GroupMember) async throws {
        let owned = Set(known.keys.flatMap { [events($0), commands($0)] })
        while let request = try await requests.next(of: owned, from: quarantine) {
            try await release(request, as: member)
        }
    }

    /// Drops, folds and decides the waiting events and commands of one key, in this order, until one cannot be folded.
    ///
    /// What comes of it, and that they wait no more, is one transaction.
    private mutating func release(_ request: ReleaseRequest, as member: any GroupMember) async throws {
        let partition = request.source.partition
        let (events, commands) = (events(partition), commands(partition))
        guard let known = known[partition], let position = pace.next[commands] else { return }
        isCommitted = false
        var end = ReleaseEnd(id: request.id)
        var entries: [QuarantineEntry] = []
        let all = [events, commands].flatMap { source in lot[source].parked(for: request).map { (source, $0) } }
        for (source, parked) in all.prefix(request.drop) {
            entries.append(lot.release(parked.offset, in: source, dropped: true))
            end.dropped += 1
        }
        let rest = all.dropFirst(request.drop)
        var waiting = rest.filter { $0.0 == events }.map(\.1)[...]
        try await log.records(at: Set(waiting.map(\.offset)), in: events) { record in
            guard end.reason.isEmpty, waiting.first?.offset == record.offset else { return }
            _ = try await known.keeper?.load([record.key])
            do throws(Undecodable) {
                try known.aggregates.evolve(key: record.key, event: record.value, at: record.timestamp)
            } catch {
                entries.append(try lot.park(waiting[waiting.startIndex].failed(error.description), in: events))
                end.reason = error.description
                return
            }
            entries.append(lot.release(record.offset, in: events, dropped: false))
            waiting.removeFirst()
            end.released += 1
        }
        if let first = waiting.first, end.reason.isEmpty { end.reason = first.gone(from: events) }
        var batch = Batch(source: commands, records: [], next: position)
        if waiting.isEmpty {
            waiting = rest.filter { $0.0 == commands }.map(\.1)[...]
            let home = home(partition)
            try await log.records(at: Set(waiting.map(\.offset)), in: commands) { record in
                guard end.reason.isEmpty, waiting.first?.offset == record.offset else { return }
                if let why = unanswerable(record, in: home) {
                    entries.append(try lot.park(waiting[waiting.startIndex].failed(why), in: commands))
                    end.reason = why
                    return
                }
                batch.records.append(record)
                entries.append(lot.release(record.offset, in: commands, dropped: false))
                waiting.removeFirst()
                end.released += 1
            }
        }
        if let first = waiting.first, end.reason.isEmpty { end.reason = first.gone(from: commands) }
        end.left = rest.count - end.released
        entries.append(.ended(end))
        try await commit([batch], [:], entries, as: member)
    }
}
