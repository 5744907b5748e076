import EventLog
import EventModel
import Kafka
import KafkaLog
import Testing

/// What the mock cluster cannot do: transactions, fencing, times and topics' configurations.
@Suite(.enabled(if: Site.brokerAddress != nil, "set MILLRACE_TEST_KAFKA=host:port"))
struct BrokerTests {
    @Test func `topics are made once and described`() async throws {
        try await Site.broker.withLog { log, _ in
            let kept = Topic(
                fresh("kept"), partitions: 3, retention: .seconds(3600), key: "", schema: "", owner: "")
            let compact = Topic(fresh("compact"), partitions: 1, cleanup: .compact, key: "", schema: "", owner: "")
            try await log.create([kept, compact])
            try await log.create([kept, compact])
            let found = try await log.topics().filter { [kept.name, compact.name].contains($0.name) }
            #expect(found.allSatisfy { $0.minInSync ?? 0 >= 1 && $0.maxMessageBytes ?? 0 > 0 }, "the broker's own")
            let asked = found.map { topic in
                var topic = topic
                (topic.minInSync, topic.maxMessageBytes) = (nil, nil)
                return topic
            }
            #expect(Set(asked) == [kept, compact])
            var wider = kept
            wider.partitions = 4
            await #expect(throws: LogError.mismatch(kept.name, has: 3, wanted: 4)) { try await log.create([wider]) }
        }
    }

    @Test func `offsets are found by time`() async throws {
        try await Site.broker.withLog(2) { log, topic in
            let a = TopicPartition(topic, 0)
            let b = TopicPartition(topic, 1)
            let times: [Timestamp] = [1_000_000, 2_000_000, 3_000_000]
            _ = try await log.append([Append(a, times.map { NewRecord(key: "k", value: "v", timestamp: $0) })])
            #expect(try await log.offsets(of: [a, b], at: 2_000_000) == [a: 1, b: 0])
            #expect(try await log.offsets(of: [a], at: 2_000_001) == [a: 2])
            #expect(try await log.offsets(of: [a], at: 9_000_000) == [a: 3])
        }
    }

    @Test func `a transaction's records, replies and offsets appear together`() async throws {
        try await Site.broker.withLog(2) { log, topic in
            let commands = TopicPartition(topic, 0)
            let events = TopicPartition(topic, 1)
            let group = fresh("group")
            _ = try await log.append([Append(commands, records("do"))])
            let member = try await log.join(group, topics: [topic])
            #expect(try await member.values(1) == ["do"])
            let offsets = try await member.transact(
                Transaction(appends: [Append(events, records("done"))], consumed: [commands: 1]) { offsets in
                    [Append(events, records("at \(offsets[0][0])"))]
                })
            #expect(offsets == [[0], [1]])
            #expect(try await log.committed(group, [commands]) == [commands: 1])
            let reader = try await log.reader(from: [events: 0])
            let end = try #require(try await log.bounds(of: [events])[events]).upperBound
            #expect(end > 2, "a marker follows the records")
            #expect(try await reader.values(to: end) == ["done", "at 0"])
            await reader.close()
            await member.leave()
        }
    }

    @Test func `many transactions keep their order`() async throws {
        try await Site.broker.withLog(2) { log, topic in
            let commands = TopicPartition(topic, 0)
            let events = TopicPartition(topic, 1)
            let group = fresh("group")
            let member = try await log.join(group, topics: [topic])
            _ = try await member.take(2)
            for i in 0..<20 {
                try await member.transact(
                    Transaction(appends: [Append(events, records("\(i)"))], consumed: [commands: Offset(Int64(i + 1))]))
            }
            let reader = try await log.reader(from: [events: 0])
            let end = try #require(try await log.bounds(of: [events])[events]).upperBound
            #expect(try await reader.values(to: end) == (0..<20).map(String.init))
            #expect(try await log.committed(group, [commands]) == [commands: 20])
            await reader.close()
            await member.leave()
        }
    }

