import EventLog
import EventModel
import Kafka
import KafkaLog
import Testing

@Suite struct KafkaLogTests {
    @Test(arguments: Site.all) func `records come back as they were appended`(_ site: Site) async throws {
        try await site.withLog(2) { log, topic in
            let record = NewRecord(key: "key", value: "value", timestamp: 5000, headers: [Header("id", "1")])
            let a = TopicPartition(topic, 0)
            let b = TopicPartition(topic, 1)
            let offsets = try await log.append([Append(a, [record, record]), Append(b, [record])])
            #expect(offsets == [[0, 1], [0]])
            let reader = try await log.reader(from: [a: 1])
            let batch = try await until("a record") { try await reader.next(max: 10, wait: .seconds(1)).first }
            await reader.close()
            #expect(batch.source == a && batch.next == 2)
            #expect(
                batch.records == [
                    Record(offset: 1, timestamp: 5000, key: "key", value: "value", headers: [Header("id", "1")])
                ])
            #expect(try await log.bounds(of: [a, b]) == [a: 0..<2, b: 0..<1])
        }
    }

    @Test(arguments: Site.all) func `what does not exist is named`(_ site: Site) async throws {
        try await site.withLog { log, topic in
            await #expect(throws: LogError.unknown("no-such-topic")) {
                try await log.append([Append(TopicPartition("no-such-topic", 0), records("a"))])
            }
            await #expect(throws: LogError.unknown(TopicPartition(topic, 1))) {
                try await log.append([Append(TopicPartition(topic, 1), records("a"))])
            }
            await #expect(throws: LogError.unknown(TopicPartition(topic, 7))) {
                _ = try await log.reader(from: [TopicPartition(topic, 7): 0])
            }
            await #expect(throws: LogError.unknown("no-such-topic")) {
                _ = try await log.join("g", topics: ["no-such-topic"])
            }
        }
    }

    @Test(arguments: Site.all) func `a record over a limit is refused before anything is written`(_ site: Site)
        async throws
    {
        try await site.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            let long = NewRecord(key: Bytes(repeating: 1, count: Limits.keyBytes + 1), value: "v", timestamp: 1)
            await #expect(throws: LogError.self) { try await log.append([Append(partition, records("a") + [long])]) }
            let bounds = try await log.bounds(of: [partition])
            #expect(bounds == [partition: 0..<0])
        }
    }

    @Test(arguments: Site.all) func `a reader waits for what is appended later`(_ site: Site) async throws {
        try await site.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            let reader = try await log.reader(from: [partition: 0])
            #expect(try await reader.next(max: 10, wait: .milliseconds(50)).isEmpty)
            async let values = reader.values(to: 1)
            _ = try await log.append([Append(partition, records("a"))])
            #expect(try await values == ["a"])
            await reader.close()
        }
    }

    @Test(arguments: Site.all) func `a group goes on where it committed`(_ site: Site) async throws {
        try await site.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            let group = fresh("group")
            _ = try await log.append([Append(partition, records("a", "b", "c"))])
            let first = try await log.join(group, topics: [topic])
            #expect(try await first.values(3) == ["a", "b", "c"])
            try await first.commit([partition: 2])
            #expect(try await log.committed(group, [partition]) == [partition: 2])
            await first.leave()
            let second = try await log.join(group, topics: [topic])
            #expect(try await second.values(1) == ["c"])
            await second.leave()
        }
    }

    @Test(arguments: Site.all) func `two members share the partitions, and one takes over when the other leaves`(
        _ site: Site
    ) async throws {
        try await site.withLog(2) { log, topic in
            let group = fresh("group")
            let first = try await log.join(group, topics: [topic])
            var mine = try await first.take(2)
            let second = try await log.join(group, topics: [topic])
            var theirs: Set<TopicPartition> = []
            _ = try await until("an even share") {
                try await first.settle(&mine)
                try await second.settle(&theirs)
                return mine.count == 1 && theirs.count == 1 ? true : nil
            }
            #expect(mine.isDisjoint(with: theirs))
            let gone = try #require(theirs.first)
            await #expect(throws: LogError.self) { try await first.commit([gone: 1]) }
            await second.leave()
            _ = try await until("the rest") {
                try await first.settle(&mine)
                return mine.count == 2 ? true : nil
            }
            try await first.commit([gone: 0])
            await first.leave()
        }
    }

    @Test(arguments: Site.all) func `a member may leave with a revocation in hand`(_ site: Site) async throws {
        try await site.withLog(2) { log, topic in
            let group = fresh("group")
            let first = try await log.join(group, topics: [topic])
            _ = try await first.take(2)
            let second = try await log.join(group, topics: [topic])
            _ = try await until("a revocation") { () -> Bool? in
                _ = try await second.next(max: 1, wait: .milliseconds(50))
                if case .revoked = try await first.next(max: 1, wait: .milliseconds(50)) { return true }
                return nil
            }
            await first.leave()
            #expect(try await second.take(2).count == 2)
            await second.leave()
        }
    }

    @Test func `an address where nobody answers is told within the time given`() async throws {
        let cluster = try MockCluster()
        cluster.down()
        let began = ContinuousClock.now
        do {
            _ = try await KafkaLog(brokers: cluster.brokers, limit: .seconds(1))
            Issue.record("a log was opened without a broker")
        } catch let error as LogError {
            #expect(error.kind == .unreachable)
            #expect(error.message.contains(cluster.brokers))
        }
        // A hang is what this is about; other tests may keep the machine busy.
        #expect(ContinuousClock.now - began < .seconds(60))
    }

    @Test func `a reader says when the brokers have gone`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let log = try await KafkaLog(
            brokers: cluster.brokers, properties: ["fetch.wait.max.ms": "10"], limit: .seconds(5))
        let reader = try await log.reader(from: [TopicPartition("t", 0): 0])
        cluster.down()
        let error = try await until("an error") { () -> LogError? in
            do {
                _ = try await reader.next(max: 1, wait: .milliseconds(200))
                return nil
            } catch let error as LogError {
                return error
            }
        }
        #expect(error.kind == .unreachable)
        await reader.close()
        await log.close()
    }

    @Test func `a closed log says so`() async throws {
        let cluster = try MockCluster()
        let log = try await KafkaLog(brokers: cluster.brokers)
        await log.close()
        await #expect(throws: LogError.wasClosed) { try await log.topics() }
        await #expect(throws: LogError.wasClosed) { try await log.append([]) }
    }
}
