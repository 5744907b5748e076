internal import EventModel

/// When a view's group is told how far the rows are.
///
/// Offsets of a view stand in its store, with the rows. Those of the group are a copy, for tools that look at groups: nobody
/// goes on from them.
struct Showing {
    /// The least time from one telling to the next.
    static let interval = Duration.seconds(5)
    /// How often the same is told: what is told while a group is rebalanced gets lost.
    private static let times = 2

    private var shown: [TopicPartition: Offset] = [:]
    private var count = 0
    private var last: ContinuousClock.Instant?

    /// What is to be told now; nothing where it is too early, or known.
    mutating func due(
        _ positions: [TopicPartition: Offset], at now: ContinuousClock.Instant
    ) -> [TopicPartition: Offset] {
        if let last, now - last < Self.interval { return [:] }
        if positions.isEmpty || positions == shown && count >= Self.times { return [:] }
        count = positions == shown ? count + 1 : 1
        (shown, last) = (positions, now)
        return positions
    }

    /// These partitions go to another.
    mutating func stop(_ partitions: Set<TopicPartition>) { shown = shown.filter { !partitions.contains($0.key) } }
}
