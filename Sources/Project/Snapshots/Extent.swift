public import EventModel

/// What counts of a log for a view of the past: all that is of a moment or an earlier one, wherever it lies, and of one
/// partition, where that was asked for, all up to a place.
public struct Extent: Sendable {
    /// The moment it is about.
    public var moment: Timestamp
    /// What there is of each partition.
    public var ranges: [TopicPartition: Range<Offset>]
    /// The partition whose records all count, whatever their times.
    public var own: TopicPartition?

    /// All that is of a moment or an earlier one.
    public init(at moment: Timestamp, of ranges: [TopicPartition: Range<Offset>]) {
        (self.moment, self.ranges) = (moment, ranges)
    }

    /// A partition up to a record, and what the others have of its moment or earlier.
    public init(upTo record: Record, in own: TopicPartition, of ranges: [TopicPartition: Range<Offset>]) {
        self.init(at: record.timestamp, of: ranges)
        let first = ranges[own]?.lowerBound ?? 0
        self.ranges[own] = first..<max(first, record.offset + 1)
        self.own = own
    }

    /// The times that count of each partition of which not all do.
    var times: [TopicPartition: ClosedRange<Timestamp>] {
        ranges.filter { $0.key != own }.mapValues { _ in Timestamp(.min)...moment }
    }

    enum Fit { case within, beyond, unknown }

    /// Whether all counts that a snapshot holds.
    ///
    /// - Parameter reached: What the log knows of the times of sources that do not say it.
    func fit(_ snapshot: Snapshot, reached: [TopicPartition: Timestamp]) -> Fit {
        var isKnown = true
        for source in snapshot.sources where source.next > 0 {
            guard let range = ranges[source.place], source.next <= range.upperBound else { return .beyond }
            if source.place == own { continue }
            guard let time = source.reached ?? reached[source.place] else {
                isKnown = false
                continue
            }
            if time > moment { return .beyond }
        }
        return isKnown ? .within : .unknown
    }
}
