import EventLog
import EventModel
import Kafka
import KafkaLog
import Testing

/// Errors that the mock cluster makes on purpose.
@Suite struct FailureTests {
    /// A log, and a member that has the topic's only partition.
    private func withMember(
        _ body: (MockCluster, KafkaLog, any GroupMember, TopicPartition) async throws -> Void
    ) async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let log = try await KafkaLog(
            brokers: cluster.brokers,
            properties: ["fetch.wait.max.ms": "10", "session.timeout.ms": "4000", "heartbeat.interval.ms": "100"],
            // Long enough for a machine that others keep busy.
            limit: .seconds(30))
        let member = try await log.join("g", topics: ["t"])
        _ = try await member.take(1)
        try await body(cluster, log, member, TopicPartition("t", 0))
        await member.leave()
        await log.close()
    }

    @Test func `a transaction that may be tried again is told as aborted, and the next succeeds`() async throws {
        try await withMember { cluster, _, member, partition in
            let transaction = Transaction(appends: [Append(partition, records("a"))], consumed: [partition: 1])
            try await member.transact(transaction)
            // INVALID_PRODUCER_EPOCH: the coordinator has given the transaction up.
            cluster.fail(.endTransaction, with: [KafkaError.Code(rawValue: 47)])
            await #expect { try await member.transact(transaction) } throws: { ($0 as? LogError)?.kind == .aborted }
            for _ in 0..<3 { try await member.transact(transaction) }
        }
    }

    @Test func `a transaction that is not allowed is told as denied`() async throws {
        try await withMember { cluster, _, member, partition in
            let transaction = Transaction(appends: [Append(partition, records("a"))], consumed: [partition: 1])
            cluster.fail(.addPartitionsToTransaction, with: [.transactionDenied])
            await #expect { try await member.transact(transaction) } throws: { ($0 as? LogError)?.kind == .denied }
            for _ in 0..<3 { try await member.transact(transaction) }
        }
    }

    @Test func `a coordinator that is away for a moment is asked again`() async throws {
        try await withMember { cluster, _, member, partition in
            let transaction = Transaction(appends: [Append(partition, records("a"))], consumed: [partition: 1])
            // COORDINATOR_LOAD_IN_PROGRESS and CONCURRENT_TRANSACTIONS.
            cluster.fail(.addPartitionsToTransaction, with: [KafkaError.Code(rawValue: 51)])
            cluster.fail(.endTransaction, with: [KafkaError.Code(rawValue: 14)])
            let offsets = try await member.transact(transaction)
            #expect(offsets == [[0]])
        }
    }

    @Test func `a topic is there while one of its partitions has no leader`() async throws {
        let cluster = try MockCluster()
        try cluster.create("whole", partitions: 2)
        try cluster.create("orphaned", partitions: 2)
        cluster.removeLeader(of: "orphaned", 1)
        let admin = try Admin(["bootstrap.servers": cluster.brokers])
        let found = try await admin.topics().filter(\.exists)
        #expect(found.map(\.name) == ["orphaned", "whole"])
        #expect(found.map(\.isReady) == [false, true] && found.map(\.partitions) == [2, 2])
        await admin.close()
    }

    @Test func `topics are waited for until each partition has a leader, or their limit`() async throws {
        let cluster = try MockCluster()
        for topic in ["a", "b", "c"] { try cluster.create(topic, partitions: 2) }
        for topic in ["b", "c"] { cluster.removeLeader(of: topic, 1) }
        let log = try await KafkaLog(brokers: cluster.brokers)
        try await log.waitForLeaders(of: ["a"], within: .zero)
        await #expect {
            try await log.waitForLeaders(of: ["a", "b", "c"], within: .milliseconds(1))
        } throws: {
            "\($0)".contains("topic b and 1 more has no leader for every partition after")
        }
        async let waiting: Void = log.waitForLeaders(of: ["b"], within: patience)
        cluster.restoreLeader(of: "b", 1)
        try await waiting
        // What is there already is compared, and not waited for.
        try await log.create([Topic("c", partitions: 2, key: "", schema: "", owner: "")])
        await log.close()
    }

    /// What brokers say while a topic is new, or a leader or coordinator moves: by Kafka's numbers UNKNOWN_TOPIC_OR_PARTITION,
    /// LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH and OFFSET_NOT_AVAILABLE; of coordinators
    /// COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE and NOT_COORDINATOR.
    @Test(arguments: [3, 5, 6, 74, 78] as [Int32])
    func `leaders that move are asked for offsets again`(_ code: Int32) async throws {
        try await withMember { cluster, log, _, partition in
            _ = try await log.append([Append(partition, records("a"))])
            let refusals = Array(repeating: KafkaError.Code(rawValue: code), count: 3)
            cluster.fail(.listOffsets, with: refusals)
            #expect(try await log.bounds(of: [partition]) == [partition: 0..<1])
            cluster.fail(.listOffsets, with: refusals)
            _ = try await log.offsets(of: [partition], at: 0)
        }
    }

    @Test(arguments: [14, 15, 16] as [Int32])
    func `coordinators that move are asked for a group's offsets again`(_ code: Int32) async throws {
        try await withMember { cluster, log, member, partition in
            try await member.commit([partition: 1])
            cluster.fail(.offsetFetch, with: Array(repeating: KafkaError.Code(rawValue: code), count: 3))
            #expect(try await log.committed("g", [partition]) == [partition: 1])
            cluster.fail(.offsetCommit, with: Array(repeating: KafkaError.Code(rawValue: code), count: 3))
            try await member.commit([partition: 2])
            #expect(try await log.committed("g", [partition]) == [partition: 2])
        }
    }

    /// What a broker says where the group went on without a member that was slow to commit.
    @Test func `a commit is tried again while the group rebalances, and told as fenced under an old generation`()
        async throws
    {
        try await withMember { cluster, log, member, partition in
            cluster.fail(.offsetCommit, with: Array(repeating: .rebalancing, count: 3))
            try await member.commit([partition: 1])
            #expect(try await log.committed("g", [partition]) == [partition: 1])
            cluster.fail(
                .offsetCommit,
                with: Array(repeating: .rebalancing, count: 3) + Array(repeating: .illegalGeneration, count: 1000))
            await #expect { try await member.commit([partition: 2]) } throws: { ($0 as? LogError)?.kind == .fenced }
            #expect(try await log.committed("g", [partition]) == [partition: 1])
        }
    }

    @Test func `a topic that has gone is said to be unknown, not waited for`() async throws {
        try await withMember { cluster, log, _, _ in
            let began = ContinuousClock.now
            await #expect(throws: LogError.unknown("u")) { try await log.bounds(of: [TopicPartition("u", 0)]) }
            #expect(ContinuousClock.now - began < .seconds(20), "the limit is 30 s")
        }
    }

    @Test func `leaving ends soon even where no broker answers`() async throws {
        try await withMember { cluster, log, member, partition in
            try await member.transact(Transaction(appends: [Append(partition, records("a"))], consumed: [partition: 1]))
            cluster.down()
            let began = ContinuousClock.now
            await member.leave()
            await log.close()
            #expect(ContinuousClock.now - began < patience)
        }
    }

    @Test func `an append that no broker answers is told as unreachable`() async throws {
        let cluster = try MockCluster()
        try cluster.create("t", partitions: 1)
        let log = try await KafkaLog(brokers: cluster.brokers, properties: ["message.timeout.ms": "1000"])
        _ = try await log.append([Append(TopicPartition("t", 0), records("a"))])
        cluster.down()
        do {
            _ = try await log.append([Append(TopicPartition("t", 0), records("b"))])
            Issue.record("an append came through without a broker")
        } catch let error as LogError {
            #expect(error.kind == .unreachable)
            #expect(error.message.contains("\(cluster.brokers) within 1 s"))
        }
        cluster.up()
        _ = try await until("an append after the broker is back") {
            do {
                return try await log.append([Append(TopicPartition("t", 0), records("c"))])
            } catch let error as LogError where error.kind == .unreachable {
                return nil
            }
        }
        await log.close()
    }
}
