import EventLog
import EventModel
import Foundation
import Kafka
import PrometheusExporter
import Testing

@testable import KafkaLog

@Suite("Statistics of clients", .timeLimit(.minutes(10)))
struct ClientStatisticsTests {
    /// Waits until the metrics have a line.
    ///
    /// - Parameter meanwhile: Done before each look.
    private func expect(
        _ line: Regex<Substring>, in registry: PrometheusRegistry, meanwhile: () async throws -> Void = {}
    ) async throws {
        let deadline = ContinuousClock.now + patience
        while await registry.text().firstMatch(of: line) == nil {
            if ContinuousClock.now > deadline {
                Issue.record("\(await registry.text())")
                return
            }
            try await meanwhile()
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func `are counted by kind of client, over clients that come and go`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 2)
        let registry = PrometheusRegistry()
        let log = try await KafkaLog(
            brokers: cluster.brokers, properties: ["statistics.interval.ms": "50", "fetch.wait.max.ms": "10"],
            limit: .seconds(10), patience: nil, membership: Membership(), metrics: registry, login: nil)
        let place = TopicPartition("t", 0)
        let records = (0..<10).map { NewRecord(key: Bytes("k\($0)"), value: "v", timestamp: 1) }
        _ = try await log.append([Append(place, records)])
        try await expect(/millrace_kafka_sent_messages_total{client="producer"} 10\n/, in: registry)
        // A time to a broker and back is told of the last interval alone: of none where nothing was sent.
        let other = Append(TopicPartition("t", 1), [NewRecord(key: "k", value: "v", timestamp: 1)])
        try await expect(
            /millrace_kafka_broker_rtt_seconds{client="producer",broker="127.0.0.1:\d+"} 0\.0/, in: registry,
            meanwhile: { _ = try await log.append([other]) })
        try await expect(/millrace_kafka_queue_messages{client="producer"} 0\n/, in: registry)
        for round in 1...2 {
            let reader = try await log.reader(from: [place: 0])
            var count = 0
            while count < 10 {
                count += try await reader.next(max: 100, wait: .seconds(1)).reduce(0) { $0 + $1.records.count }
            }
            let line = try Regex<Substring>(
                #"millrace_kafka_received_messages_total\{client="reader"\} \#(round * 10)\n"#)
            // Statistics come by its polls.
            let deadline = ContinuousClock.now + patience
            while await registry.text().firstMatch(of: line) == nil, ContinuousClock.now < deadline {
                _ = try await reader.next(max: 100, wait: .milliseconds(20))
            }
            let text = await registry.text()
            #expect(text.contains(line), "\(text)")
            await reader.close()
        }
        await log.close()
        withExtendedLifetime(cluster) {}
    }

    @Test func `what a client says is counted once, and gauges of one that is gone are gone`() async throws {
        let registry = PrometheusRegistry()
        let all = ClientStatistics(in: registry)
        func said(_ sent: Int, waiting: Int, errors: Int) -> String {
            """
            {"msg_cnt":\(waiting),"msg_size":\(waiting * 10),"txmsgs":\(sent),"txmsg_bytes":\(sent * 10),"rxmsgs":0,\
            "rxmsg_bytes":0,"more":{"than":["we","read"]},"brokers":{\
            "k:1/1":{"nodename":"k:1","txerrs":\(errors),"txretries":1,"req_timeouts":2,"rxerrs":0,"rtt":{"avg":1500,"cnt":1}},\
            "k:1/bootstrap":{"nodename":"k:1","txerrs":0,"txretries":0,"req_timeouts":0,"rxerrs":1,"rtt":{"avg":0,"cnt":0}},\
            "GroupCoordinator":{"nodename":"","txerrs":9,"txretries":0,"req_timeouts":0,"rxerrs":0,"rtt":{"avg":0,"cnt":0}}}}
            """
        }
        do {
            let (a, b) = (all.listener(of: "producer"), all.listener(of: "producer"))
            a(said(5, waiting: 2, errors: 1))
            a(said(5, waiting: 2, errors: 1))
            b(said(7, waiting: 3, errors: 0))
            a(said(6, waiting: 1, errors: 3))
            a("no JSON")
            let text = await registry.text()
            for line in [
                #"millrace_kafka_sent_messages_total{client="producer"} 13"#,
                #"millrace_kafka_queue_messages{client="producer"} 4"#,
                #"millrace_kafka_queue_bytes{client="producer"} 40"#,
                #"millrace_kafka_broker_errors_total{client="producer",broker="k:1"} 5"#,
                #"millrace_kafka_broker_retries_total{client="producer",broker="k:1"} 2"#,
                #"millrace_kafka_broker_timeouts_total{client="producer",broker="k:1"} 4"#,
                #"millrace_kafka_broker_rtt_seconds{client="producer",broker="k:1"} 0.0015"#,
            ] { #expect(text.contains("\(line)\n"), "\(line)\n\(text)") }
        }
        let text = await registry.text()
        #expect(text.contains("millrace_kafka_sent_messages_total{client=\"producer\"} 13\n"))
        #expect(!text.contains("millrace_kafka_queue_messages{") && !text.contains("rtt_seconds{"), "\(text)")
    }
}
