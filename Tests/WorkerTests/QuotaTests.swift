import EventLog
import EventModel
import Kafka
import KafkaLog
import Synchronization
import TestSupport
import Testing

/// Brokers that hold a client back because of a quota. The mock cluster knows none: a front says so in its place.
@Suite("A quota", .timeLimit(.minutes(10)))
struct QuotaTests {
    private final class Told: Sendable {
        let lines = Mutex<[String]>([])
        var ofQuotas: [String] { lines.withLock { $0.filter { $0.contains("held back by the quota of 127.0.0.1:") } } }
    }

    @Test func `that holds back is told once of appends and once of a member, and nothing is lost`() async throws {
        let (cluster, told) = (try MockCluster(), Told())
        try cluster.create("t", partitions: 1)
        let port = try #require(cluster.brokers.split(separator: ":").last.flatMap { Int($0) })
        let front = try QuotaFront(to: port, milliseconds: 230)
        defer { front.close() }
        let log = try await KafkaLog(
            brokers: "127.0.0.1:\(front.port)",
            properties: ["fetch.wait.max.ms": "10", "session.timeout.ms": "8000", "heartbeat.interval.ms": "100"],
            patience: Patience(.seconds(60)) { line in told.lines.withLock { $0.append(line) } })
        var written = 0
        func append() async throws {
            let record = NewRecord(key: "k", value: Bytes("\(written)"), timestamp: 1)
            _ = try await log.append([Append(TopicPartition("t", 0), [record])])
            written += 1
        }
        try await eventually("a word of appends: \(told.lines.withLock { $0 })") {
            try await append()
            return told.ofQuotas.isEmpty ? nil : true
        }
        for _ in 0..<5 { try await append() }
        #expect(told.ofQuotas.count == 1 && told.ofQuotas[0].contains("by up to 230 ms"), "\(told.ofQuotas)")

        let member = try await log.join("g", topics: ["t"])
        var read: [String] = []
        try await eventually("all records and a word of the member: \(told.ofQuotas)") {
            switch try await member.next(max: 10, wait: .milliseconds(50)) {
            case .assigned(let partitions): try await member.start(partitions.reduce(into: [:]) { $0[$1] = .some(0) })
            case .revoked(let partitions): try await member.release(partitions)
            case .records(let batches): read += batches.flatMap(\.records).map { $0.value.text }
            case .lost, .idle: break
            }
            return read.count >= written && told.ofQuotas.count > 1 ? true : nil
        }
        #expect(read == (0..<written).map { "\($0)" })
        #expect(told.ofQuotas.count == 2 && told.ofQuotas[1].hasPrefix("g: "), "\(told.ofQuotas)")
        await member.leave()
        await log.close()
    }
}
