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
        public var mark: LogFingerprint?
        public var time: Timestamp?
        /// A time that none of the records before `next` is later than; nil where that was not known, as to earlier versions
        /// of this program.
        public var reached: Timestamp?

        public init(
            _ source: TopicPartition, next: Offset, mark: LogFingerprint? = nil, time: Timestamp? = nil,
            reached: Timestamp? = nil
        ) {
            (topic, partition) = (source.topic, source.partition.rawValue)
            (self.next, self.mark, self.time, self.reached) = (next, mark, time, reached)
        }
        var place: TopicPartition { TopicPartition(topic, Partition(rawValue: partition)) }
        /// Past the last record that it has, as far as that is known.
        var shown: Offset { mark.map { $0.last + 1 } ?? next }
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
    public var time: Timestamp? {
        sources.filter { $0.next > 0 }.compactMap { $0.reached ?? $0.time }.max()
    }
    public var offsets: [TopicPartition: Offset] {
        Dictionary(sources.map { ($0.place, $0.next) }) { $1 }
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
