internal import EventLog
internal import EventModel
internal import Quarantining

extension QuarantiningProjector {
    /// What was done of a request, for the quarantine's topic.
    struct Released {
        var end: ReleaseEnd
        var entries: [QuarantineEntry] = []
    }

    /// Drops and folds a key's waiting events, in order, until one cannot be folded.
    ///
    /// - Parameters:
    ///   - next: Where the partition goes on; it stays there.
    ///   - epoch: Under which the partition was claimed.
    mutating func release(
        _ request: ReleaseRequest, from log: any EventLog, at next: Offset, under epoch: Epoch
    ) async throws -> Released {
        let source = request.source
        guard let quarantine = quarantines[source], let table = projection.quarantine else {
            return Released(end: ReleaseEnd(id: request.id))
        }
        let waiting = quarantine.parked(for: request)
        var result = Released(end: ReleaseEnd(id: request.id))
        let given = waiting.prefix(request.drop)
        if !given.isEmpty {
            try await views.commit(projection, to: [source: next], under: [source: epoch]) { view in
                for parked in given { view.put(table, parked.row(in: source, dropped: true)) }
            }
            for parked in given { note(parked, of: source, dropped: true, &result) }
        }
        let rest = Dictionary(uniqueKeysWithValues: waiting.dropFirst(request.drop).map { ($0.offset, $0) })
        var tried: Set<Offset> = []
        try await log.records(at: Set(rest.keys), in: source) { record in
            guard result.end.reason.isEmpty, let parked = rest[record.offset] else { return }
            // One that is gone from the log must not be passed over: those behind it would be out of order.
            if rest.keys.contains(where: { $0 < record.offset && !tried.contains($0) }) { return }
            tried.insert(record.offset)
            try await fold(record, parked, of: source, at: next, under: epoch, &result)
        }
        result.end.left = rest.count - result.end.released
        if result.end.reason.isEmpty,
            let gone = waiting.dropFirst(request.drop).first(where: { !tried.contains($0.offset) })
        {
            result.end.reason = gone.gone(from: source)
        }
        return result
    }

    private mutating func fold(
        _ record: Record, _ parked: Quarantine.Parked, of source: TopicPartition, at next: Offset, under epoch: Epoch,
        _ result: inout Released
    ) async throws {
        let (projection, table) = (projection, projection.quarantine)
        let why: String
        do {
            try await views.commit(projection, to: [source: next], under: [source: epoch]) { view in
                try projection.fold([(source, [record])], into: view)
                if let table { view.delete(table, Quarantine.Parked.key(record.offset, in: source)) }
            }
            note(parked, of: source, dropped: false, &result)
            return
        } catch let error as Unfoldable {
            why = error.why
        } catch let error as ViewError where error.kind == .unstorable {
            why = error.message
        }
        let failed = parked.failed(why)
        try await views.commit(projection, to: [source: next], under: [source: epoch]) { view in
            if let table { view.put(table, failed.row(in: source)) }
        }
        quarantines[source]?.park(failed)
        result.entries.append(.parked(worker: projection.name, source, failed))
        result.end.reason = failed.reason
    }

    private mutating func note(
        _ parked: Quarantine.Parked, of source: TopicPartition, dropped: Bool, _ result: inout Released
    ) {
        quarantines[source]?.release(parked.offset, dropping: dropped)
        result.entries.append(.released(worker: projection.name, source, parked.offset, dropped: dropped))
        if dropped { result.end.dropped += 1 } else { result.end.released += 1 }
    }

    /// What the quarantine's topic must be told to say what the view does, for partitions just taken.
    func differences(from book: QuarantineState, _ sources: [TopicPartition]) -> [QuarantineEntry] {
        let worker = projection.name
        let said = book.workers[worker] ?? [:]
        return sources.sorted().flatMap { source in
            let (own, other) = (quarantines[source] ?? Quarantine(), said[source] ?? Quarantine())
            let parked = own.parked.filter { other[$0.offset] != $0 }
            let released = other.parked.filter { own[$0.offset] == nil }
            return parked.map { QuarantineEntry.parked(worker: worker, source, $0) }
                + released.map {
                    .released(worker: worker, source, $0.offset, dropped: own.dropped.contains($0.offset))
                }
        }
    }
}
