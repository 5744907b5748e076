internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import MillraceBus
internal import Projecting
internal import Quarantining

/// `millrace lag`.
struct Lag: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "lag",
            abstract: "Show how far each worker is behind the log, partition by partition.",
            paragraphs: """
                --sum shows a line a worker. With --wait it first waits until nobody is behind,
                so that a script sees all that was written before; where that takes longer, it
                shows who is and exits with 75. A worker that has seen more than the log has
                is ahead of it: the log is an older copy, or another one. That is shown too,
                and the exit code is 65. Records that were past their topic's retention before a
                worker came to them are counted as gone, for as long as millrace.quarantine
                keeps what the worker said of them.

                Example: \(Program.name) lag --sum --wait 30s
                """)
    }
    @Flag(help: "One line a worker.")
    var sum = false
    @Option(help: ArgumentHelp("Wait until nobody is behind, at most so long.", valueName: "time"))
    var wait: String?
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func run(in app: Application) async throws {
        let patience = wait.map { Duration(short: $0) } ?? .zero
        guard let patience else { throw Failure(.usage, "--wait \(wait ?? "") is no time such as 30s") }
        let lines = try await places.withLog(app) { log in
            try await places.withViews { views in
                try await WorkerLag.settled(app.workers, log: log, views: views, sum: sum, within: patience)
            }
        }
        try show(lines)
        if let ahead = lines.lazy.compactMap(\.aheadMessage).first { throw Failure(.data, ahead) }
        if let line = lines.first(where: { $0.missing != nil }), let topic = line.missing {
            throw Failure(
                .configuration,
                "\(line.worker) reads \(topic), which is not on the log: \(Explanation.unknownTopic(topic, declared: app.declaredTopics))"
            )
        }
        let behind = lines.filter { $0.lag > 0 }
        if wait != nil, !behind.isEmpty {
            let names = Set(behind.map(\.worker)).sorted().joined(separator: ", ")
            throw Failure(.tryAgain, "still behind after \(patience.short): \(names); do they run?")
        }
    }

    private func show(_ lines: [WorkerLag]) throws {
        // Hardly ever is anything gone, and then it is not to be overlooked.
        let isAnyGone = lines.contains { $0.gone > 0 }
        try shape.show(lines.map(\.members), columns: Self.columns) {
            let rows = lines.map { line in
                [
                    line.worker, line.missing ?? line.partition?.description ?? "all",
                    line.committed?.description ?? "-", line.end?.description ?? "-",
                    line.missing != nil ? "no topic" : line.ahead > 0 ? "\(line.ahead) ahead" : String(line.lag),
                ] + (isAnyGone ? [String(line.gone)] : [])
            }
            return TextTable(
                header: ["worker", "partition", "next", "end", "lag"] + (isAnyGone ? ["gone"] : []), rows: rows,
                right: [2, 3, 4, 5], coloured: [4])
        }
    }

    private static let columns = ["worker", "partition", "next", "end", "lag", "missing", "ahead", "gone"]
}
