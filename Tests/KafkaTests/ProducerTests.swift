import Kafka
import Testing

@Suite struct ProducerTests {
    private func properties(_ cluster: MockCluster, _ more: [String: String] = [:]) -> [String: String] {
        ["bootstrap.servers": cluster.brokers, "fetch.wait.max.ms": "10", "group.id": "test"].merging(more) { $1 }
    }

    /// Reads one partition from its start until that many messages are there.
    private func read(
        _ cluster: MockCluster, _ topic: String, _ count: Int, headers: Bool = true
    ) async throws -> [KafkaMessage] {
        let consumer = try Consumer(.consumer(properties(cluster)), headers: headers)
        try await consumer.assign([KafkaPartition(topic, 0): 0])
        var messages: [KafkaMessage] = []
        _ = try await until("\(count) messages") {
            messages += try await consumer.poll(max: 1000, wait: .seconds(1)).batches.flatMap(\.messages)
            return messages.count >= count ? true : nil
        }
        await consumer.close()
        return messages
    }

    @Test func `a message comes back with its key, value, timestamp and headers`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let producer = try Producer(.producer(properties(cluster)))
        let headers = [MessageHeader("id", [1, 2, 3]), MessageHeader("empty", []), MessageHeader("none", nil)]
        let message = OutgoingMessage(key: [7], value: [8, 9], timestamp: 1234, headers: headers)
        let written = try await producer.produce([OutgoingBatch(topic: "t", partition: 0, [message])])
        await producer.close()
        let read = try await read(cluster, "t", 1)
        #expect(written == [[Written(partition: 0, offset: 0)]])
        #expect(read == [KafkaMessage(offset: 0, timestamp: 1234, key: [7], value: [8, 9], headers: headers)])
    }

    @Test func `headers are left out where they are not asked for`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let producer = try Producer(.producer(properties(cluster)))
        let messages = [
            OutgoingMessage(key: [7], value: [8], timestamp: 1234, headers: [MessageHeader("id", [1])]),
            OutgoingMessage(key: nil, value: [9], timestamp: 1235),
        ]
        _ = try await producer.produce([OutgoingBatch(topic: "t", partition: 0, messages)])
        await producer.close()
        #expect(
            try await read(cluster, "t", 2, headers: false) == [
                KafkaMessage(offset: 0, timestamp: 1234, key: [7], value: [8]),
                KafkaMessage(offset: 1, timestamp: 1235, key: nil, value: [9]),
            ])
    }

    @Test func `no key and an empty key are told apart, and so are values`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let producer = try Producer(.producer(properties(cluster)))
        let messages = [
            OutgoingMessage(key: nil, value: []), OutgoingMessage(key: [], value: nil),
            OutgoingMessage(key: [1], value: [2]),
        ]
        _ = try await producer.produce([OutgoingBatch(topic: "t", partition: 0, messages)])
        await producer.close()
        let read = try await read(cluster, "t", 3)
        #expect(read.map(\.key) == [nil, [], [1]])
        #expect(read.map(\.value) == [[], nil, [2]])
    }

    @Test func `a batch larger than the queue waits for room and keeps its order`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let producer = try Producer(.producer(properties(cluster, ["queue.buffering.max.messages": "10"])))
        let messages = (0..<500).map { OutgoingMessage(key: nil, value: [UInt8($0 & 255), UInt8($0 >> 8)]) }
        let written = try await producer.produce([OutgoingBatch(topic: "t", partition: 0, messages)])
        await producer.close()
        #expect(written[0].map(\.offset) == Array(0..<500))
        #expect(try await read(cluster, "t", 500).map(\.value) == messages.map(\.value))
    }

    @Test func `a key goes where Java clients put it`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 10)
        let producer = try Producer(.producer(properties(cluster)))
        // From the tests of org.apache.kafka.common.utils.Utils.murmur2: hashes -973932308, -790332482, -985981536.
        let messages = ["21", "foobar", "a-little-bit-long-string"].map {
            OutgoingMessage(key: Array($0.utf8)[...], value: [1])
        }
        let written = try await producer.produce([OutgoingBatch(topic: "t", messages)])
        await producer.close()
        let hashes: [Int32] = [-973_932_308, -790_332_482, -985_981_536]
        #expect(written[0].map(\.partition) == hashes.map { ($0 & 0x7fff_ffff) % 10 })
    }

    @Test func `an append is repeated after a broker's passing error`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let producer = try Producer(.producer(properties(cluster, ["retry.backoff.ms": "5"])))
        cluster.fail(.produce, with: [.noLeader, .timedOutAtBroker])
        let written = try await producer.produce([
            OutgoingBatch(topic: "t", partition: 0, [OutgoingMessage(key: nil, value: [1])])
        ])
        #expect(written[0].count == 1)
        await producer.close()
    }

    @Test func `closing lets everybody go who still waits`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let producer = try Producer(.producer(properties(cluster, ["queue.buffering.max.messages": "2"])))
        _ = try await producer.produce([
            OutgoingBatch(topic: "t", partition: 0, [OutgoingMessage(key: nil, value: [1])])
        ])
        cluster.down()
        let batch = OutgoingBatch(
            topic: "t", partition: 0, Array(repeating: OutgoingMessage(key: nil, value: [2]), count: 50))
        async let first = Result { () async throws(KafkaError) in try await producer.produce([batch]) }
        async let second = Result { () async throws(KafkaError) in try await producer.produce([batch]) }
        await producer.close()
        for result in await [first, second] {
            #expect(throws: KafkaError.self) { try result.get() }
        }
        await #expect(throws: KafkaError.self) { try await producer.produce([batch]) }
    }

    @Test func `a wrong setting is named`() {
        #expect(throws: KafkaError.self) { _ = try Settings(["acks": "some"]) }
        do {
            _ = try Settings(["no.such.thing": "1"])
        } catch {
            #expect(error.message.contains("no.such.thing is wrong"))
        }
        do {
            _ = try Producer(.producer(["acks": "1"]))
        } catch {
            #expect(error.message.contains("acks"))
        }
    }

    @Test func `statistics arrive as JSON`() async throws {
        let cluster = try MockCluster()
        let producer = try Producer(.producer(properties(cluster, ["statistics.interval.ms": "10"])))
        let statistics = try await until("statistics") { producer.statistics }
        #expect(statistics.hasPrefix("{"))
        await producer.close()
    }
}

extension KafkaError.Code {
    /// REQUEST_TIMED_OUT, which a broker may answer.
    static let timedOutAtBroker = KafkaError.Code(rawValue: 7)
}

extension Result where Failure == KafkaError {
    init(_ body: () async throws(KafkaError) -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
