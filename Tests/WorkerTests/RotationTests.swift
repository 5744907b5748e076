import EventLog
import EventModel
import Kafka
import KafkaLog
import Synchronization
import TestSupport
import Testing

/// A password that is changed while workers run, on a broker that hangs up on those who came in with the one before.
@Suite("A password that is changed", .timeLimit(.minutes(10))) struct RotationTests {
    private static let place = TopicPartition("t", 0)

    private final class Site: Sendable {
        let cluster: MockCluster
        let front: SASLFront
        let lines = Mutex<[String]>([])
        let password = Mutex("before")

        init() throws {
            cluster = try MockCluster()
            try cluster.create("t", partitions: 1)
            guard let port = cluster.brokers.split(separator: ":").last.flatMap({ Int($0) }) else {
                throw Overdue(description: "\(cluster.brokers) has no port")
            }
            front = try SASLFront(to: port, password: "before")
        }

        func open(patience: Duration) async throws -> KafkaLog {
            let properties = [
                "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "ann",
                "sasl.password": "before", "fetch.wait.max.ms": "10", "session.timeout.ms": "8000",
                "heartbeat.interval.ms": "100",
            ]
            return try await KafkaLog(
                brokers: "127.0.0.1:\(front.port)", properties: properties, limit: .seconds(5),
                patience: Patience(patience) { line in self.lines.withLock { $0.append(line) } }
            ) { properties.merging(["sasl.password": self.password.withLock { $0 }]) { $1 } }
        }

        func told(_ some: String) -> Bool { lines.withLock { $0.contains { $0.contains(some) } } }
    }

    private func record(_ text: String) -> [Append] {
        [Append(Self.place, [NewRecord(key: "k", value: Bytes(text), timestamp: 1000)])]
    }

    private func next(_ member: any GroupMember) async throws -> String? {
        switch try await member.next(max: 1, wait: .milliseconds(100)) {
        case .assigned(let partitions):
            try await member.start(partitions.reduce(into: [:]) { $0[$1] = .some(nil) })
            return nil
        case .revoked(let partitions):
            try await member.release(partitions)
            return nil
        case .records(let batches): return batches.first?.records.first?.value.text
        case .lost, .idle: return nil
        }
    }

    @Test func `is read again, and used by all of a worker's connections, without a word to whoever waits`()
        async throws
    {
        let site = try Site()
        defer { site.front.close() }
        let log = try await site.open(patience: .seconds(100))
        let member = try await log.join("g", topics: ["t"])
        _ = try await log.append(record("a"))
        try await eventually("the first record") { try await next(member) == "a" ? true : nil }
        site.password.withLock { $0 = "after" }
        site.front.change(to: "after")
        _ = try await log.append(record("b"))
        try await eventually("the second record: \(site.lines.withLock { $0 })") {
            try await next(member) == "b" ? true : nil
        }
        #expect(try await log.bounds(of: [Self.place])[Self.place] == 0..<2)
        #expect(site.front.refused > 0)
        #expect(site.lines.withLock { $0.filter { $0.contains("the user or the password has changed") }.count } == 1)
        await member.leave()
        await log.close()
    }

    @Test func `ends a worker that does not come to know of it, once its patience is over, and says so`() async throws {
        let site = try Site()
        defer { site.front.close() }
        let log = try await site.open(patience: .seconds(5))
        let member = try await log.join("g", topics: ["t"])
        _ = try await log.append(record("a"))
        try await eventually("the first record") { try await next(member) == "a" ? true : nil }
        site.front.change(to: "after")
        let error = try await eventually("the end of it", within: .seconds(300)) { () -> LogError? in
            do {
                _ = try await next(member)
                return nil
            } catch let error as LogError {
                return error
            }
        }
        #expect(error.kind == .refused, "\(error)")
        #expect(error.message.contains("the user or the password is wrong (sasl.username, sasl.password)"), "\(error)")
        #expect(site.told("the broker takes no connection"))
        await member.leave()
        await log.close()
    }
}
