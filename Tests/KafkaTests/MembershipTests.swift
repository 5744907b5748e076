import EventLog
import EventModel
import Kafka
import KafkaLog
import Testing

/// Members with names of their own, and topics that go away: what the mock cluster does not know.
@Suite(.enabled(if: Site.brokerAddress != nil, "set MILLRACE_TEST_KAFKA=host:port"))
struct MembershipTests {
    /// A log of a process with a name.
    private func named(_ name: String?, _ told: Told = Told(), rack: String? = nil) async throws -> KafkaLog {
        try await KafkaLog(
            brokers: try #require(Site.brokerAddress), properties: ["session.timeout.ms": "30000"],
            patience: told.patience(.seconds(60)), membership: Membership(instance: name, rack: rack))
    }

    /// Lets members go along with their group until a moment has passed; says what happened to the first.
    private func settle(_ members: [(any GroupMember)], for time: Duration) async throws -> [Delivery] {
        var seen: [Delivery] = []
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            for (i, member) in members.enumerated() {
                let delivery = try await member.next(max: 10, wait: .milliseconds(50))
                if case .idle = delivery { continue }
                if i == 0 { seen.append(delivery) }
                if case .assigned(let partitions) = delivery {
                    try await member.start(partitions.reduce(into: [:]) { $0[$1] = .some(nil) })
                }
                if case .revoked(let partitions) = delivery { try await member.release(partitions) }
            }
        }
        return seen
    }

    @Test func `a process that is started anew under its name gets its partitions back, and others notice nothing`()
        async throws
    {
        try await Site.broker.withLog(4) { _, topic in
            let (one, two, group) = (try await named("one"), try await named("two"), fresh("group"))
            let first = try await one.join(group, topics: [topic])
            var mine: Set<TopicPartition> = []
            let second = try await two.join(group, topics: [topic])
            var theirs: Set<TopicPartition> = []
            _ = try await until("a share for both") { () -> Bool? in
                try await first.settle(&mine)
                try await second.settle(&theirs)
                return mine.count == 2 && theirs.count == 2 ? true : nil
            }
            await second.leave()
            await two.close()
            #expect(try await settle([first], for: .seconds(4)).isEmpty, "its partitions wait for it")
            let again = try await named("two")
            let next = try await again.join(group, topics: [topic])
            var back: Set<TopicPartition> = []
            _ = try await until("the same partitions") { () -> Bool? in
                try await next.settle(&back)
                return back.count == 2 ? true : nil
            }
            #expect(back == theirs)
            #expect(try await settle([first], for: .seconds(2)).isEmpty)
            // It commits as the one before it did.
            let some = try #require(back.first)
            try await next.commit([some: 0])
            try await next.transact(
                Transaction(appends: [Append(some, records("a"))], consumed: [some: 0]))
            await next.leave()
            await first.leave()
            await again.close()
        }
    }

    @Test(arguments: ["waiting", "committing", "writing"])
    func `of two processes of one name the first is driven out, says so and does not come back`(_ doing: String)
        async throws
    {
        try await Site.broker.withLog(2) { _, topic in
            let (one, other, group) = (try await named("same"), try await named("same"), fresh("group"))
            let first = try await one.join(group, topics: [topic])
            let mine = try await first.take(2)
            let partition = try #require(mine.first)
            let second = try await other.join(group, topics: [topic])
            _ = try await second.take(2)
            let error = try await until("the end of the first") { () -> LogError? in
                do {
                    switch doing {
                    case "waiting": _ = try await first.next(max: 1, wait: .milliseconds(100))
                    case "committing": try await first.commit([partition: 0])
                    default:
                        try await first.transact(
                            Transaction(appends: [Append(partition, records("stale"))], consumed: [partition: 0]))
                    }
                    return nil
                } catch let error as LogError {
                    return error
                }
            }
            #expect(error.kind == .replaced, "\(error)")
            #expect(error.message.contains("same") && error.message.contains("MILLRACE_INSTANCE"), "\(error)")
            try await second.commit([partition: 0])
            await first.leave()
            await second.leave()
            await one.close()
            await other.close()
        }
    }

    @Test func `a rack is told to brokers and changes nothing of what is read`() async throws {
        try await Site.broker.withLog { log, topic in
            let partition = TopicPartition(topic, 0)
            _ = try await log.append([Append(partition, records("a", "b"))])
            let near = try await named(nil, rack: "here")
            let reader = try await near.reader(from: [partition: 0])
            #expect(try await reader.values(to: 2) == ["a", "b"])
            await reader.close()
            await near.close()
        }
    }

    @Test func `a topic that is deleted stops its member within a bound, which says so and leaves`() async throws {
        try await Site.broker.withLog(2) { _, topic in
            let told = Told()
            let log = try await named(nil, told)
            let member = try await log.join(fresh("group"), topics: [topic])
            _ = try await member.take(2)
            let admin = try Admin(["bootstrap.servers": try #require(Site.brokerAddress)])
            #expect(try await admin.delete([topic]) == [:])
            await admin.close()
            var mine: Set<TopicPartition> = []
            let began = ContinuousClock.now
            let error = try await until("the end") { () -> LogError? in
                do {
                    try await member.settle(&mine)
                    return nil
                } catch let error as LogError {
                    return error
                }
            }
            #expect(error.kind == .unknownTopic && error.topic == topic, "\(error)")
            #expect(ContinuousClock.now - began < .seconds(60))
            #expect(told.contains("the topic \(topic) is not on the log any more"), "\(told.all)")
            let leaving = ContinuousClock.now
            await member.leave()
            await log.close()
            #expect(ContinuousClock.now - leaving < .seconds(40))
        }
    }
}
