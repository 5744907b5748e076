internal import EventLog
internal import EventModel
internal import Foundation
internal import Projecting
internal import SQLiteViews

/// A moment of a view's past: `--as-of @2026-11-01T00:00:00Z`, `--as-of tickets.events/2@17`.
///
/// A moment takes of each partition what stands before its first record that is later; a place takes its partition up to
/// that record, and the others up to that record's time.
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
        let (partition, offset) = try Ask.place(text)
        return .place(partition, offset)
    }

    /// The moment it is about, and up to where each partition counts.
    func resolve(
        _ projection: AnyProjection, _ log: any EventLog
    ) async throws -> (moment: Timestamp, bounds: [TopicPartition: Range<Offset>]) {
        let partitions = try await log.partitions(of: projection.topics)
        let bounds = try await log.bounds(of: partitions)
        let moment: Timestamp
        var own: [TopicPartition: Offset] = [:]
        switch self {
        case .moment(let time): moment = time
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
            var time: Timestamp?
            try await log.scan(partition, from: offset, to: offset + 1, batch: 1) { time = $0.records.first?.timestamp }
            guard let time else { throw Failure(.usage, "\(partition)@\(offset) has no record") }
            (moment, own[partition]) = (time, offset + 1)
        }
        let ends = try await log.offsets(of: partitions, at: moment + .milliseconds(1)).merging(own) { $1 }
        return (
            moment,
            bounds.reduce(into: [:]) { ranges, entry in
                let end = min(max(ends[entry.key] ?? 0, entry.value.lowerBound), entry.value.upperBound)
                ranges[entry.key] = entry.value.lowerBound..<end
            }
        )
    }
}

extension EventLog {
    /// Reads a projection folded afresh up to an end of each partition, in a folder that is gone afterwards.
    func withFold<R: Sendable>(
        of projection: AnyProjection, _ ranges: [TopicPartition: Range<Offset>],
        _ body: @escaping @Sendable (any ViewReader) throws -> R
    ) async throws -> R {
        try await withScratchViews { views in
            var refold = try await Refold(
                projection, from: self, starts: ranges.mapValues(\.lowerBound), into: views, owner: "as-of")
            var progress = Progress(
                projection.name, total: ranges.values.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) })
            try await refold.fold(to: ranges.mapValues(\.upperBound)) { progress.show($0, unit: "events") }
            progress.end()
            return try await views.read(projection) { reader, _ in try body(reader) }
        }
    }
}

/// Views in a folder that is gone afterwards.
func withScratchViews<R>(_ body: (any ViewStore) async throws -> R) async throws -> R {
    let folder = "\(NSTemporaryDirectory())millrace-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await SQLiteViews(directory: folder).closed(after: body)
}
