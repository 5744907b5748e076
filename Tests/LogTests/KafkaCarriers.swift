import EventLog
import EventModel
import Foundation
import Kafka
import KafkaLog
import TestSupport

extension Carrier {
    /// librdkafka's mock cluster, one for the run. Its records live as long as it does; it hides no transaction that is
    /// open, knows no times, and forgets a partition's oldest records past 5 MiB.
    static let mock = Carrier(name: "kafka (mock)", promises: [.durable, .shared], maintained: false) {
        let cluster = try Self.cluster.get()
        return Home(open: { try await MockLog(cluster) })
    }
    private static let cluster = Result { try MockCluster() }

    /// The broker of `MILLRACE_TEST_KAFKA=host:port`, where that is set.
    static let broker = ProcessInfo.processInfo.environment["MILLRACE_TEST_KAFKA"].map { address in
        Carrier(
            name: "kafka", promises: [.durable, .transactions, .fencing, .timeIndex, .shared], maintained: false
        ) {
            Home(open: { try await KafkaLog(brokers: address) })
        }
    }
}

/// The log on Kafka, where the mock cluster has to be asked in its own way: for new topics, and for no configurations.
struct MockLog: WrappedLog {
    let promises: Promises = [.durable, .shared]
    private let cluster: MockCluster
    let log: any EventLog

    init(_ cluster: MockCluster) async throws {
        self.cluster = cluster
        // Its long poll does not wake on new data, and a rebalance ends a second before a session would: members must
        // come to it in that time on a busy machine too.
        log = try await KafkaLog(
            brokers: cluster.brokers,
            properties: ["fetch.wait.max.ms": "10", "session.timeout.ms": "8000", "heartbeat.interval.ms": "100"],
            limit: .seconds(30))
    }

    func create(_ topics: [Topic]) async throws {
        let there = Dictionary(try await self.topics().map { ($0.name, $0.partitions) }) { $1 }
        var mismatch: LogError?
        for topic in topics {
            guard let has = there[topic.name] else {
                try cluster.create(topic.name, partitions: topic.partitions)
                continue
            }
            if has != topic.partitions { mismatch = .mismatch(topic.name, has: has, wanted: topic.partitions) }
        }
        if let mismatch { throw mismatch }
    }

    func topics() async throws -> [Topic] {
        let admin = try Admin(["bootstrap.servers": cluster.brokers], limit: .seconds(30))
        let found = try await admin.topics()
        await admin.close()
        return found.map { Topic($0.name, partitions: $0.partitions, key: "", schema: "", owner: "") }
    }

    func close() async { await log.close() }
}
