internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation

/// `millrace topics`.
struct Topics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, make, check and describe topics.",
        subcommands: [List.self, Apply.self, Check.self, Describe.self, Declare.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the topics that are on the log.")
        @OptionGroup var shape: Shape
        @OptionGroup var places: Places

        func run() async throws {
            let topics = try await places.withLog { try await $0.topics() }
            Topics.warn(Retentions(domains: Millrace.domains).warningsOfNothingKept(topics))
            if shape.asTable {
                let rows = topics.map { topic in
                    [
                        topic.name, String(topic.partitions), String(topic.replication),
                        topic.retention?.short ?? "forever",
                        topic.cleanup.rawValue, topic.owner,
                    ]
                }
                try Output.standard.write(
                    TextTable(
                        header: ["topic", "partitions", "replication", "retention", "cleanup", "owner"], rows: rows,
                        right: [1, 2]
                    ).text)
            } else {
                for topic in topics { try Output.standard.line(topic.json) }
            }
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the declared topics that are missing.",
            discussion: """
                On the embedded log, topics that are there get the declared retention and
                cleanup. On Kafka they stay as they are: use Kafka's own tools, and topics
                check to compare. Partitions are never changed.

                A retention that drops what workers and views need is warned of.
                """)
        @OptionGroup var shape: Shape
        @OptionGroup var places: Places

        func run() async throws {
            let declared = try places.declaredTopics()
            Topics.warn(Retentions(domains: Millrace.domains).warnings(declared))
            try await places.withLog { log in
                let before = Dictionary(try await log.topics().map { ($0.name, $0) }) { $1 }
                try await log.create(declared)
                if let log = log as? any Maintained { try await log.configure(declared) }
                let after = Dictionary(try await log.topics().map { ($0.name, $0) }) { $1 }
                for topic in declared {
                    let what =
                        before[topic.name].map { $0 == after[topic.name] ? "there" : "changed" } ?? "made"
                    try Output.standard.line(
                        !shape.json
                            ? "\(what.padding(toLength: 7, withPad: " ", startingAt: 0))  \(topic.name)"
                            : JSON.object([("topic", JSON.string(topic.name)), ("done", JSON.string(what))]))
                }
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare the code, the topics file and the log; exits with 78 where they differ.")
        @OptionGroup var shape: Shape
        @OptionGroup var places: Places

        func run() async throws {
            let code = TopicFile.builtIn(Millrace.domains)
            let declared = try places.declaredTopics()
            let there = try await places.withLog { try await $0.topics() }
            let problems = Self.problems(code: code, declared: declared, there: there)
            Topics.warn(Retentions(domains: Millrace.domains).warnings(declared))
            if shape.json {
                try Output.standard.line(
                    JSON.object([
                        ("topics", String(declared.count)), ("differences", JSON.array(problems.map(JSON.string))),
                    ]))
                if !problems.isEmpty { throw Failure(.configuration, "") }
                return
            }
            for problem in problems { Output.complain(problem) }
            if !problems.isEmpty {
                throw Failure(.configuration, problems.count == 1 ? "one difference" : "\(problems.count) differences")
            }
            try Output.standard.line("\(declared.count) topics agree")
        }

        static func problems(code: [Topic], declared: [Topic], there: [Topic]) -> [String] {
            differences(code: code, declared: declared)
                + declared.flatMap { topic -> [String] in
                    guard let on = there.first(where: { $0.name == topic.name }) else {
                        return ["\(topic.name): declared, but not on the log; make it with millrace topics apply"]
                    }
                    var problems: [String] = []
                    if on.partitions != topic.partitions {
                        problems.append(
                            "\(topic.name): \(topic.partitions) partitions declared, the log has \(on.partitions)")
                    }
                    if on.cleanup != topic.cleanup {
                        problems.append(
                            "\(topic.name): cleanup \(topic.cleanup.rawValue) declared, the log has \(on.cleanup.rawValue)"
                        )
                    }
                    if on.clock != topic.clock {
                        problems.append(
                            "\(topic.name): clock \(topic.clock.rawValue) declared, the log has \(on.clock.rawValue)")
                    }
                    if on.retention != topic.retention {
                        problems.append(
                            "\(topic.name): retention \(topic.retention?.short ?? "forever") declared, "
                                + "the log has \(on.retention?.short ?? "forever")")
                    }
                    return problems
                }
        }

        /// What only the code knows must be the same in the file: key, schema, owner, cleanup, and equal partition counts
        /// where a domain's handler needs them.
        static func differences(code: [Topic], declared: [Topic]) -> [String] {
            var problems: [String] = []
            for topic in code {
                guard let said = declared.first(where: { $0.name == topic.name }) else {
                    problems.append("\(topic.name): in the code, but not declared")
                    continue
                }
                for (what, a, b) in [
                    ("key", topic.key, said.key), ("schema", topic.schema, said.schema),
                    ("owner", topic.owner, said.owner),
                    ("cleanup", topic.cleanup.rawValue, said.cleanup.rawValue),
                    ("clock", topic.clock.rawValue, said.clock.rawValue),
                ] where a != b {
                    problems.append("\(topic.name): \(what) is \(a) in the code, \(b) is declared")
                }
            }
            for topic in declared where !code.contains(where: { $0.name == topic.name }) {
                problems.append("\(topic.name): declared, but no domain has it")
            }
            let counts = Dictionary(declared.map { ($0.name, $0.partitions) }) { $1 }
            for name in counts.keys.sorted() where name.hasSuffix(".commands") {
                let domain = name.dropLast(".commands".count)
                for other in ["\(domain).events", "\(domain).outcomes"] where counts[other] != counts[name] {
                    problems.append(
                        "\(other): must have as many partitions as \(name), or keys would go to different workers")
                }
            }
            return problems
        }
    }

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a topic's declaration and its partitions' offsets.")
        @Argument(help: "The topic.")
        var topic: String
        @OptionGroup var shape: Shape
        @OptionGroup var places: Places

        func run() async throws {
            let declared = try places.declaredTopics()
            try await places.withLog { log in
                guard let on = try await log.topics().first(where: { $0.name == topic }) else {
                    throw LogError.unknown(topic)
                }
                Topics.warn(Retentions(domains: Millrace.domains).warnings([on]))
                let partitions = (0..<on.partitions).map { TopicPartition(topic, Partition($0)) }
                let bounds = try await log.bounds(of: partitions)
                var described = declared.first { $0.name == topic } ?? on
                described.partitions = on.partitions
                if !shape.asTable {
                    let offsets = partitions.map { partition in
                        JSON.object([
                            ("partition", partition.partition.description),
                            ("start", bounds[partition]?.lowerBound.description ?? "null"),
                            ("end", bounds[partition]?.upperBound.description ?? "null"),
                        ])
                    }
                    try Output.standard.line(
                        String(described.json.dropLast()) + ",\"offsets\":" + JSON.array(offsets) + "}")
                    return
                }
                try Output.standard.line(
                    """
                    \(described.name)  key: \(described.key)  schema: \(described.schema)  owner: \(described.owner)
                    retention: \(described.retention?.short ?? "forever")  cleanup: \(described.cleanup.rawValue)
                    """)
                let rows = partitions.map { partition in
                    let range = bounds[partition] ?? 0..<0
                    return [
                        partition.partition.description, range.lowerBound.description, range.upperBound.description,
                        String(range.upperBound - range.lowerBound),
                    ]
                }
                try Output.standard.write(
                    TextTable(header: ["partition", "start", "end", "records"], rows: rows, right: [0, 1, 2, 3]).text)
            }
        }
    }

    /// Warns on standard error.
    fileprivate static func warn(_ warnings: [String]) {
        for warning in warnings { Output.complain("millrace: warning: \(warning)") }
    }

    struct Declare: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the topics file that the code asks for.")

        func run() throws { try Output.standard.write(TopicFile.text(TopicFile.builtIn(Millrace.domains))) }
    }
}

extension Topic {
    var json: String {
        JSON.object([
            ("topic", JSON.string(name)), ("partitions", String(partitions)), ("replication", String(replication)),
            ("retention", retention.map { JSON.string($0.short) } ?? "null"),
            ("cleanup", JSON.string(cleanup.rawValue)), ("clock", JSON.string(clock.rawValue)),
            ("key", JSON.string(key)), ("schema", JSON.string(schema)), ("owner", JSON.string(owner)),
        ])
    }
}
