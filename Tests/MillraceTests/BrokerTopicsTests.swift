import EventModel
import Foundation
import Kafka
import TestSupport
import Testing

@Suite(
    "Topics on a broker", .serialized, .timeLimit(.minutes(10)),
    .enabled(if: Broker.address != nil, Broker.absent))
struct BrokerTopicsTests {
    private func admin<R>(_ body: (Admin) async throws -> R) async throws -> R {
        let admin = try Admin(["bootstrap.servers": try #require(Broker.address)])
        do {
            let result = try await body(admin)
            await admin.close()
            return result
        } catch {
            await admin.close()
            throw error
        }
    }

    /// A topics file of some topics of a test's own; what they are called on the broker is the test's name and theirs.
    private func file(_ bus: Bus, _ name: String, _ topics: [(String, String)]) throws -> String {
        try bus.file(
            "topics.yaml", "topics:\n" + topics.map { "  \(name)\($0.0): {\($0.1)}\n" }.joined())
    }

    @Test func `what can be made is made, and what is otherwise is named`() async throws {
        try await onBroker { bus in
            let name = Broker.name()
            let refused = try await admin { try await $0.create([NewTopic("\(name)wrong", partitions: 2)]) }
            #expect(refused.isEmpty)
            let topics = try file(
                bus, name,
                [("wrong", "partitions: 3"), ("made", "partitions: 3"), ("many", "partitions: 1, replication: 100")])
            let applied = try await bus.run("topics", "apply", "--topics", topics)
            #expect(applied.exit == 78, "\(applied)")
            let done = try applied.lines.map { try JSON($0) }.reduce(into: [:]) { $0[$1["topic"].string] = $1["done"] }
            #expect(done["\(name)made"] == "made", "\(applied)")
            #expect(done["\(name)wrong"] == "wrong" && done["\(name)many"] == "failed", "\(applied)")
            #expect(
                applied.err.contains("\(name)wrong: 3 partitions declared, the log has 2")
                    && applied.err.contains("topic \(name)many could not be created"), "\(applied)")
            let there = try await bus.run("topics", "--json").lines.map { try JSON($0) }
            #expect(there.first { $0["topic"].string == "\(name)made" }?["partitions"] == 3)
            try await admin { _ = try await $0.delete(["\(name)wrong", "\(name)made"]) }
        }
    }

    @Test func `replicas and a broker's settings are compared`() async throws {
        try await onBroker { bus in
            let name = Broker.name()
            let made = try file(
                bus, name, [("one", "partitions: 1, max.message.bytes: 500000, min.insync.replicas: 1")])
            #expect(try await bus.run("topics", "apply", "--topics", made).exit == 0)
            // Nobody has the topic, so it is always told of.
            let same = try await bus.run("topics", "check", "--topics", made)
            #expect(!same.err.contains("the log has"), "\(same)")
            let other = try file(
                bus, name,
                [("one", "partitions: 1, replication: 3, max.message.bytes: 600000, min.insync.replicas: 2")])
            let differs = try await bus.run("topics", "check", "--topics", other)
            #expect(differs.exit == 78, "\(differs)")
            for difference in [
                "replication 3 declared, the log has 1", "min.insync.replicas 2 declared, the log has 1",
                "max.message.bytes 600000 declared, the log has 500000",
            ] { #expect(differs.err.contains("\(name)one: \(difference)"), "\(differs)") }
            try await admin { _ = try await $0.delete(["\(name)one"]) }
        }
    }

    @Test func `a topic that was given partitions is told of, and recounted where its keys are right`() async throws {
        try await onBroker { bus in
            let name = Broker.name()
            let topics = try file(bus, name, [("grown", #"retention: forever, partitions: "${PARTITIONS:-2}""#)])
            #expect(try await bus.run("topics", "apply", "--topics", topics).exit == 0)
            try await admin { try await $0.widen("\(name)grown", to: 4) }
            let check = try await bus.run(
                "topics", "check", "--topics", topics, environment: ["PARTITIONS": "4"])
            #expect(
                check.err.contains("\(name)grown: had 2 partitions when they were counted, the log has 4"), "\(check)")
            let applied = try await bus.run(
                "topics", "apply", "--topics", topics, environment: ["PARTITIONS": "4"])
            #expect(applied.exit == 78 && applied.err.contains("had 2 partitions"), "\(applied)")
            let producer = try Producer(.producer(["bootstrap.servers": try #require(Broker.address)]))
            let key = Array("o1".utf8)[...]
            let right = Partitioner.partition(of: Bytes("o1"), among: 4).rawValue
            let message = OutgoingMessage(key: key, value: key, timestamp: nil, headers: [])
            // librdkafka's own murmur2 puts it where it belongs.
            let placed = try await producer.produce([
                OutgoingBatch(topic: "\(name)grown", partition: nil, [message])
            ])
            #expect(placed[0][0].partition == right)
            let counted = try await bus.run("topics", "recount", "\(name)grown", "--json")
            #expect(counted.exit == 0, "\(counted)")
            _ = try await producer.produce([
                OutgoingBatch(topic: "\(name)grown", partition: (right + 1) % 4, [message])
            ])
            await producer.close()
            let stray = try await bus.run("topics", "recount", "\(name)grown")
            #expect(stray.exit == 65 && stray.err.contains("belongs into partition \(right) of 4"), "\(stray)")
            let agreed = try await bus.run(
                "topics", "check", "--topics", topics, environment: ["PARTITIONS": "4"])
            #expect(!agreed.err.contains("had 2 partitions"), "\(agreed)")
            try await admin { _ = try await $0.delete(["\(name)grown"]) }
        }
    }
}
