internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Projecting
internal import SQLiteViews
internal import Snapshots

/// A moment of a view's past: `--as-of @2026-11-01T00:00:00Z`, `--as-of tickets.events/2@17`.
///
/// A moment takes the records that are not later, wherever they stand; a place takes its partition up to that record, and of
/// the others what is not later than that record.
enum AsOf {
    case moment(Timestamp)
    case place(TopicPartition, Offset)

    static func parse(_ text: String, now: Timestamp) throws -> AsOf {
        if text.hasPrefix("@") {
            guard let time = Moment.parse(String(text.dropFirst()), now: now) else {
                throw Failure(.usage, "--as-of \(text) is no moment, such as @2026-11-01T20:00:00Z or @-1h")
            }
            return .moment(time)
        }
        let place = try EventPlace(text)
        return .place(place.partition, place.offset)
    }

    /// What counts of the log.
    func resolve(_ projection: AnyProjection, _ log: any EventLog) async throws -> Extent {
        let partitions = try await log.partitions(of: projection.topics)
        let bounds = try await log.bounds(of: partitions)
        switch self {
        case .moment(let time): return Extent(at: time, of: bounds)
        case .place(let partition, let offset):
            guard let range = bounds[partition] else {
                throw Failure(
                    .usage,
                    "\(projection.name) is folded from \(projection.topics.joined(separator: ", ")), not \(partition)")
            }
            guard range.contains(offset) else {
                throw Failure(
                    .usage, "\(partition) has offsets \(range.lowerBound) to \(range.upperBound), not \(offset)")
            }
            guard let record = try await log.record(at: offset, in: partition) else {
                throw Failure(.usage, "\(partition)@\(offset) has no record")
            }
            return Extent(upTo: record, in: partition, of: bounds)
        }
    }
}

extension Past {
    /// Of a view as it is asked now. Only snapshots of the live build count: what was wrong before a rebuild was wrong in its
    /// past too.
    init(
        ofLive projection: AnyProjection, on log: any EventLog, _ places: LogAndViewOptions,
        _ snapshots: SnapshotFolder?
    ) async throws {
        let partitions = try await log.partitions(of: projection.topics)
        let (live, waiting) = try await places.withViews { views in
            let live = try await views.live(projection)
            try await views.open(live)
            return (live, try await views.quarantines(of: live, partitions))
        }
        self.init(of: live, on: log, snapshots: snapshots, leavingOut: waiting)
    }

    /// Reads the view, and says what it was folded from and what is missing in it.
    ///
    /// - Returns: what `body` gave, and up to where the view shows each partition.
    func read<R: Sendable>(
        of projection: AnyProjection, _ extent: Extent, _ body: @escaping @Sendable (any ViewReader) throws -> R
    ) async throws -> (R, shown: [TopicPartition: Offset]) {
        try await withScratchFolder { folder in
            var bar: Progress?
            let (result, origin) = try await read(
                extent, scratch: folder, complain: { Output.complain("\(Program.name): \($0)") },
                progress: { done, total in
                    if bar == nil { bar = Progress(projection.name, total: total) }
                    bar?.show(done, unit: "events")
                }, body)
            bar?.end()
            for (partition, gap) in origin.gaps.sorted(by: { $0.key < $1.key }) {
                Output.complain(
                    """
                    \(Program.name): \(partition)@\(gap.lowerBound) to \(gap.upperBound.rawValue - 1) are past their retention: \
                    what they did is not shown
                    """)
            }
            let from = origin.snapshot.map { snapshot in
                "the snapshot at \(snapshot.time.map { "\($0.rfc3339), " } ?? "")\(events(snapshot.events))"
            }
            Output.complain(
                """
                \(Program.name): \(projection.name) is folded from \(from ?? "the log's start") and \
                \(events(Int64(origin.folded))) since
                """)
            return (result, origin.shown)
        }
    }

    private func events(_ count: Int64) -> String { count == 1 ? "1 event" : "\(count) events" }
}

/// A folder that is gone afterwards.
func withScratchFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let folder = "\(NSTemporaryDirectory())\(Program.name)-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

/// Views in a folder that is gone afterwards.
func withScratchViews<R>(_ body: (any ViewStore) async throws -> R) async throws -> R {
    try await withScratchFolder { try await SQLiteViews(directory: $0).closed(after: body) }
}
