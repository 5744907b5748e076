/// A partition of a topic whose keys each belong into one of its partitions, so that all of a key meets in the same worker.
package struct KeyedPartition: Hashable, Sendable {
    /// The partition itself.
    package var place: TopicPartition
    /// Among how many partitions the topic's keys are spread.
    package var count: Int

    /// - Parameter count: at least 1.
    package init(_ place: TopicPartition, among count: Int) {
        (self.place, self.count) = (place, count)
    }

    /// The partition that a key belongs into, where it is not this one. What has no key belongs nowhere, and is in no wrong
    /// place.
    package func other(for key: Bytes) -> Partition? {
        if key.isEmpty { return nil }
        let right = Partitioner.partition(of: key, among: count)
        return right == place.partition ? nil : right
    }
}