    @Test func `a transaction that fails leaves nothing to be seen, and the next succeeds`() async throws {
        try await Site.broker.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            let group = fresh("group")
            let member = try await log.join(group, topics: [topic])
            _ = try await member.take(1)
            let failing = Transaction(appends: [Append(partition, records("never"))], consumed: [partition: 1]) { _ in
                [Append(TopicPartition("no-such-topic", 0), records("reply"))]
            }
            await #expect(throws: LogError.unknown("no-such-topic")) { try await member.transact(failing) }
            #expect(try await log.committed(group, [partition]) == [:])
            for i in 0..<4 {
                try await member.transact(
                    Transaction(appends: [Append(partition, records("\(i)"))], consumed: [partition: 1]))
            }
            let reader = try await log.reader(from: [partition: 0])
            let end = try #require(try await log.bounds(of: [partition])[partition]).upperBound
            #expect(try await reader.values(to: end) == ["0", "1", "2", "3"])
            await reader.close()
            await member.leave()
        }
    }

    @Test func `a member that another has replaced can write no more`() async throws {
        try await Site.broker.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            let group = fresh("group")
            // The first stops asking for deliveries, so that the group takes it for dead.
            let address = try #require(Site.brokerAddress)
            let slow = try await KafkaLog(
                brokers: address, properties: ["max.poll.interval.ms": "6000", "session.timeout.ms": "6000"])
            let first = try await slow.join(group, topics: [topic])
            _ = try await first.take(1)
            let second = try await log.join(group, topics: [topic])
            _ = try await second.take(1)
            await #expect {
                try await first.transact(
                    Transaction(appends: [Append(partition, records("stale"))], consumed: [partition: 1]))
            } throws: { ($0 as? LogError)?.kind == .fenced }
            await #expect { try await first.commit([partition: 1]) } throws: { ($0 as? LogError)?.kind == .fenced }
            try await second.transact(
                Transaction(appends: [Append(partition, records("valid"))], consumed: [partition: 1]))
            let reader = try await log.reader(from: [partition: 0])
            let end = try #require(try await log.bounds(of: [partition])[partition]).upperBound
            #expect(try await reader.values(to: end) == ["valid"])
            let lost = try await until("the loss") { () -> [TopicPartition]? in
                if case .lost(let partitions) = try await first.next(max: 1, wait: .milliseconds(100)) {
                    return partitions
                }
                return nil
            }
            #expect(lost == [partition])
            await reader.close()
            await first.leave()
            await second.leave()
            await slow.close()
        }
    }

    @Test func `the broker refuses offsets of a generation that is past, and the producer goes on after an abort`()
        async throws
    {
        try await Site.broker.withLog { log, topic in
            let group = fresh("group")
            let address = try #require(Site.brokerAddress)
            let member = ["bootstrap.servers": address, "group.id": group, "heartbeat.interval.ms": "100"]
            let producer = try Producer(
                .producer(["bootstrap.servers": address, "transactional.id": fresh("id"), "retry.backoff.ms": "5"]))
            try await producer.initTransactions(within: patience)
            let first = try Consumer(.consumer(member))
            try await first.subscribe([topic])
            try await first.take(1)
            let stale = try #require(try await first.groupMetadata())
            let second = try Consumer(.consumer(member))
            try await second.subscribe([topic])
            _ = try await until("the next generation") { () -> Bool? in
                try await first.answer()
                try await second.answer()
                guard let now = try await first.groupMetadata() else { return nil }
                return now.generation > stale.generation ? true : nil
            }
            let error = try await transact(producer, topic, stale)
            #expect(error?.code == .illegalGeneration)
            #expect(error?.needsAbort == true)
            try await producer.abort(within: patience)
            let current = try #require(try await first.groupMetadata())
            #expect(try await transact(producer, topic, current) == nil)
            try await producer.commit(within: patience)
            #expect(try await log.committed(group, [TopicPartition(topic, 0)]) == [TopicPartition(topic, 0): 1])
            await producer.close()
            await first.close()
            await second.close()
        }
    }

    @Test func `a transaction of one call commits only what went where it should`() async throws {
        try await Site.broker.withLog { log, topic in
            let address = try #require(Site.brokerAddress)
            let group = fresh("group")
            let consumer = try Consumer(.consumer(["bootstrap.servers": address, "group.id": group]))
            try await consumer.subscribe([topic])
            try await consumer.take(1)
            let producer = try Producer(
                .producer(["bootstrap.servers": address, "transactional.id": fresh("id"), "retry.backoff.ms": "5"]))
            try await producer.initTransactions(within: patience)
            func write(_ value: UInt8, consumed: Int64, expecting offset: Int64) async throws -> TransactionEnd {
                try await producer.transact(
                    [OutgoingBatch(topic: topic, partition: 0, [OutgoingMessage(key: nil, value: [value])])],
                    sending: [KafkaPartition(topic, 0): consumed],
                    of: { () throws(KafkaError) in
                        guard let place = try consumer.groupMetadataAtOnce() else {
                            throw KafkaError(.unknownMember, "it has no place")
                        }
                        return place
                    }, within: patience, committingWithin: patience
                ) { written in written.first?.first?.offset == offset }
            }
            guard case .committed(let first) = try await write(65, consumed: 1, expecting: 0) else {
                Issue.record("it went elsewhere")
                return
            }
            #expect(first.map { $0.map(\.offset) } == [[0]])
            guard case .elsewhere(let second) = try await write(66, consumed: 7, expecting: 99) else {
                Issue.record("it was committed")
                return
            }
            #expect(second.map { $0.map(\.offset) } == [[2]])
            try await producer.abort(within: patience)
            guard case .committed = try await write(67, consumed: 2, expecting: 4) else {
                Issue.record("it went elsewhere")
                return
            }
            #expect(try await log.committed(group, [TopicPartition(topic, 0)]) == [TopicPartition(topic, 0): 2])
            let reader = try await log.reader(from: [TopicPartition(topic, 0): 0])
            #expect(try await reader.values(to: 6) == ["A", "C"])
            await reader.close()
            await producer.close()
            // Who is gone has no place, whatever thread asks.
            await consumer.close()
            #expect(throws: KafkaError.self) { try consumer.groupMetadataAtOnce() }
        }
    }

    @Test func `an open transaction counts in the bounds, and is read only once it is committed`() async throws {
        try await Site.broker.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            let address = try #require(Site.brokerAddress)
            let producer = try Producer(.producer(["bootstrap.servers": address, "transactional.id": fresh("id")]))
            try await producer.initTransactions(within: patience)
            try await producer.begin()
            _ = try await producer.produce([
                OutgoingBatch(topic: topic, partition: 0, [OutgoingMessage(key: nil, value: [65])])
            ])
            _ = try await log.append([Append(partition, records("after"))])
            #expect(try await log.bounds(of: [partition]) == [partition: 0..<2])
            let reader = try await log.reader(from: [partition: 0])
            #expect(try await reader.next(max: 10, wait: .milliseconds(300)).isEmpty)
            try await producer.commit(within: patience)
            #expect(try await reader.values(to: 3) == ["A", "after"])
            await reader.close()
            await producer.close()
        }
    }

    @Test func `what a member commits between revocation and release is where the next goes on`() async throws {
        try await Site.broker.withLog(2) { log, topic in
            let group = fresh("group")
            let first = try await log.join(group, topics: [topic])
            var mine = try await first.take(2)
            let second = try await log.join(group, topics: [topic])
            let revoked = try await until("a revocation") { () -> [TopicPartition]? in
                _ = try await second.next(max: 1, wait: .milliseconds(50))
                if case .revoked(let partitions) = try await first.next(max: 1, wait: .milliseconds(50)) {
                    return partitions
                }
                return nil
            }
            mine.subtract(revoked)
            let moved = try #require(revoked.first)
            // Another's record, which the first must not be given any more.
            _ = try await log.append([Append(moved, records("a", "b"))])
            try await first.commit([moved: 1])
            try await first.release(revoked)
            // The group goes on when its members ask for what comes next.
            async let delivered = second.values(1)
            while case .records = try await first.next(max: 1, wait: .seconds(1)) {}
            #expect(try await delivered == ["b"])
            await #expect(throws: LogError.self) { try await first.commit([moved: 2]) }
            await first.leave()
            await second.leave()
        }
    }

    @Test func `reading from before the first record kept starts with it`() async throws {
        try await Site.broker.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            _ = try await log.append([Append(partition, records("a", "b", "c"))])
            let admin = try Admin(["bootstrap.servers": try #require(Site.brokerAddress)])
            try await admin.deleteRecords(before: [KafkaPartition(topic, 0): 2])
            #expect(try await log.bounds(of: [partition]) == [partition: 2..<3])
            let reader = try await log.reader(from: [partition: 0])
            #expect(try await reader.values(to: 3) == ["c"])
            await reader.close()
            #expect(try await admin.delete([topic]) == [:])
            await admin.close()
        }
    }

    /// Begins a transaction and sends an offset with it; returns what the broker says against that.
    private func transact(_ producer: Producer, _ topic: String, _ group: GroupMetadata) async throws -> KafkaError? {
        try await producer.begin()
        _ = try await producer.produce([
            OutgoingBatch(topic: topic, partition: 0, [OutgoingMessage(key: nil, value: [1])])
        ])
        do {
            try await producer.send(offsets: [KafkaPartition(topic, 0): 1], of: group, within: patience)
            return nil
        } catch {
            return error
        }
    }

    @Test func `what was appended is there after closing and opening`() async throws {
        try await Site.broker.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            _ = try await log.append([Append(partition, records("a", "b"))])
            let again = try await KafkaLog(brokers: try #require(Site.brokerAddress))
            let reader = try await again.reader(from: [partition: 0])
            #expect(try await reader.values(to: 2) == ["a", "b"])
            await reader.close()
            await again.close()
        }
    }

    @Test func `a reader from past the end says so`() async throws {
        try await Site.broker.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            _ = try await log.append([Append(partition, records("a", "b"))])
            let reader = try await log.reader(from: [partition: 10])
            let error = try await until("an error") { () -> LogError? in
                do {
                    _ = try await reader.next(max: 1, wait: .milliseconds(200))
                    return nil
                } catch let error as LogError {
                    return error
                }
            }
            #expect(error.kind == .damaged)
            await reader.close()
        }
    }
}

extension Consumer {
    /// Polls once and goes along with what the group wants.
    @discardableResult
    fileprivate func answer() async throws -> [KafkaPartition] {
        switch try await poll(max: 1000, wait: .milliseconds(50)).rebalance {
        case .assigned(let partitions):
            try await add(partitions.reduce(into: [:]) { $0[$1] = KafkaOffset.stored })
            return partitions
        case .revoked(let partitions), .lost(let partitions):
            try await remove(partitions)
            return []
        case nil: return []
        }
    }

    fileprivate func take(_ count: Int) async throws {
        var mine = 0
        _ = try await until("an assignment of \(count) partitions") {
            mine += try await answer().count
            return mine == count ? true : nil
        }
    }
}
