public import EventModel

/// Where a reader stands in each of its partitions, and whose turn it is: a partition with a steady backlog must not keep
/// the others waiting.
public struct Cursors: Sendable {
    private var positions: [TopicPartition: Offset]
    private var turn = 0

    public init(_ positions: [TopicPartition: Offset] = [:]) { self.positions = positions }

    public var isEmpty: Bool { positions.isEmpty }

    /// Where the partition is read on; nil stops reading it.
    public subscript(partition: TopicPartition) -> Offset? {
        get { positions[partition] }
        set { positions[partition] = newValue }
    }

    /// The partitions in the order in which they are to be read now; each call begins with another.
    public mutating func inTurn() -> [(partition: TopicPartition, from: Offset)] {
        if positions.isEmpty { return [] }
        let sorted = positions.sorted { $0.key < $1.key }.map { (partition: $0.key, from: $0.value) }
        turn = (turn + 1) % sorted.count
        return Array(sorted[turn...] + sorted[..<turn])
    }

    /// Goes past what was delivered; a partition that is read no more stays so.
    public mutating func advance(past batches: [Batch]) {
        for batch in batches where positions[batch.source] != nil { positions[batch.source] = batch.next }
    }
}
