import EventLog
import EventModel
import Kafka
import KafkaLog
import SQLiteViews
import TestSupport

extension Carrier {
    /// librdkafka's mock cluster, one for each test. It forgets a partition's oldest records past 5 MiB, and has no
    /// transactions that could be given up.
    static let mock = Carrier(
        testDescription: "kafka (mock)", isKept: false, log: { _ in try await MockLog() },
        views: { try SQLiteViews(directory: $0 + "/views") })
    /// Kafka, as far as there is one.
    static let kafkas = [mock] + (broker.map { [$0] } ?? [])
}

/// The log on a mock cluster, which has to be asked in its own way for new topics, and for no configurations.
struct MockLog: WrappedLog {
    let promises: Promises = [.durable, .shared]
    private let cluster: MockCluster
    let log: any EventLog

    init() async throws {
        cluster = try MockCluster()
        log = try await KafkaLog(
            brokers: cluster.brokers,
            properties: ["fetch.wait.max.ms": "10", "session.timeout.ms": "8000", "heartbeat.interval.ms": "100"],
            limit: .seconds(30))
    }

    func create(_ topics: [Topic]) async throws {
        for topic in topics { try cluster.create(topic.name, partitions: topic.partitions) }
    }

    func topics() async throws -> [Topic] {
        let admin = try Admin(["bootstrap.servers": cluster.brokers], limit: .seconds(30))
        let found = try await admin.topics()
        await admin.close()
        return found.map { Topic($0.name, partitions: $0.partitions, key: "", schema: "", owner: "") }
    }

    func close() async { await log.close() }
}
