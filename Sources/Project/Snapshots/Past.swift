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
        /// Past the last record that counts in each partition, where any does.
        public var shown: [TopicPartition: Offset] = [:]
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

    /// Folds what counts, in the order of the log, and reads the view.
    ///
    /// - Parameters:
    ///   - extent: What counts.
    ///   - scratch: An empty folder, for the fold.
    ///   - complain: Told of snapshots that cannot be used.
    ///   - progress: Told how many events have been folded, of how many.
    public func read<R: Sendable>(
        _ extent: Extent, scratch: String,
        complain: (String) -> Void, progress: (_ folded: Int, _ of: Int) -> Void = { _, _ in },
        _ body: @escaping @Sendable (any ViewReader) throws -> R
    ) async throws -> (R, Origin) {
        if let snapshots {
            for snapshot in try await fitting(extent, of: snapshots, complain) {
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
                        return try await fold(views, from: snapshot, extent, progress, body)
                    }
                    if let result { return result }
                } catch let error as ViewError where error.kind == .damaged {
                    complain("a snapshot is not used: \(error.message)")
                }
                try? FileManager.default.removeItem(atPath: place)
            }
        }
        return try await SQLiteViews(directory: "\(scratch)/start").closed {
            try await fold($0, from: nil, extent, progress, body)
        }
    }

    /// The snapshots of which all counts, the newest first.
    private func fitting(
        _ extent: Extent, of folder: SnapshotFolder, _ complain: (String) -> Void
    ) async throws -> [Snapshot] {
        var fitting: [Snapshot] = []
        var unknown = 0
        for snapshot in try await folder.all(of: projection).reversed() {
            let silent = snapshot.sources.filter { $0.next > 0 && $0.reached == nil && extent.ranges[$0.place] != nil }
            let reached = try await log.reached(
                before: Dictionary(silent.map { ($0.place, $0.next) }, uniquingKeysWith: max))
            switch extent.fit(snapshot, reached: reached) {
            case .within: fitting.append(snapshot)
            case .beyond: break
            case .unknown: unknown += 1
            }
        }
        if unknown > 0 {
            complain(
                """
                \(unknown) snapshots of \(projection.name) do not say how late their latest events are, as those that an \
                earlier version kept, and are not used; the command snapshot keeps others
                """)
        }
        return fitting
    }

    /// Whether a snapshot leaves out what the view does.
    private func agrees(_ views: any ViewStore, _ snapshot: Snapshot) async throws -> Bool {
        let own = try await views.quarantines(of: projection.build(0), Array(snapshot.offsets.keys))
        return snapshot.offsets.allSatisfy { source, next in
            (own[source] ?? Quarantine()).agrees(with: waiting[source] ?? Quarantine(), before: next)
        }
    }

    private func fold<R: Sendable>(
        _ views: any ViewStore, from snapshot: Snapshot?, _ extent: Extent,
        _ progress: (_ folded: Int, _ of: Int) -> Void, _ body: @escaping @Sendable (any ViewReader) throws -> R
    ) async throws -> (R, Origin) {
        let (offsets, ranges) = (snapshot?.offsets ?? [:], extent.ranges)
        var origin = Origin(snapshot: snapshot)
        for (place, range) in ranges where offsets[place] ?? 0 < range.lowerBound {
            origin.gaps[place] = (offsets[place] ?? 0)..<range.lowerBound
        }
        let projection = projection.build(0)
        var refold = try await ViewReplay(
            projection, from: log, starts: ranges.mapValues(\.lowerBound), into: views, owner: "as-of")
        refold.leaveOut(waiting)
        let total = ranges.reduce(0) { $0 + max(0, Int($1.value.upperBound - (refold.next[$1.key] ?? 0))) }
        try await refold.fold(to: ranges.mapValues(\.upperBound), within: extent.times) { progress($0, total) }
        for source in snapshot?.sources ?? [] where source.next > 0 { origin.shown[source.place] = source.shown }
        origin.shown.merge(refold.last.mapValues { $0 + 1 }) { $1 }
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
