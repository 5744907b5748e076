internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Projecting
internal import SQLiteViews
internal import Snapshots

extension Past {
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

/// Views in a folder that is gone afterwards.
func withScratchViews<R>(_ body: (any ViewStore) async throws -> R) async throws -> R {
    try await withScratchFolder { try await SQLiteViews(directory: $0).closed(after: body) }
}
