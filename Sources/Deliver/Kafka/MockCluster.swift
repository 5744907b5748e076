internal import CRdkafka

/// librdkafka's brokers for tests, inside this process.
///
/// They know neither CreateTopics nor transactions that hide anything; see rdkafka_mock.h.
public final class MockCluster: Sendable {
    /// Kafka's numbers of requests, for errors on purpose.
    public enum Request: Int16, Sendable {
        case produce = 0, fetch = 1, listOffsets = 2, metadata = 3, offsetCommit = 8, offsetFetch = 9, syncGroup = 14
        case initProducerID = 22, addPartitionsToTransaction = 24, endTransaction = 26, transactionOffsetCommit = 28
    }

    /// Unchecked because the mock cluster takes orders from any thread.
    private struct Handle: @unchecked Sendable {
        let rk: OpaquePointer
        let cluster: OpaquePointer
    }
    private let handle: Handle
    /// For `bootstrap.servers`.
    public let brokers: String

    /// Starts so many brokers, numbered from 1; they end with this value.
    public init(brokers count: Int = 1) throws(KafkaError) {
        let rk = try Settings().makeClient(RD_KAFKA_PRODUCER, events: 0)
        guard let cluster = rd_kafka_mock_cluster_new(rk, Int32(count)) else {
            rd_kafka_destroy(rk)
            throw KafkaError(.invalidSetting, "a mock cluster of \(count) brokers could not be made")
        }
        handle = Handle(rk: rk, cluster: cluster)
        brokers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    deinit {
        rd_kafka_mock_cluster_destroy(handle.cluster)
        rd_kafka_destroy(handle.rk)
    }

    /// Makes a topic with so many partitions, of one replica each.
    public func create(_ topic: String, partitions: Int) throws(KafkaError) {
        try KafkaError.check(rd_kafka_mock_topic_create(handle.cluster, topic, Int32(partitions), 1))
    }

    /// The next requests of that kind are answered with these errors.
    public func fail(_ request: Request, with codes: [KafkaError.Code]) {
        let errors = codes.map { rd_kafka_resp_err_t(rawValue: $0.rawValue) }
        rd_kafka_mock_push_request_errors_array(handle.cluster, request.rawValue, errors.count, errors)
    }

    /// Leaves a partition without a leader.
    public func removeLeader(of topic: String, _ partition: Int32) {
        rd_kafka_mock_partition_set_leader(handle.cluster, topic, partition, -1)
    }

    /// Makes the first broker the partition's leader again.
    public func restoreLeader(of topic: String, _ partition: Int32) {
        rd_kafka_mock_partition_set_leader(handle.cluster, topic, partition, 1)
    }

    /// Makes one broker a partition's leader.
    public func lead(_ topic: String, _ partition: Int32, by broker: Int32) {
        rd_kafka_mock_partition_set_leader(handle.cluster, topic, partition, broker)
    }

    /// What brokers say of a topic from now on, such as that there is none; nil for nothing special.
    public func say(_ code: KafkaError.Code?, of topic: String) {
        rd_kafka_mock_topic_set_error(handle.cluster, topic, rd_kafka_resp_err_t(rawValue: code?.rawValue ?? 0))
    }

    /// Makes one broker the coordinator of a group.
    public func coordinate(_ group: String, by broker: Int32) {
        rd_kafka_mock_coordinator_set(handle.cluster, "group", group, broker)
    }

    /// One broker, by its number from 1, hangs up and answers nobody until `up`.
    public func down(_ broker: Int32) { rd_kafka_mock_broker_set_down(handle.cluster, broker) }
    /// The broker answers again.
    public func up(_ broker: Int32) { rd_kafka_mock_broker_set_up(handle.cluster, broker) }

    /// Every broker hangs up, and answers nobody until `up`.
    public func down() { rd_kafka_mock_broker_set_down(handle.cluster, -1) }
    /// Every broker answers again.
    public func up() { rd_kafka_mock_broker_set_up(handle.cluster, -1) }
}
