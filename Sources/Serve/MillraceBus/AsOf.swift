package import EventLog
package import EventModel
package import Projecting
package import Snapshots

/// A moment of a view's past: `--as-of @2026-11-01T00:00:00Z`, `--as-of tickets.events/2@17`.
///
/// A moment takes the records that are not later, wherever they stand; a place takes its partition up to that record, and of
/// the others what is not later than that record.
package enum AsOf: Sendable {
    case moment(Timestamp)
    case place(TopicPartition, Offset)

    package static func parse(_ text: String, now: Timestamp) throws -> AsOf {
        if text.hasPrefix("@") {
            guard let time = Moment.parse(String(text.dropFirst()), now: now) else {
                throw BusError(.usage, "--as-of \(text) is no moment, such as @2026-11-01T20:00:00Z or @-1h")
            }
            return .moment(time)
        }
        let place = try EventPlace(text)
        return .place(place.partition, place.offset)
    }

    /// What counts of the log.
    package func resolve(_ projection: AnyProjection, _ log: any EventLog) async throws -> Extent {
        let partitions = try await log.partitions(of: projection.topics)
        let bounds = try await log.bounds(of: partitions)
        switch self {
        case .moment(let time): return Extent(at: time, of: bounds)
        case .place(let partition, let offset):
            guard let range = bounds[partition] else {
                throw BusError(
                    .usage,
                    "\(projection.name) is folded from \(projection.topics.joined(separator: ", ")), not \(partition)")
            }
            guard range.contains(offset) else {
                let known = range.isEmpty ? "none" : "\(range.lowerBound) to \(range.upperBound - 1)"
                throw BusError(.usage, "\(partition) has no offset \(offset): it has \(known)")
            }
            guard let record = try await log.record(at: offset, in: partition) else {
                throw BusError(.usage, "\(partition)@\(offset) has no record")
            }
            return Extent(upTo: record, in: partition, of: bounds)
        }
    }
}

extension Past {
    /// Of a view as it is asked now. Only snapshots of the live build count: what was wrong before a rebuild was wrong in its
    /// past too.
    package init(
        ofLive projection: AnyProjection, on log: any EventLog, _ views: any ViewStore, _ snapshots: SnapshotFolder?
    ) async throws {
        let partitions = try await log.partitions(of: projection.topics)
        let live = try await views.live(projection)
        try await views.open(live)
        let waiting = try await views.quarantines(of: live, partitions)
        self.init(of: live, on: log, snapshots: snapshots, leavingOut: waiting)
    }
}
