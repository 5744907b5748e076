public import EventModel

/// Where a reader stands in each of its partitions, and whose turn it is: a partition with a steady backlog must not keep
/// the others waiting.
public struct Cursors: Sendable {
    public private(set) var positions: [TopicPartition: Offset]
    /// The partitions in order; nil where they have changed since it was made.
    private var order: [TopicPartition]?
    private var turn = 0

    public init(_ positions: [TopicPartition: Offset] = [:]) { self.positions = positions }

    public var isEmpty: Bool { positions.isEmpty }

    /// Where the partition is read on; nil stops reading it.
    public subscript(partition: TopicPartition) -> Offset? {
        get { positions[partition] }
        set {
            if (positions[partition] == nil) != (newValue == nil) { order = nil }
            positions[partition] = newValue
        }
    }

    /// The partitions in the order in which they are to be read now; each call begins with another.
    public mutating func inTurn() -> [(partition: TopicPartition, from: Offset)] {
        if positions.isEmpty { return [] }
        let sorted = order ?? positions.keys.sorted()
        order = sorted
        turn = (turn + 1) % sorted.count
        return (sorted[turn...] + sorted[..<turn]).map { (partition: $0, from: positions[$0]!) }
    }

    /// Goes past what was delivered; a partition that is read no more stays so.
    public mutating func advance(past batches: [Batch]) {
        for batch in batches where positions[batch.source] != nil { positions[batch.source] = batch.next }
    }
}
