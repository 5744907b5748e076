import EventLog
import EventModel
import Kafka
import KafkaLog
import Synchronization
import Testing

/// Lines that were told.
final class Told: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func contains(_ some: String) -> Bool { all.contains { $0.contains(some) } }
    func patience(_ limit: Duration) -> Patience { Patience(limit) { line in self.lines.withLock { $0.append(line) } } }

    func wait(for some: String) async throws {
        _ = try await until("\(some), after \(all)") { () -> Bool? in
            if contains(some) { return true }
            try await Task.sleep(for: .milliseconds(20))
            return nil
        }
    }
}

/// Workers that wait for brokers longer than a question may take.
@Suite struct PatienceTests {
    private static let properties = [
        "fetch.wait.max.ms": "10", "session.timeout.ms": "8000", "heartbeat.interval.ms": "100",
    ]

    /// A log with much patience whose questions may take a second, so that each wait is longer than that.
    private func withLog(
        _ patience: Duration = .seconds(100), _ body: (MockCluster, KafkaLog, Told, TopicPartition) async throws -> Void
    ) async throws {
        let (cluster, told) = (try MockCluster(brokers: 3), Told())
        try cluster.create("t", partitions: 1)
        cluster.lead("t", 0, by: 1)
        let log = try await KafkaLog(
            brokers: cluster.brokers, properties: Self.properties, limit: .seconds(2), patience: told.patience(patience)
        )
        do {
            try await body(cluster, log, told, TopicPartition("t", 0))
        } catch {
            await log.close()
            throw error
        }
        await log.close()
    }

    @Test func `a leader that is away is waited for, with a word at the beginning and one at the end`() async throws {
        try await withLog { cluster, log, told, partition in
            _ = try await log.append([Append(partition, records("a"))])
            cluster.removeLeader(of: "t", 0)
            async let bounds = log.bounds(of: [partition])
            try await told.wait(for: "waiting for a leader of t/0, for 100 s at most")
            cluster.lead("t", 0, by: 2)
            #expect(try await bounds[partition] != nil)
            try await told.wait(for: "going on after")
            #expect(told.all.filter { $0.contains("waiting for a leader of t/0") }.count == 1, "\(told.all)")
        }
    }

    @Test func `many that wait for the same say so once`() async throws {
        try await withLog { cluster, log, told, partition in
            cluster.removeLeader(of: "t", 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { _ = try await log.bounds(of: [partition]) } }
                try await told.wait(for: "waiting for")
                cluster.lead("t", 0, by: 3)
                try await group.waitForAll()
            }
            #expect(told.all.filter { $0.contains("waiting for a leader of t/0") }.count == 1, "\(told.all)")
        }
    }

    @Test func `patience has an end, and says how long it was`() async throws {
        try await withLog(.seconds(4)) { cluster, log, _, partition in
            cluster.removeLeader(of: "t", 0)
            let began = ContinuousClock.now
            let error = await #expect(throws: LogError.self) { try await log.bounds(of: [partition]) }
            #expect(error?.kind == .unreachable || error?.kind == .failed, "\(String(describing: error))")
            #expect(error.map { $0.waited >= .seconds(4) } == true && ContinuousClock.now - began >= .seconds(4))
        }
    }

    @Test func `one of three brokers dies, and the members of a group that it coordinated go on`() async throws {
        try await withLog { cluster, log, told, partition in
            cluster.coordinate("g", by: 1)
            let member = try await log.join("g", topics: ["t"])
            _ = try await member.take(1)
            try await member.commit([partition: 1])
            cluster.down(1)
            cluster.lead("t", 0, by: 2)
            cluster.coordinate("g", by: 3)
            // The new coordinator may have missed the member meanwhile: then it joins anew, as a worker does.
            var present = member
            _ = try await until("a commit") { () -> Bool? in
                do {
                    try await present.commit([partition: 2])
                    return true
                } catch let error as LogError where error.kind == .fenced {
                    await present.leave()
                    present = try await log.join("g", topics: ["t"])
                    _ = try await present.take(1)
                    return nil
                }
            }
            _ = try await log.append([Append(partition, records("a"))])
            #expect(try await log.committed("g", [partition]) == [partition: 2])
            await present.leave()
        }
    }

    @Test func `members and readers outlast brokers that are all away, longer than an answer may take`() async throws {
        try await withLog { cluster, log, told, partition in
            let (member, reader) = (try await log.join("g", topics: ["t"]), try await log.reader(from: [partition: 0]))
            _ = try await member.take(1)
            cluster.down()
            let began = ContinuousClock.now
            while ContinuousClock.now - began < .seconds(8) || !told.contains("waiting for a broker") {
                _ = try await member.next(max: 10, wait: .milliseconds(100))
                _ = try await reader.next(max: 10, wait: .milliseconds(100))
                try #require(ContinuousClock.now - began < patience)
            }
            cluster.up()
            _ = try await until("an append") {
                do {
                    return try await log.append([Append(partition, records("a"))])
                } catch let error as LogError where error.mayPass {
                    return nil
                }
            }
            #expect(try await reader.values(to: 1) == ["a"])
            await reader.close()
            await member.leave()
        }
    }

    @Test func `a topic that is gone stops its member within a bound, which says so`() async throws {
        try await withLog { cluster, log, told, _ in
            let member = try await log.join("g", topics: ["t"])
            _ = try await member.take(1)
            cluster.say(.unknownTopic, of: "t")
            let began = ContinuousClock.now
            let error = try await until("the end") { () -> LogError? in
                do {
                    _ = try await member.next(max: 10, wait: .milliseconds(100))
                    return nil
                } catch let error as LogError {
                    return error
                }
            }
            #expect(error.kind == .unknownTopic && error.topic == "t", "\(error)")
            #expect(told.contains("g: the topic t is not on the log any more"), "\(told.all)")
            #expect(ContinuousClock.now - began < .seconds(60))
            let leaving = ContinuousClock.now
            await member.leave()
            #expect(ContinuousClock.now - leaving < .seconds(40))
        }
    }

    @Test func `a topic that is away for a moment stops nobody`() async throws {
        try await withLog { cluster, log, told, partition in
            let member = try await log.join("g", topics: ["t"])
            _ = try await member.take(1)
            cluster.say(.unknownTopic, of: "t")
            _ = try await until("a word") { () -> Bool? in
                _ = try await member.next(max: 10, wait: .milliseconds(100))
                return told.contains("is not on the log any more") ? true : nil
            }
            cluster.say(nil, of: "t")
            _ = try await until("another") { () -> Bool? in
                _ = try await member.next(max: 10, wait: .milliseconds(100))
                return told.contains("the topic t is there again") ? true : nil
            }
            await member.leave()
        }
    }
}
