internal import EventLog
internal import EventModel
internal import Kafka

/// What a member has: a pure value, so that the order of the group's word and the application's can be thought through.
struct MemberAssignment: Sendable {
    /// The partitions that the application was told are its own, until it releases or loses them.
    private(set) var told: Set<TopicPartition> = []
    /// Those that are fetched, and the position up to which each was delivered.
    private(set) var fetched: [TopicPartition: Offset] = [:]
    /// Those that the group wants back and the application has not released yet.
    private(set) var revoking: Set<TopicPartition> = []
    /// Those of them that are released already; librdkafka is told when all are.
    private var released: Set<TopicPartition> = []
    /// A rebalance that came behind records which were delivered first.
    var postponed: Rebalance?

    mutating func assign(_ partitions: [TopicPartition]) -> [TopicPartition] {
        let fresh = partitions.filter { !told.contains($0) }.sorted()
        told.formUnion(fresh)
        return fresh
    }

    mutating func revoke(_ partitions: [TopicPartition]) -> [TopicPartition] {
        let leaving = partitions.filter { told.contains($0) }.sorted()
        revoking.formUnion(leaving)
        return leaving
    }

    mutating func lose(_ partitions: [TopicPartition]) -> (told: [TopicPartition], fetched: [TopicPartition]) {
        let gone = partitions.filter { told.contains($0) }.sorted()
        let unfetched = partitions.filter { fetched[$0] != nil }
        forget(partitions)
        return (gone, unfetched)
    }

    /// Whether a partition may be fetched from now on.
    func mayStart(_ partition: TopicPartition) -> Bool {
        told.contains(partition) && !revoking.contains(partition) && fetched[partition] == nil
    }

    /// Those to fetch from now on.
    mutating func start(_ positions: [TopicPartition: Offset]) -> [TopicPartition: Offset] {
        let fresh = positions.filter { mayStart($0.key) }
        fetched.merge(fresh) { $1 }
        return fresh
    }

    /// Those to fetch no more, once all are released that the group wanted back; nil before.
    mutating func release(_ partitions: [TopicPartition]) -> [TopicPartition]? {
        let leaving = partitions.filter { revoking.contains($0) }
        if leaving.isEmpty { return nil }
        told.subtract(leaving)
        revoking.subtract(leaving)
        released.formUnion(leaving)
        guard revoking.isEmpty else { return nil }
        defer { forget(Array(released)) }
        return released.filter { fetched[$0] != nil }
    }

    /// Notes a batch's position; nil where it is not for the application, or says nothing new.
    mutating func advance(_ batch: Batch) throws(LogError) -> Batch? {
        guard let position = fetched[batch.source], told.contains(batch.source), !revoking.contains(batch.source) else {
            return nil
        }
        if let first = batch.records.first, first.offset < position { throw LogError.truncated(batch.source, position) }
        if batch.records.isEmpty && batch.next <= position { return nil }
        fetched[batch.source] = batch.next
        return batch
    }

    private mutating func forget(_ partitions: [TopicPartition]) {
        told.subtract(partitions)
        revoking.subtract(partitions)
        released.subtract(partitions)
        for partition in partitions { fetched[partition] = nil }
    }
}
