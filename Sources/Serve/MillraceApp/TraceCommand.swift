internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import MillraceBus

/// `millrace trace`.
struct TraceCommand: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "trace",
            abstract:
                "Show what belongs to a trace, over all topics: a command, its outcome, its events, what follows.",
            paragraphs: """
                A command belongs to a trace where it was sent with --traceparent, with
                TRACEPARENT in the environment, or over HTTP with the header traceparent. What
                follows from it carries the trace on.

                It reads the domains' topics; --from @-1h reads those records alone that are of
                the last hour.

                Example:
                  \(Program.name) trace 4bf92f3577b34da6a3ce929d0e0e4736 --from @-1h
                """)
    }
    @Argument(help: "The trace's id, 32 hexadecimal digits, or all that traceparent says.")
    var id: String
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Where to begin.", valueName: "position|@time"), completion: .names)
    var from = "start"
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    private struct Step {
        var source: TopicPartition
        var record: Record
        var type: String
        /// In the order in which a command's records come to be, where they have one time.
        var rank: Int
    }
    private static let columns = ["time", "topic", "partition", "offset", "key", "type", "id", "cause"]

    func run(in app: Application) async throws {
        guard let trace = TraceContext(id)?.traceID ?? (TraceContext.isTraceID(id) ? id : nil) else {
            throw Failure(.usage, "\(id) is no id of a trace: 32 hexadecimal digits in lower case, not all 0")
        }
        let steps: [Step] = try await places.withLog(app) { try await self.steps(of: trace, on: $0, in: app) }
        try shape.show(steps.map(members), columns: Self.columns) {
            TextTable(
                header: ["time", "place", "key", "type", "id or cause"], rows: steps.map(cells), whole: [1])
        }
    }

    private func steps(of trace: String, on log: any EventLog, in app: Application) async throws -> [Step] {
        let there = try await log.partitionCounts()
        let topics = app.domains.flatMap(\.topics).map(\.name).filter { there[$0] != nil }
        let reading = try await TopicReading(topics, partition: nil, from: from, to: "end", on: log)
        let shape = try RecordShape(format: nil, csv: false, domains: app.domains)
        var steps: [Step] = []
        try await reading.each(
            on: log, follows: false, batch: Replay.batch, afterEachLook: { !Output.standard.isAbandoned }
        ) { batch, records in
            let types = shape.types(batch.source)
            for record in records where record.trace?.traceID == trace {
                steps.append(
                    Step(source: batch.source, record: record, type: types(record), rank: Self.rank(batch.source.topic))
                )
            }
            return true
        }
        return steps.sorted {
            ($0.record.timestamp, $0.rank, $0.source, $0.record.offset)
                < ($1.record.timestamp, $1.rank, $1.source, $1.record.offset)
        }
    }

    private static func rank(_ topic: String) -> Int {
        if topic.hasSuffix(".commands") { return 0 }
        return topic.hasSuffix(".outcomes") ? 3 : topic.hasSuffix(".events") ? 1 : 2
    }

    private func cells(_ step: Step) -> [String] {
        let record = step.record
        let id = record[header: HeaderName.id] ?? record[header: HeaderName.cause] ?? ""
        return [record.timestamp.rfc3339, "\(step.source)@\(record.offset)", record.key.text, step.type, id]
    }

    private func members(_ step: Step) -> Members {
        [
            ("time", JSON.string(step.record.timestamp.rfc3339)), ("topic", JSON.string(step.source.topic)),
            ("partition", step.source.partition.description), ("offset", step.record.offset.description),
            ("key", JSON.string(step.record.key.text)), ("type", JSON.string(step.type)),
            ("id", step.record[header: HeaderName.id].map(JSON.string) ?? "null"),
            ("cause", step.record[header: HeaderName.cause].map(JSON.string) ?? "null"),
        ]
    }
}
