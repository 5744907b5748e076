package import EventModel

/// Which removals of keys a compacted partition may forget: those that a compaction met an hour ago at least.
///
/// A reader that has read a key's record and comes to its removal only after a compaction would never learn of it, if the removal went
/// together with the record (Kafka's `delete.retention.ms`).
package struct RemovalHorizon: Hashable, Sendable {
    /// How long a reader may be on its way from a key's record to its removal.
    package static let rest = Duration.seconds(3600)

    /// Removals before this offset may go.
    package private(set) var settled: Offset
    /// Where the partition ended at a later compaction, and when that was.
    package private(set) var young: Offset
    package private(set) var since: Timestamp?

    package init(settled: Offset = 0, young: Offset = 0, since: Timestamp? = nil) {
        (self.settled, self.young, self.since) = (settled, young, since)
    }

    /// A compaction looks at all before the partition's end.
    package mutating func pass(to end: Offset, at now: Timestamp) {
        // A clock that was set back begins the hour anew.
        if let since, now >= since, now < since + Self.rest { return }
        if let since, now >= since { settled = young }
        (young, self.since) = (end, now)
    }

    /// Whether a removal is to be kept.
    package func keeps(_ removal: Offset) -> Bool { removal >= settled }
}
