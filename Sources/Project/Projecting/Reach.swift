public import EventLog
public import EventModel

extension EventLog {
    /// Checks that a view shows nothing that this log has not.
    ///
    /// - Returns: What the log has of the view's partitions.
    /// - Throws: ``AheadOfLog``, or ``ViewError/Kind/damaged`` where the view tells of partitions that it is not folded from.
    @discardableResult
    public func checkReach(
        of projection: AnyProjection, asOf: [TopicPartition: Offset]
    ) async throws -> [TopicPartition: Range<Offset>] {
        let counts = try await partitionCounts()
        let known = projection.topics.flatMap { topic in
            (0..<(counts[topic] ?? 0)).map { TopicPartition(topic, Partition($0)) }
        }
        let bounds = try await bounds(of: known)
        for (partition, next) in asOf.sorted(by: { $0.key < $1.key }) {
            guard let range = bounds[partition] else {
                if counts[partition.topic] == nil, projection.topics.contains(partition.topic) {
                    throw LogError.unknown(partition.topic)
                }
                throw ViewError(
                    .damaged,
                    """
                    \(projection.storage) says that it has folded \(partition), which is none of its partitions: it is \
                    damaged, or of another log. Delete it, and its worker will build it again
                    """)
            }
            if next > range.upperBound {
                throw AheadOfLog(
                    projection: projection.name, partition: partition, next: next, end: range.upperBound)
            }
        }
        return bounds
    }
}

/// What the checkpoints of a store may say. Anything else was not written by this program.
public enum Stored {
    /// More records than any partition has, and few enough that sums of all partitions stay within 64 bits.
    static let furthest: Int64 = 1 << 50

    public static func offset(_ value: Int64) -> Offset? { (0...furthest).contains(value) ? Offset(value) : nil }

    public static func partition(_ value: Int64) -> Partition? {
        value >= 0 ? Int32(exactly: value).map { Partition(rawValue: $0) } : nil
    }

    public static func epoch(_ value: Int64) -> Epoch? { value >= 0 ? Epoch(rawValue: value) : nil }
}
