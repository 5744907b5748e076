internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus

extension Topics {
    /// `millrace topics apply`.
    struct Apply: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply",
            abstract: "Make the declared topics that are missing; exits with 78 where one is otherwise than declared.",
            paragraphs: """
                On the embedded log, topics that are there get the declared retention and
                cleanup. On Kafka they stay as they are: use Kafka's own tools, and topics
                check to compare. Partitions are never changed. What can be made is made,
                also where another topic cannot.

                How many partitions a topic has is noted on the log, in millrace.topics.

                A retention that drops what workers and views need is warned of.
                """)
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions

        func run(in app: Application) async throws {
            let declared = try places.declarations(app)
            Topics.warn(Retentions(domains: app.domains).warnings(declared.map(\.topic)))
            try await places.withLog(app) { log in
                let before = try await Self.topics(of: log)
                let plan = Plan(declared, on: before)
                var failure = await Self.failure { try await log.create(plan.possible) }
                if let log = log as? any Maintained {
                    let there = try await Self.topics(of: log)
                    try await log.configure(plan.possible.filter { there[$0.name] != nil })
                }
                let after = try await Self.topics(of: log)
                let changed = try await Self.note(
                    declared.map(\.topic.name), before, after, on: log, telemetry: Topics.telemetry(app.domains))
                try ReaderGone.passed {
                    try show(declared.map(\.topic).map { ($0.name, plan.done($0, before, after)) })
                }
                for problem in plan.problems + changed { Output.complain(problem) }
                let wrong = plan.problems.count + changed.count
                if wrong > 0 {
                    if let failure {
                        Output.complain("\(Program.name): \(Failure(failure, in: app)?.message ?? "\(failure)")")
                    }
                    failure = Failure(
                        .configuration,
                        wrong == 1 ? "one topic is not as declared" : "\(wrong) topics are not as declared")
                }
                if let failure { throw failure }
            }
        }

        private func show(_ topics: [(name: String, done: String)]) throws {
            let lines = topics.map { topic -> Members in
                [("topic", JSON.string(topic.name)), ("done", JSON.string(topic.done))]
            }
            try shape.show(lines, columns: ["topic", "done"]) {
                TextTable(
                    header: ["done", "topic"], rows: topics.map { [$0.done, $0.name] }, whole: [0, 1], coloured: [0])
            }
        }

        private static func topics(of log: any EventLog) async throws -> [String: Topic] {
            Dictionary(try await log.topics().map { ($0.name, $0) }) { $1 }
        }

        private static func failure(of body: () async throws -> Void) async -> (any Error)? {
            do {
                try await body()
                return nil
            } catch {
                return error
            }
        }

        /// Notes the partition counts of topics that were made, and of those of which none is noted; says which have another
        /// than was noted.
        private static func note(
            _ names: [String], _ before: [String: Topic], _ after: [String: Topic], on log: any EventLog,
            telemetry: Set<String>
        ) async throws -> [String] {
            if after[TopicBook.topic.name] == nil { return [] }
            let book = TopicBook(log, clock: { now() })
            let noted = try await book.counts()
            var (fresh, problems): ([String: Int], [String]) = ([:], [])
            for name in names {
                guard let has = after[name]?.partitions else { continue }
                guard let had = noted[name], before[name] != nil, !telemetry.contains(name) else {
                    if noted[name] != has { fresh[name] = has }
                    continue
                }
                if had != has { problems.append(Topics.recounted(name, had: had, has: has)) }
            }
            try await book.note(fresh)
            return problems
        }
    }

    /// What can be made of the declared topics, and what cannot.
    struct Plan {
        /// To be made, or there with the declared count of partitions.
        var possible: [Topic] = []
        /// There with another.
        var problems: [String] = []
        private var wrong: Set<String> = []

        init(_ declared: [DeclaredTopic], on log: [String: Topic]) {
            for declared in declared {
                var topic = declared.topic
                if let has = log[topic.name]?.partitions, has != topic.partitions {
                    if declared.chosen.contains(.partitions) {
                        problems.append("\(topic.name): \(topic.partitions) partitions declared, the log has \(has)")
                        wrong.insert(topic.name)
                        continue
                    }
                    topic.partitions = has
                }
                possible.append(topic)
            }
        }

        /// What came of a topic, in a word.
        func done(_ topic: Topic, _ before: [String: Topic], _ after: [String: Topic]) -> String {
            if wrong.contains(topic.name) { return "wrong" }
            guard let now = after[topic.name] else { return "failed" }
            return before[topic.name].map { $0 == now ? "there" : "changed" } ?? "made"
        }
    }

    /// Topics that may be given partitions: nothing is known by their keys' partitions.
    static func telemetry(_ domains: [Domain]) -> Set<String> { Set(domains.flatMap(\.telemetry).map(\.topic)) }

    /// A topic whose partitions are not so many as they were.
    static func recounted(_ topic: String, had: Int, has: Int) -> String {
        "\(topic): had \(had) partitions when they were counted, the log has \(has); see \(Program.name) topics recount --help"
    }
}
