internal import CoreMetrics
internal import EventLog
internal import EventModel
internal import Metering
internal import Synchronization

/// Folds batches into one build of a projection, and leaves out the events of keys that cannot be folded.
///
/// What is left out stands in a table of the same store and is written with the rows and the offsets, so that a view always
/// says what is not in it.
struct QuarantiningProjector: Sendable {
    typealias Parked = (source: TopicPartition, record: Quarantine.Parked)

    let projection: AnyProjection
    let views: any ViewStore
    var quarantines: [TopicPartition: Quarantine] = [:]
    /// What it counts; nil counts nothing.
    private let metrics: WorkerMetrics?

    init(_ projection: AnyProjection, _ views: any ViewStore, _ metrics: WorkerMetrics? = nil) {
        (self.projection, self.views, self.metrics) = (projection, views, metrics)
    }

    /// Reads what waits of some partitions, once they have been claimed.
    mutating func begin(_ sources: [TopicPartition]) async throws {
        quarantines.merge(try await views.quarantines(of: projection, sources)) { $1 }
    }

    /// Leaves out what another build does.
    mutating func leaveOut(_ others: [TopicPartition: Quarantine]) { quarantines = others }

    /// Leaves out for good what has been dropped elsewhere, before any of it is folded.
    mutating func drop(
        _ others: [TopicPartition: Quarantine], at next: [TopicPartition: Offset],
        under epochs: [TopicPartition: Epoch]
    ) async throws {
        let table = projection.quarantine
        let rows = others.flatMap { source, quarantine in
            quarantine.dropped.map { Quarantine.Parked.dropped($0, in: source) }
        }
        if rows.isEmpty { return }
        try await views.commit(projection, to: next, under: epochs) { view in
            for row in rows { view.put(table, row) }
        }
        for (source, quarantine) in others {
            for offset in quarantine.dropped {
                quarantines[source, default: Quarantine()].unpark(offset, dropping: true)
            }
        }
    }

    mutating func stop(_ sources: [TopicPartition]) { for source in sources { quarantines[source] = nil } }

    /// Folds and commits.
    ///
    /// - Parameter failing: Records that are not to be tried, and why.
    /// - Returns: what was parked, in order.
    mutating func commit(
        _ batches: [Batch], under epochs: [TopicPartition: Epoch], failing: [TopicPartition: [Offset: String]] = [:]
    ) async throws -> [Parked] {
        do {
            return try await attempt(batches, epochs, failing)
        } catch let error as Unfoldable {
            // Of very many, those that fold are not to be held for each of those that do not.
            let isMany = batches.reduce(0) { $0 + $1.records.count } > Projector.batch
            guard !isMany, let place = error.place else { return try await halves(batches, epochs, failing, error.why) }
            // What stands before it is folded as if the batches ended there; then it is parked, and the rest goes on.
            let source = TopicPartition(place.topic, place.partition)
            let (before, from) = batches.split(at: place.offset, in: source)
            var parked: [Parked] = []
            if !before.isEmpty { parked += try await commit(before, under: epochs, failing: failing) }
            var failing = failing
            failing[source, default: [:]][place.offset] = error.why
            return try await parked + commit(from, under: epochs, failing: failing)
        } catch let error as ViewError where error.kind == .unstorable {
            return try await halves(batches, epochs, failing, error.message)
        }
    }

    /// Finds the record at which a fold fails that does not name it.
    private mutating func halves(
        _ batches: [Batch], _ epochs: [TopicPartition: Epoch], _ failing: [TopicPartition: [Offset: String]],
        _ why: String
    ) async throws -> [Parked] {
        let count = batches.reduce(0) { $0 + $1.records.count }
        var failing = failing
        if count > 1 {
            let (first, second) = batches.halves
            let parked = try await commit(first, under: epochs, failing: failing)
            return try await parked + commit(second, under: epochs, failing: failing)
        }
        guard let batch = batches.first(where: { !$0.records.isEmpty }), let record = batch.records.first,
            failing[batch.source]?[record.offset] == nil
        else { throw ViewError(.failed, "\(projection.name): \(why)") }
        failing[batch.source, default: [:]][record.offset] = why
        return try await attempt(batches, epochs, failing)
    }

    private mutating func attempt(
        _ batches: [Batch], _ epochs: [TopicPartition: Epoch], _ failing: [TopicPartition: [Offset: String]]
    ) async throws -> [Parked] {
        let offsets = Dictionary(batches.map { ($0.source, $0.next) }) { max($0, $1) }
        let held = epochs.filter { offsets[$0.key] != nil }
        let (projection, before) = (projection, quarantines)
        let done = Done()
        try await views.commit(projection, to: offsets, under: held) { view in
            var parking = QuarantineFold(before, failing: failing)
            try projection.fold(batches.map { ($0.source, $0.records) }, into: view, parking: &parking)
            for (source, record) in parking.parked {
                if parking.quarantines[source]?.count ?? 0 > Quarantine.limit {
                    throw ViewError.crowded(projection, source)
                }
                view.put(projection.quarantine, record.row(in: source))
            }
            done.parking.withLock { $0 = (parking, .now) }
        }
        guard let (parking, folded) = done.parking.withLock({ $0 }) else { return [] }
        if let metrics {
            metrics.commit.record(since: folded)
            metrics.records.increment(by: batches.reduce(0) { $0 + $1.records.count })
            if !parking.parked.isEmpty { metrics.parked.increment(by: parking.parked.count) }
        }
        for (source, _) in parking.parked { quarantines[source] = parking.quarantines[source] }
        return parking.parked
    }

    /// What the last call of a commit's fold came to, and when it ended: a store may call it twice.
    private final class Done: Sendable {
        let parking = Mutex<(QuarantineFold, ContinuousClock.Instant)?>(nil)
    }
}
