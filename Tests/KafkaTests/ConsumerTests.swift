import Kafka
import Testing

@Suite struct ConsumerTests {
    private func properties(_ cluster: MockCluster) -> [String: String] {
        ["bootstrap.servers": cluster.brokers, "fetch.wait.max.ms": "10", "group.id": "test"]
    }

    @Test func `a poll's messages are slices of one arena, and the partition's end is told`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let producer = try Producer(.producer(properties(cluster)))
        let messages = (0..<100).map { OutgoingMessage(key: [UInt8($0)], value: [1, 2, 3, UInt8($0)]) }
        _ = try await producer.produce([OutgoingBatch(topic: "t", partition: 0, messages)])
        await producer.close()
        let consumer = try Consumer(.consumer(properties(cluster)))
        try await consumer.assign([KafkaPartition("t", 0): 90])
        var read: [KafkaMessage] = []
        let end = try await until("the end") {
            let batches = try await consumer.poll(max: 1000, wait: .seconds(1)).batches
            read += batches.flatMap(\.messages)
            return batches.last?.next == 100 ? batches.last : nil
        }
        #expect(end.source == KafkaPartition("t", 0))
        #expect(read.map(\.value) == messages[90...].map(\.value))
        if read.count > 1, let first = read[0].value, let second = read[1].key {
            #expect(first.endIndex == second.startIndex)
        }
        await consumer.close()
    }

    @Test func `a member that leaves before it was given anything leaves the process alone`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        // REBALANCE_IN_PROGRESS: it joins, and joins again, and is not told what is its.
        cluster.fail(.syncGroup, with: Array(repeating: .rebalancing, count: 1000))
        let consumer = try Consumer(.consumer(properties(cluster)))
        try await consumer.subscribe(["t"])
        _ = try await until("the first generation") {
            let polled = try await consumer.poll(max: 1, wait: .milliseconds(10))
            #expect(polled.rebalance == nil)
            return try await consumer.groupMetadata()
        }
        await consumer.close()
    }

    @Test func `a poll ends when its task is cancelled`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let consumer = try Consumer(.consumer(properties(cluster)))
        let began = ContinuousClock.now
        let waiting = Task { try await consumer.poll(max: 1, wait: .seconds(600)) }
        waiting.cancel()
        let polled = try await waiting.value
        #expect(polled.batches.isEmpty)
        #expect(ContinuousClock.now - began < patience)
        await consumer.close()
    }

    @Test func `a closed consumer says so`() async throws {
        let cluster = try MockCluster()
        let consumer = try Consumer(.consumer(properties(cluster)))
        await consumer.close()
        await #expect(throws: KafkaError.self) { try await consumer.poll(max: 1, wait: .zero) }
    }
}
