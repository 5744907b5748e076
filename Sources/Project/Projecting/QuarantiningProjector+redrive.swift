internal import EventLog
internal import EventModel
internal import Quarantining

extension QuarantiningProjector {
    /// Drops and folds a key's waiting events, in order, until one cannot be folded. Each is a commit of its own.
    ///
    /// - Parameters:
    ///   - next: Where the partition goes on; it stays there.
    ///   - epoch: Under which the partition was claimed.
    /// - Returns: What the quarantine's topic is to be told.
    mutating func redrive(
        _ request: RedriveRequest, from log: any EventLog, at next: Offset, under epoch: Epoch
    ) async throws -> [QuarantineEntry] {
        let source = request.source
        guard let quarantine = quarantines[source] else {
            return [.ended(RedriveResult(id: request.id))]
        }
        let place = Place(source: source, next: next, epoch: epoch)
        var redrive = Redrive(request, [(source, quarantine)])
        var entries = try await drop(redrive.dropped.map(\.record), at: place)
        try await redrive.run(on: log) { record, waiting, _ in
            guard let failed = try await fold(record, waiting, at: place) else {
                entries.append(unpark(waiting, in: source, dropped: false))
                return nil
            }
            entries.append(.parked(worker: projection.name, source, failed))
            return failed.reason
        }
        return entries + [.ended(redrive.result)]
    }

    /// A partition that was claimed, and where it goes on.
    private struct Place {
        let source: TopicPartition
        let next: Offset
        let epoch: Epoch
    }

    private mutating func drop(_ given: [Quarantine.Parked], at place: Place) async throws -> [QuarantineEntry] {
        if given.isEmpty { return [] }
        let (table, source) = (projection.quarantine, place.source)
        try await commit(at: place) { view in
            for parked in given { view.put(table, parked.row(in: source, dropped: true)) }
        }
        return given.map { unpark($0, in: source, dropped: true) }
    }

    /// Folds an event that waits.
    ///
    /// - Returns: How it waits from now on, where it cannot be folded.
    private mutating func fold(
        _ record: Record, _ parked: Quarantine.Parked, at place: Place
    ) async throws -> Quarantine.Parked? {
        let (projection, table, source) = (projection, projection.quarantine, place.source)
        let why: String
        do {
            try await commit(at: place) { view in
                try projection.fold([(source, [record])], into: view)
                view.delete(table, Quarantine.Parked.key(record.offset, in: source))
            }
            return nil
        } catch let error as Unfoldable {
            why = error.why
        } catch let error as ViewError where error.kind == .unstorable {
            why = error.message
        }
        let failed = parked.failed(why)
        try await commit(at: place) { view in
            view.put(table, failed.row(in: source))
        }
        quarantines[source]?.park(failed)
        return failed
    }

    private func commit(at place: Place, _ fold: @escaping @Sendable (ViewBatch) throws -> Void) async throws {
        try await views.commit(
            projection, to: [place.source: place.next], under: [place.source: place.epoch], fold: fold)
    }

    private mutating func unpark(
        _ parked: Quarantine.Parked, in source: TopicPartition, dropped: Bool
    ) -> QuarantineEntry {
        quarantines[source]?.unpark(parked.offset, dropping: dropped)
        return .unparked(worker: projection.name, source, parked.offset, dropped: dropped)
    }

    /// What the quarantine's topic must be told to say what the view does, for partitions just taken.
    func differences(from state: QuarantineState, _ sources: [TopicPartition]) -> [QuarantineEntry] {
        let worker = projection.name
        let said = state.workers[worker] ?? [:]
        return sources.sorted().flatMap { source in
            let (own, other) = (quarantines[source] ?? Quarantine(), said[source] ?? Quarantine())
            let parked = own.parked.filter { other[$0.offset] != $0 }
            let unparked = other.parked.filter { own[$0.offset] == nil }
            return parked.map { QuarantineEntry.parked(worker: worker, source, $0) }
                + unparked.map {
                    .unparked(worker: worker, source, $0.offset, dropped: own.dropped.contains($0.offset))
                }
        }
    }
}
