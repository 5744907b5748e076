public import EventLog
public import EventModel
internal import Foundation
internal import Projecting
internal import SQLiteViews

/// A view as it was, folded from the newest snapshot that is not later, or from the log's start.
public struct Past: Sendable {
    /// How a view of the past came to be.
    public struct Origin: Sendable {
        /// What it was folded from; nil for the log's start.
        public var snapshot: Snapshot?
        /// Events folded after that.
        public var folded = 0
        /// Events that should have been folded and are no longer on the log.
        public var gaps: [TopicPartition: Range<Offset>] = [:]
    }

    private let projection: AnyProjection
    private let log: any EventLog
    private let snapshots: SnapshotFolder?
    private let waiting: [TopicPartition: Quarantine]

    /// - Parameters:
    ///   - projection: As the build whose snapshots count.
    ///   - snapshots: Nil folds from the log's start.
    ///   - waiting: The events that the view leaves out now. They are left out of its past too, and a snapshot from when
    ///     others waited is not used.
    public init(
        of projection: AnyProjection, on log: any EventLog, snapshots: SnapshotFolder?,
        leavingOut waiting: [TopicPartition: Quarantine] = [:]
    ) {
        (self.projection, self.log, self.snapshots, self.waiting) = (projection, log, snapshots, waiting)
    }

    /// Folds the view up to an end of each partition, and reads it.
    ///
    /// - Parameters:
    ///   - ranges: What the log has of each partition up to where it counts.
    ///   - moment: The moment it is about.
    ///   - scratch: An empty folder, for the fold.
    ///   - complain: Told of snapshots that cannot be used.
    ///   - progress: Told how many events have been folded, of how many.
    public func read<R: Sendable>(
        to ranges: [TopicPartition: Range<Offset>], at moment: Timestamp,
        scratch: String,
        complain: (String) -> Void, progress: (_ folded: Int, _ of: Int) -> Void = { _, _ in },
        _ body: @escaping @Sendable (any ViewReader) throws -> R
    ) async throws -> (R, Origin) {
        if let snapshots {
            for snapshot in try await snapshots.all(of: projection).reversed()
            where snapshot.isWithin(ranges, at: moment) {
                let place = "\(scratch)/\(snapshot.name)"
                do {
                    if let why = try await contradiction(snapshot) {
                        complain(
                            "the snapshot \(snapshots.database(snapshot)) is of another log and is not used: \(why)")
                        continue
                    }
                    let views = try SQLiteViews(directory: place)
                    try await snapshots.copy(snapshot, to: views.path(of: projection.build(0)))
                    let result: (R, Origin)? = try await views.closed { views in
                        if try await !agrees(views, snapshot) { return nil }
                        return try await fold(views, from: snapshot, ranges, progress, body)
                    }
                    if let result { return result }
                } catch let error as ViewError where error.kind == .damaged {
                    complain("a snapshot is not used: \(error.message)")
                }
                try? FileManager.default.removeItem(atPath: place)
            }
        }
        return try await SQLiteViews(directory: "\(scratch)/start").closed {
            try await fold($0, from: nil, ranges, progress, body)
        }
    }

    /// Whether a snapshot leaves out what the view does.
    private func agrees(_ views: any ViewStore, _ snapshot: Snapshot) async throws -> Bool {
        let own = try await views.quarantines(of: projection.build(0), Array(snapshot.offsets.keys))
        return snapshot.offsets.allSatisfy { source, next in
            (own[source] ?? Quarantine()).agrees(with: waiting[source] ?? Quarantine(), before: next)
        }
    }

    private func fold<R: Sendable>(
        _ views: any ViewStore, from snapshot: Snapshot?, _ ranges: [TopicPartition: Range<Offset>],
        _ progress: (_ folded: Int, _ of: Int) -> Void, _ body: @escaping @Sendable (any ViewReader) throws -> R
    ) async throws -> (R, Origin) {
        let offsets = snapshot?.offsets ?? [:]
        var origin = Origin(snapshot: snapshot)
        for (place, range) in ranges where offsets[place] ?? 0 < range.lowerBound {
            origin.gaps[place] = (offsets[place] ?? 0)..<range.lowerBound
        }
        let projection = projection.build(0)
        var refold = try await Refold(
            projection, from: log, starts: ranges.mapValues(\.lowerBound), into: views, owner: "as-of")
        refold.leaveOut(waiting)
        let total = ranges.reduce(0) { $0 + max(0, Int($1.value.upperBound - (refold.next[$1.key] ?? 0))) }
        try await refold.fold(to: ranges.mapValues(\.upperBound)) { progress($0, total) }
        origin.folded = refold.folded
        return (try await views.read(projection) { reader, _ in try body(reader) }, origin)
    }

    /// Why a snapshot is not of this log: a record that it was folded from is another one there, or none.
    private func contradiction(_ snapshot: Snapshot) async throws -> String? {
        let bounds = try await log.bounds(of: snapshot.sources.map(\.place))
        for source in snapshot.sources {
            guard let mark = source.mark, bounds[source.place]?.contains(mark.last) == true else { continue }
            if let why = try await mark.contradiction(to: log, in: source.place) { return why }
        }
        return nil
    }
}
