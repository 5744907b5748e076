internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus

extension Topics {
    /// `millrace topics check`.
    struct Check: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Compare the code, the topics files and the log; exits with 78 where they differ.",
            paragraphs: """
                Of the log: partitions, retention, cleanup, whose time records have, and on
                Kafka replication, min.insync.replicas and max.message.bytes. What the files
                do not say of a topic that they name is not compared.
                """)
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions

        func run(in app: Application) async throws {
            let code = app.domains.builtInTopics
            let declared = try places.declarations(app)
            let (there, noted) = try await places.withLog(app) { log in
                (try await log.topics(), try await TopicBook(log, clock: { now() }).counts())
            }
            var isBroker = false
            if case .kafka = try places.logPlace() { isBroker = true }
            let problems = Self.problems(
                code: code, declared: declared, there: there, noted: noted, isBroker: isBroker,
                telemetry: Topics.telemetry(app.domains))
            Topics.warn(Retentions(domains: app.domains).warnings(declared.map(\.topic)))
            try ReaderGone.passed { try show(problems, of: declared.count) }
            if shape.json && !problems.isEmpty { throw Failure(.configuration, "") }
            if !problems.isEmpty {
                throw Failure(.configuration, problems.count == 1 ? "one difference" : "\(problems.count) differences")
            }
        }

        /// Differences are told on standard error too, unless JSON was asked for: whoever reads neither shape is told.
        private func show(_ problems: [String], of topics: Int) throws {
            if !shape.json { for problem in problems { Output.complain(problem) } }
            if shape.csv {
                return try shape.showLines(problems.map { [("difference", JSON.string($0))] }, columns: ["difference"])
            }
            if !shape.asTable {
                return try shape.showLines([
                    [("topics", String(topics)), ("differences", JSON.array(problems.map(JSON.string)))]
                ])
            }
            if problems.isEmpty { try Output.standard.line("\(topics) topics agree") }
        }

        /// - Parameters:
        ///   - there: What the log has.
        ///   - noted: How many partitions its topics had.
        ///   - isBroker: Whether it has replicas and a broker's settings.
        static func problems(
            code: [Topic], declared: [DeclaredTopic], there: [Topic], noted: [String: Int], isBroker: Bool,
            telemetry: Set<String>
        ) -> [String] {
            let log = Dictionary(there.map { ($0.name, $0) }) { $1 }
            return differences(code: code, declared: declared.map(\.topic))
                + declared.flatMap { declared -> [String] in
                    let name = declared.topic.name
                    guard let on = log[name] else {
                        return ["\(name): declared, but not on the log; make it with \(Program.name) topics apply"]
                    }
                    let had = noted[name].flatMap { $0 == on.partitions || telemetry.contains(name) ? nil : $0 }
                    return declared.differences(from: on, isBroker: isBroker)
                        + (had.map { [Topics.recounted(name, had: $0, has: on.partitions)] } ?? [])
                }
        }

        /// What only the code knows must be the same in the file: key, schema, owner, readers, cleanup, and equal partition counts
        /// where a domain's handler needs them.
        static func differences(code: [Topic], declared: [Topic]) -> [String] {
            func names(_ readers: [String]) -> String { readers.isEmpty ? "none" : readers.joined(separator: ", ") }
            var problems: [String] = []
            for topic in code {
                guard let said = declared.first(where: { $0.name == topic.name }) else {
                    problems.append("\(topic.name): in the code, but not declared")
                    continue
                }
                for (what, a, b) in [
                    ("key", topic.key, said.key), ("schema", topic.schema, said.schema),
                    ("owner", topic.owner, said.owner),
                    ("readers", names(topic.readers), names(said.readers)),
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
}
