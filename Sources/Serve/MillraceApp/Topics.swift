internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus

/// `millrace topics`.
struct Topics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics",
        abstract: "List, make, check and describe topics.",
        subcommands: [List.self, Apply.self, Check.self, Describe.self, Declare.self, Recount.self],
        defaultSubcommand: List.self)

    struct List: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the topics that are on the log.")
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions

        func run(in app: Application) async throws {
            let topics = try await places.withLog(app) { try await $0.topics() }
            Topics.warn(Retentions(domains: app.domains).warningsOfNothingKept(topics))
            try shape.show(topics.map(\.members), columns: Topic.columns) {
                let rows = topics.map { topic in
                    [
                        topic.name, String(topic.partitions), String(topic.replication),
                        topic.retention?.short ?? "forever",
                        topic.cleanup.rawValue, topic.owner,
                    ]
                }
                return TextTable(
                    header: ["topic", "partitions", "replication", "retention", "cleanup", "owner"], rows: rows,
                    right: [1, 2], whole: [0])
            }
        }
    }

    struct Describe: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe",
            abstract: "Show a topic's declaration and its partitions' offsets.")
        @Argument(help: "The topic.", completion: .names)
        var topic: String
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions

        func run(in app: Application) async throws {
            let declared = try places.declaredTopics(app)
            try await places.withLog(app) { log in
                guard let on = try await log.topics().first(where: { $0.name == topic }) else {
                    throw LogError.unknown(topic)
                }
                Topics.warn(Retentions(domains: app.domains).warnings([on]))
                let partitions = (0..<on.partitions).map { TopicPartition(topic, Partition($0)) }
                let bounds = try await log.bounds(of: partitions)
                var described = declared.first { $0.name == topic } ?? on
                described.partitions = on.partitions
                let offsets = partitions.map { partition -> Members in
                    [
                        ("partition", partition.partition.description),
                        ("start", bounds[partition]?.lowerBound.description ?? "null"),
                        ("end", bounds[partition]?.upperBound.description ?? "null"),
                    ]
                }
                if shape.csv { return try shape.showLines(offsets) }
                if !shape.asTable {
                    let all = offsets.map { JSON.object($0.map { ($0.name, $0.value) }) }
                    return try shape.showLines([described.members + [("offsets", JSON.array(all))]])
                }
                try Output.standard.line(
                    """
                    \(Prose.fitted("\(described.name)  key: \(described.key)  schema: \(described.schema)  owner: \(described.owner)"))
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
    static func warn(_ warnings: [String]) {
        for warning in warnings { Output.complain("\(Program.name): warning: \(warning)", in: .doubtful) }
    }

    struct Declare: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "declare",
            abstract: "Print the topics file that the code asks for.")

        func run(in app: Application) throws {
            try Output.standard.write(TopicFile.text(app.domains.builtInTopics))
        }
    }
}
