import Domains
import EventModel
import Foundation
import Handling
import Projecting
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

/// What one call of kafka-acls allows.
private struct Right: Hashable {
    var operations: Set<String> = []
    /// `topic`, `group`, `transactional-id`, `cluster`.
    var type = ""
    var name = ""
    var isPrefix = false
    var principals: Set<String> = []

    init(_ line: String) {
        let words = line.split(separator: " ").map(String.init)
        var i = 1
        while i < words.count {
            let value = i + 1 < words.count ? words[i + 1] : ""
            switch words[i] {
            case "--add": i -= 1
            case "--allow-principal": principals.insert(value)
            case "--operation": operations.insert(value)
            case "--cluster":
                type = "cluster"
                i -= 1
            case "--resource-pattern-type": isPrefix = value == "prefixed"
            case "--topic", "--group", "--transactional-id": (type, name) = (String(words[i].dropFirst(2)), value)
            default: Issue.record("\(words[i]) of \(line)")
            }
            i += 2
        }
    }

    func covers(_ operation: String, _ type: String, _ name: String) -> Bool {
        // Who may read, write, alter or delete may also describe.
        let implied = operation == "Describe" && !operations.isDisjoint(with: ["Read", "Write", "Delete", "Alter"])
        return self.type == type && (operations.contains(operation) || implied)
            && (isPrefix ? name.hasPrefix(self.name) : name == self.name)
    }
}

/// The rights that `Tools/acls` gives, held against what the program calls.
@Suite("Rights of each role on Kafka", .serialized, .timeLimit(.minutes(10)))
struct AccessTests {
    private static let roles = ["producer", "handler", "reactor", "projector", "reader", "operator"]
    private static let script = Bus.package + "/Tools/acls"

    private func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Ended {
        let folder = FileManager.default.temporaryDirectory.path
        return try await Running(
            "/bin/bash", [Self.script] + arguments, environment: environment, cwd: folder, scratch: folder
        ).end()
    }

    private func rights(_ role: String, _ domain: String) async throws -> [Right] {
        let ended = try await run(["--domain", domain, role, "User:ann"])
        try #require(ended.exit == 0, "\(ended)")
        return ended.lines.map(Right.init)
    }

