internal import CRdkafka

/// One partition of one topic.
public struct KafkaPartition: Sendable, Hashable {
    /// The topic's name.
    public var topic: String
    /// The partition's number, from 0.
    public var partition: Int32
    /// A partition of a topic.
    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }
}

/// Offsets that stand for a place rather than name it.
public enum KafkaOffset {
    /// Stands for the first offset that is kept (`RD_KAFKA_OFFSET_BEGINNING`).
    public static let beginning: Int64 = -2
    /// Stands for the offset behind the last record (`RD_KAFKA_OFFSET_END`).
    public static let end: Int64 = -1
    /// Where the group has committed, else where `auto.offset.reset` says.
    public static let stored: Int64 = -1000
    /// Stands for no offset at all (`RD_KAFKA_OFFSET_INVALID`).
    public static let none: Int64 = -1001
}

/// A list of partitions with offsets as librdkafka has it; this value is its only owner.
struct PartitionList: ~Copyable {
    let list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ offsets: [KafkaPartition: Int64]) {
        list = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for (partition, offset) in offsets {
            rd_kafka_topic_partition_list_add(list, partition.topic, partition.partition).pointee.offset = offset
        }
    }

    init(_ partitions: [KafkaPartition]) {
        list = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        for partition in partitions { rd_kafka_topic_partition_list_add(list, partition.topic, partition.partition) }
    }

    init(topics: [String]) { self.init(topics.map { KafkaPartition($0, -1) }) }

    deinit { rd_kafka_topic_partition_list_destroy(list) }

    /// The offsets that librdkafka filled in; throws the first partition's error.
    func offsets() throws(KafkaError) -> [KafkaPartition: Int64] { try PartitionList.offsets(in: list) }

    static func offsets(
        in list: UnsafePointer<rd_kafka_topic_partition_list_t>
    ) throws(KafkaError) -> [KafkaPartition: Int64] {
        var offsets: [KafkaPartition: Int64] = [:]
        for i in 0..<Int(list.pointee.cnt) {
            let element = list.pointee.elems[i]
            let partition = KafkaPartition(String(cString: element.topic), element.partition)
            if let error = KafkaError(element.err) {
                throw KafkaError(
                    error.code, "\(partition.topic)/\(partition.partition): \(error.message)", isFatal: error.isFatal)
            }
            offsets[partition] = element.offset
        }
        return offsets
    }

    static func partitions(in list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [KafkaPartition] {
        (0..<Int(list.pointee.cnt)).map { i in
            KafkaPartition(String(cString: list.pointee.elems[i].topic), list.pointee.elems[i].partition)
        }
    }
}
