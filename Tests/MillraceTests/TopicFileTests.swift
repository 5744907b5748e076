import AccountsDomain
import Domains
import EventModel
import Foundation
import MillraceBus
import TestSupport
import Testing

@testable import MillraceApp

@Suite("The topics files", .serialized, .timeLimit(.minutes(10)))
struct TopicFileTests {
    private static let hits = """
        topics:
          hits.events:
            partitions: 8
            replication: ${MILLRACE_TEST_REPLICATION:-1}
            retention: forever

        """

    private func declared(_ files: [String]) throws -> DeclaredTopic {
        let all = try TopicFile.declared(files, domains: Domains.all)
        return try #require(all.first { $0.topic.name == "hits.events" })
    }

    @Test func `go over one another, topic by topic and field by field`() async throws {
        try await onBus { bus in
            let base = try bus.file("base.yaml", Self.hits)
            let prod = try bus.file(
                "prod.yaml",
                """
                topics:
                  hits.events:
                    replication: 3
                    min.insync.replicas: 2
                    max.message.bytes: 2000000
                """)
            let least = try bus.file("least.yaml", "topics:\n  hits.events:\n    retention: 7d\n")
            let one = try declared([base])
            #expect(one.topic.replication == 1 && one.topic.retention == nil && one.topic.minInSync == nil)
            #expect(one.chosen == [.partitions, .replication, .retention])
            let two = try declared([base, prod])
            #expect((two.topic.replication, two.topic.minInSync, two.topic.maxMessageBytes) == (3, 2, 2_000_000))
            #expect(two.topic.partitions == 8 && two.topic.key == "site#salt" && two.topic.owner == "producers")
            #expect(two.chosen == Set(DeclaredTopic.Choice.allCases))
            let three = try declared([base, prod, least])
            #expect(three.topic.replication == 3 && three.topic.retention == .seconds(7 * 86_400))
            // The other way round the base has the last word, of what it says.
            #expect(try declared([least, base]).topic.retention == nil)
            // What no file names is as the code has it; what a file names and does not say, nobody has chosen.
            #expect(try declared([least]).chosen == [.retention])
            let others = try TopicFile.declared([least], domains: Domains.all)
            #expect(others.first { $0.topic.name == "rides.locations" }?.chosen == [.partitions, .retention])

            // The local log is made with what it is first opened with.
            #expect(try await bus.run("topics", "apply", "--topics", base).exit == 0)
            let check = try await bus.run("topics", "check", "--topics", base, "--topics", least)
            #expect(
                check.exit == 78 && check.err.contains("hits.events: retention 7d declared, the log has forever"),
                "\(check)")
            #expect(try await bus.run("topics", "apply", "--topics", base, "--topics", least).exit == 0)
            #expect(try await bus.run("topics", "check", "--topics", base, "--topics", least).exit == 0)
        }
    }

    @Test(arguments: [
        ("${MILLRACE_TEST_X:-3}", nil, "3"), ("${MILLRACE_TEST_X:-3}", "5", "5"), ("${MILLRACE_TEST_X:-3}", "", "3"),
        ("${MILLRACE_TEST_X}", "2", "2"), ("${MILLRACE_TEST_X:-}", nil, ""),
        ("a${MILLRACE_TEST_X}b${MILLRACE_TEST_X}", "-", "a-b-"),
        ("$MILLRACE_TEST_X", "2", "$MILLRACE_TEST_X"), ("7d", "2", "7d"),
    ])
    func `have variables of the environment, with defaults`(
        _ text: String, _ value: String?, _ result: String
    ) throws {
        let variables = Substitution(environment: value.map { ["MILLRACE_TEST_X": $0] } ?? [:])
        #expect(try variables.text(text, "replication") == result)
    }

    @Test(arguments: [
        ("${MILLRACE_TEST_NONE}", "the environment variable MILLRACE_TEST_NONE is not set"),
        ("${MILLRACE_TEST_NONE", "has a ${ without its }"), ("${1X:-1}", "is neither ${NAME} nor ${NAME:-DEFAULT}"),
        ("${MILLRACE_TEST_NONE:+1}", "is neither ${NAME} nor"),
        ("${MILLRACE_TEST_NONE:-three}", "replication must be 1 to 100, and ${MILLRACE_TEST_NONE:-three} is three"),
        ("${MILLRACE_TEST_NONE:-}", "is empty"), ("[1]", "replication must be"),
    ])
    func `say which variable is not set, or no number`(_ value: String, _ message: String) async throws {
        try await onBus { bus in
            let file = try bus.file("topics.yaml", "topics:\n  hits.events:\n    replication: \(value)\n")
            let check = try await bus.run("topics", "check", "--topics", file)
            #expect(check.exit == 78 && check.err.contains(message), "\(check)")
            #expect(check.err.contains("topics.yaml:2: topic hits.events"), "\(check)")
        }
    }

    @Test func `take what the environment says`() async throws {
        try await onBus { bus in
            let file = try bus.file("topics.yaml", Self.hits)
            let wrong = try await bus.run(
                "topics", "check", "--topics", file, environment: ["MILLRACE_TEST_REPLICATION": "many"])
            #expect(wrong.exit == 78 && wrong.err.contains("is many"), "\(wrong)")
            let right = try await bus.run(
                "topics", "check", "--topics", file, environment: ["MILLRACE_TEST_REPLICATION": "3"])
            #expect(right.exit == 0, "\(right)")
        }
    }

    @Test func `name a topic of nobody only with its partitions, and replicas only where there are enough`()
        async throws
    {
        try await onBus { bus in
            let other = try bus.file("other.yaml", "topics:\n  other.events:\n    retention: 7d\n")
            let check = try await bus.run("topics", "check", "--topics", other)
            #expect(check.exit == 78 && check.err.contains("partitions is missing, and no domain has"), "\(check)")
            let few = try bus.file(
                "few.yaml", "topics:\n  hits.events:\n    replication: 1\n    min.insync.replicas: 2\n")
            let never = try await bus.run("topics", "check", "--topics", few)
            #expect(never.exit == 78 && never.err.contains("min.insync.replicas is 2, and of 1 replicas"), "\(never)")
        }
    }

    @Test func `are compared with a broker in all that they choose, and in nothing else`() throws {
        var topic = Topic(
            "a", partitions: 4, replication: 3, retention: .seconds(60), key: "k", schema: "s", owner: "o",
            minInSync: 2, maxMessageBytes: 1_000_000)
        let on = Topic(
            "a", partitions: 6, replication: 1, retention: nil, cleanup: .compact, clock: .log, key: "", schema: "",
            owner: "", minInSync: 1, maxMessageBytes: 1_048_588)
        var declared = DeclaredTopic(named: topic)
        let always = [
            "a: cleanup delete declared, the log has compact", "a: clock event declared, the log has log",
        ]
        #expect(declared.differences(from: on, isBroker: true) == always)
        declared.chosen = Set(DeclaredTopic.Choice.allCases)
        #expect(
            declared.differences(from: on, isBroker: true) == ["a: 4 partitions declared, the log has 6"] + always + [
                "a: retention 1m declared, the log has forever", "a: replication 3 declared, the log has 1",
                "a: min.insync.replicas 2 declared, the log has 1",
                "a: max.message.bytes 1000000 declared, the log has 1048588",
            ])
        #expect(
            declared.differences(from: on, isBroker: false)
                == ["a: 4 partitions declared, the log has 6"] + always + [
                    "a: retention 1m declared, the log has forever"
                ])
        (topic.partitions, topic.replication, topic.retention) = (6, 1, nil)
        (topic.cleanup, topic.clock, topic.minInSync, topic.maxMessageBytes) = (.compact, .log, 1, 1_048_588)
        declared.topic = topic
        #expect(declared.differences(from: on, isBroker: true).isEmpty)
    }

    @Test func `say which workers of other domains read a topic, as the code has it`() throws {
        let code = Domains.all.builtInTopics
        #expect(TopicFile.text(code).contains("owner: accounts.handler\n    readers: social.reactor\n"))
        #expect(Topics.Check.differences(code: code, declared: code).isEmpty)
        var declared = code
        let at = try #require(declared.firstIndex { $0.name == "accounts.events" })
        declared[at].readers = []
        #expect(
            Topics.Check.differences(code: code, declared: declared)
                == ["accounts.events: readers is social.reactor in the code, none is declared"])
        // A domain that nobody else reads from names no readers, also where the other domain is not there.
        #expect([Domain.accounts].builtInTopics.allSatisfy { $0.readers.isEmpty })
    }

    @Test func `a topic of another count keeps no other from what is declared of it`() async throws {
        try await onBus { bus in
            try await bus.run("topics", "apply")
            let file = try bus.file(
                "topics.yaml",
                """
                topics:
                  hits.events: {partitions: 16, retention: 1d}
                  rides.locations: {retention: 3d}
                  tickets.commands: {partitions: 5}
                """)
            let applied = try await bus.run("topics", "apply", "--topics", file, "--table")
            #expect(applied.exit == 78, "\(applied)")
            #expect(applied.out.contains("changed  rides.locations") && applied.out.contains("wrong    hits.events"))
            #expect(
                applied.out.contains("wrong    tickets.commands") && applied.out.contains("there    tickets.events"))
            #expect(
                applied.err.contains("hits.events: 16 partitions declared, the log has 8")
                    && applied.err.contains("tickets.commands: 5 partitions declared, the log has 4")
                    && applied.err.contains("2 topics are not as declared"), "\(applied)")
            let topics = try await bus.run("topics", "--json").lines.map { try JSON($0) }
            #expect(topics.first { $0["topic"] == "rides.locations" }?["retention"] == "3d")
            #expect(topics.first { $0["topic"] == "hits.events" }?["retention"].string == "")
        }
    }

    @Test func `counts are noted when topics are made, and anew only where keys are where they belong`() async throws {
        try await onBus { bus in
            try await bus.run("topics", "apply")
            let noted = try await bus.replay("millrace.topics")
            #expect(noted.count > 15)
            try await bus.run("topics", "apply")
            #expect(try await bus.count("millrace.topics") == noted.count)
            _ = try await bus.work("handler")
            let placed = try await bus.run("send", "PlaceOrder", "--order", "o1", "--customer", "ann")
            #expect(placed.exit == 0, "\(placed)")
            let counted = try await bus.run("topics", "recount", "orders.events", "orders.commands", "--table")
            #expect(
                counted.exit == 0
                    && counted.out.contains("orders.events: 4 partitions, 1 records, each in the partition of its key"),
                "\(counted)")
            #expect(try await bus.run("topics", "recount", "hats.events").exit == 64)
            #expect(try await bus.run("topics", "check").exit == 0)
        }
    }
}