    private func expect(
        _ rights: [Right], _ operations: [String], _ type: String, _ names: [String],
        at place: SourceLocation = #_sourceLocation
    ) {
        for name in names {
            for operation in operations {
                #expect(
                    rights.contains { $0.covers(operation, type, name) }, "\(operation) on \(type) \(name)",
                    sourceLocation: place)
            }
        }
    }

    /// What every process does: it lists topics with their configuration, and reads outside of groups.
    private func expectSight(_ rights: [Right], _ domain: Domain) {
        expect(rights, ["Describe", "DescribeConfigs"], "topic", domain.topics.map(\.name) + ["millrace.quarantine"])
        expect(rights, ["Read"], "group", ["millrace-reader"])
    }

    private func owned(by owner: String, in domain: Domain) -> [String] {
        Domains.all.builtInTopics.filter { $0.name.hasPrefix("\(domain.name).") && $0.owner == owner }.map(\.name)
    }

    @Test(arguments: Domains.all.map(\.name))
    func `each role of a domain may do what its workers call`(_ name: String) async throws {
        let domain = try #require(Domains.all.first { $0.name == name })
        let quarantine = ["millrace.quarantine"]
        for worker in Workers.all(of: [domain]) {
            let rights = try await rights(worker.kind, name)
            expectSight(rights, domain)
            expect(rights, ["Read"], "topic", worker.topics + quarantine)
            expect(rights, ["Write"], "topic", quarantine)
            expect(rights, ["Read"], "group", [worker.group])
            if worker.kind == "projector" { continue }
            // How many partitions topics had is compared, and noted where nobody has.
            expect(rights, ["Read", "Write"], "topic", ["millrace.topics"])
            expect(rights, ["Write", "Describe"], "transactional-id", ["\(worker.group)-host-7-1a2b-3"])
        }
        if domain.decider != nil {
            let handler = try await rights("handler", name)
            let own = [domain.commandsTopic, domain.eventsTopic, domain.outcomesTopic]
            expect(handler, ["Read", "Write"], "topic", own)
            expect(try await rights("producer", name), ["Read"], "topic", [domain.outcomesTopic])
        }
        let reactors = Set(domain.reactions.map(\.name))
        let derived = domain.topics.filter { topic in
            !owned(by: "producers", in: domain).contains(topic.name) && topic.owner != Handler.group(of: domain)
        }
        if !reactors.isEmpty {
            let reactor = try await rights("reactor", name)
            expect(reactor, ["Write"], "topic", derived.map(\.name))
            if domain.decider != nil { expect(reactor, ["Write"], "topic", [domain.commandsTopic]) }
        }
    }

    @Test(arguments: Domains.all.map(\.name))
    func `producers, readers and operators of a domain may do what they call`(_ name: String) async throws {
        let domain = try #require(Domains.all.first { $0.name == name })
        let all = domain.topics.map(\.name) + ["millrace.quarantine", "millrace.imports", "millrace.topics"]
        let producer = try await rights("producer", name)
        expectSight(producer, domain)
        expect(producer, ["Write"], "topic", owned(by: "producers", in: domain))
        expect(producer, ["Read", "Write"], "topic", ["millrace.imports"])
        expect(producer, ["Read"], "group", ["import:0123abcd"])
        expect(producer, ["Write", "Describe"], "transactional-id", ["import:0123abcd-host-7-1a2b-3"])
        let groups = Workers.all(of: [domain]).map(\.group)
        let reader = try await rights("reader", name)
        expectSight(reader, domain)
        expect(reader, ["Read"], "topic", all)
        expect(reader, ["Describe"], "group", groups)
        let operatorRights = try await rights("operator", name)
        expectSight(operatorRights, domain)
        expect(operatorRights, ["Create", "Read", "AlterConfigs"], "topic", all)
        expect(operatorRights, ["Write"], "topic", ["millrace.quarantine", "millrace.topics"])
        expect(operatorRights, ["Describe"], "group", groups)
    }

    @Test func `nobody may do what is not his`() async throws {
        for role in Self.roles {
            for right in try await rights(role, "tickets") {
                #expect(!right.covers("Write", "topic", "orders.commands"), "\(role)")
                if role == "reader" {
                    #expect(right.operations.isDisjoint(with: ["Write", "Create", "Alter", "Delete"]))
                }
                if role == "projector" || role == "producer" || role == "operator" {
                    #expect(!right.covers("Write", "topic", "tickets.events"), "\(role)")
                }
                #expect(right.principals == ["User:ann"])
            }
        }
    }

    /// kafka-acls refuses others: AclEntry.supportedOperations.
    @Test func `no call asks for an operation that Kafka does not have for its resource`() async throws {
        let known: [String: Set<String>] = [
            "topic": ["Read", "Write", "Create", "Describe", "Delete", "Alter", "DescribeConfigs", "AlterConfigs"],
            "group": ["Read", "Describe", "Delete", "DescribeConfigs", "AlterConfigs"],
            "transactional-id": ["Describe", "Write"],
            "cluster": [
                "Create", "ClusterAction", "DescribeConfigs", "AlterConfigs", "IdempotentWrite", "Alter", "Describe",
            ],
        ]
        for role in Self.roles {
            for domain in Domains.all {
                for right in try await rights(role, domain.name) {
                    #expect(
                        right.operations.isSubset(of: known[right.type] ?? []) && !right.operations.isEmpty, "\(right)")
                    #expect(right.type == "cluster" || !right.name.isEmpty)
                }
            }
        }
    }

    @Test func `several principals and all domains are taken, options are handed on, and slips are refused`()
        async throws
    {
        let all = try await run(["handler", "User:ann", "User:ben", "--", "--bootstrap-server", "b:9092"])
        #expect(all.exit == 0)
        for domain in Domains.all where domain.decider != nil {
            #expect(all.out.contains(" --group \(domain.name).handler "))
        }
        #expect(
            all.lines.allSatisfy {
                $0.hasPrefix(
                    "kafka-acls --bootstrap-server b:9092 --add --allow-principal User:ann --allow-principal User:ben ")
            })
        for wrong in [
            [], ["handler"], ["cook", "User:ann"], ["handler", "ann"], ["--domain", "opera", "handler", "User:ann"],
        ] {
            let ended = try await run(wrong)
            #expect(ended.exit == 64 && ended.out.isEmpty && !ended.err.isEmpty, "\(wrong): \(ended)")
        }
        // Each line is a call.
        let printed = try await run(
            ["--run", "reader", "User:ann", "--", "--x"], environment: ["KAFKA_ACLS": "echo called"])
        #expect(!printed.lines.isEmpty && printed.lines.allSatisfy { $0.hasPrefix("called --x --add ") })
    }

    /// A folder of a cluster with an authorizer that allows nothing by itself: `brokers` is its address, `kafka-acls` runs Kafka's
    /// program as a superuser, and `ROLE.properties` logs in as the user of that name.
    private static let cluster = ProcessInfo.processInfo.environment["MILLRACE_TEST_KAFKA_ROLES"]

    @Test(.enabled(if: cluster != nil, "set MILLRACE_TEST_KAFKA_ROLES to a folder for a broker with an authorizer"))
    func `on a broker with an authorizer each role works with the rights of the script and no others`() async throws {
        let folder = try #require(Self.cluster)
        let brokers = try String(contentsOfFile: folder + "/brokers", encoding: .utf8).trimmingCharacters(
            in: .whitespacesAndNewlines)
        try await onBus(broker: brokers) { bus in
            func config(_ role: String) -> [String] { ["--kafka-config", "\(folder)/\(role).properties"] }
            func expect(_ role: String, _ arguments: [String], stdin: String? = nil, exits code: Int32 = 0) async throws
                -> Ended
            {
                let ended = try await bus.start(arguments + config(role), stdin: stdin.map { Array($0.utf8) }).end()
                #expect(ended.exit == code, "\(role): \(arguments): \(ended)")
                return ended
            }
            func grant(_ role: String) async throws {
                let done = try await run(
                    ["--run", role, "User:\(role)"], environment: ["KAFKA_ACLS": "\(folder)/kafka-acls"])
                try #require(done.exit == 0, "\(done)")
            }
            // Without rights nobody does anything. Topics that one may not see are not there.
            _ = try await expect("operator", ["topics", "apply"], exits: 77)
            try await grant("operator")
            _ = try await expect("operator", ["topics", "apply"])
            _ = try await expect("operator", ["topics", "check"])
            _ = try await expect("handler", ["work", "handler"], exits: 78)
            _ = try await expect("reader", ["replay", "hits.events", "--count"], exits: 78)
            for role in ["producer", "handler", "reactor", "projector", "reader"] { try await grant(role) }
            var workers: [Running] = []
            for kind in ["handler", "reactor", "projector"] {
                workers.append(try bus.start(["work", kind] + config(kind)))
            }
            for worker in workers {
                try await eventually("\(worker.name) to be ready: \(worker.err)") {
                    worker.err.contains("ready after") ? true : nil
                }
            }
            let order = "order-\(UUID().uuidString)"
            let sent = try await expect(
                "producer", ["send", "PlaceOrder", "--order", order, "--customer", "ann", "--timeout", "40s"])
            #expect(sent.out.contains("accepted"))
            _ = try await expect("producer", ["produce", "Hit"], stdin: #"{"site":"home","path":"/"}"#)
            let lag = try await expect("reader", ["lag", "--sum", "--wait", "40s"])
            #expect(lag.lines.count > 10)
            _ = try await expect("reader", ["verify", "--topic", "orders.events"])
            _ = try await expect("reader", ["topics", "list"])
            _ = try await expect("operator", ["quarantine", "list"])
            let read = try await expect("reader", ["replay", "orders.notifications", "--count"])
            #expect(read.out.trimmingCharacters(in: .newlines) != "0", "a reactor has written what follows")
            // What is not theirs.
            _ = try await expect("reader", ["produce", "Hit"], stdin: #"{"site":"home","path":"/"}"#, exits: 77)
            for worker in workers { #expect(try await worker.stop().exit == 0, "\(worker.err)") }
        }
    }
}
