public import EventLog
public import EventModel

/// A view as it was at some offsets, kept as a database of its own: what is said of it beside that database.
public struct Snapshot: Sendable, Hashable, Codable {
    /// How far one partition had been folded.
    public struct Source: Sendable, Hashable, Codable {
        public var topic: String
        public var partition: Int32
        public var next: Offset
        /// The last record before `next`, and its time; nil where there was none near.
        public var mark: Mark?
        public var time: Timestamp?

        public init(_ source: TopicPartition, next: Offset, mark: Mark? = nil, time: Timestamp? = nil) {
            (topic, partition) = (source.topic, source.partition.rawValue)
            (self.next, self.mark, self.time) = (next, mark, time)
        }
        var place: TopicPartition { TopicPartition(topic, Partition(rawValue: partition)) }
    }

    /// The name of its files.
    public var name: String
    /// What the view is kept under in its store: `hits.windows@1`, `hits.windows@1+2`.
    public var storage: String
    /// A hash of the tables and their columns.
    public var shape: UInt64
    public var sources: [Source]
    /// The database's size, and its CRC-32.
    public var bytes: Int64
    public var checksum: UInt32

    /// How many events it shows, with offsets that have none.
    public var events: Int64 { sources.reduce(0) { $0 + $1.next.rawValue } }
    /// The time of its newest event, as far as it is known.
    public var time: Timestamp? { sources.compactMap(\.time).max() }
    public var offsets: [TopicPartition: Offset] {
        Dictionary(sources.map { ($0.place, $0.next) }) { $1 }
    }

    /// The latest time that is before or at a moment, of what it has of each partition.
    ///
    /// - Parameters:
    ///   - ranges: What the log has of each partition up to where it counts.
    ///   - moment: The moment it is about: where nothing that a log still has counts, the times of what is gone decide.
    /// - Returns: whether everything in it is at or before those ends.
    public func isWithin(_ ranges: [TopicPartition: Range<Offset>], at moment: Timestamp) -> Bool {
        sources.allSatisfy { source in
            guard let range = ranges[source.place] else { return source.next == 0 }
            if range.isEmpty, range.lowerBound > 0, let time = source.time, time > moment { return false }
            return source.next <= range.upperBound
        }
    }
}

extension AnyProjection {
    /// Tells apart shapes of tables: a snapshot of others cannot be folded on.
    var shape: UInt64 {
        let words = tables.flatMap { table in
            [table.name, String(table.key)] + table.columns.flatMap { [$0.name, $0.kind.rawValue] }
        }
        return FNV1a(words.joined(separator: "\u{0}")).value
    }
}
