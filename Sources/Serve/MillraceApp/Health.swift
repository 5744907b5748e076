internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Projecting

/// `millrace health`.
struct Health: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "health",
            abstract: "Say whether workers keep up with the log; exits with 69 where one does not.",
            paragraphs: """
                For health checks of containers and services. A worker is healthy where it is
                behind by at most --max-lag records, or where the oldest record that it has not
                handled is at most --max-age old: one that has just begun on a burst is behind,
                and still well. Give --max-lag alone to go by the number alone. A record is as old
                as it says itself: while old events are imported, go by the number. Workers are
                named as for \(Program.name) work: by name, kind or domain.

                Examples:
                  \(Program.name) health
                  \(Program.name) health projector --max-age 5m
                  \(Program.name) health tickets.handler --max-lag 1000
                """)
    }
    /// How old the oldest record that is not handled may be, where nothing is said.
    static let age = WorkerHealth.age.short

    @Argument(help: "Names, kinds or domains of workers (default: all).", completion: .names)
    var names: [String] = []
    @Option(help: ArgumentHelp("Records that a worker may be behind, of all its partitions.", valueName: "n"))
    var maxLag: Int64?
    @Option(
        help: ArgumentHelp(
            "How old the oldest record that it has not handled may be (default: \(age), or any with --max-lag).",
            valueName: "time"))
    var maxAge: String?
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func validate() throws {
        if let maxLag, maxLag < 0 { throw ValidationError("--max-lag must be 0 or more") }
    }

    func run(in app: Application) async throws {
        let limit = try (maxAge ?? (maxLag == nil ? Self.age : nil)).map { text in
            guard let limit = Duration(short: text) else {
                throw Failure(.usage, "--max-age \(text) is no time such as 30s or 5m")
            }
            return limit
        }
        let workers = try Workers.all(of: app.domains, chosen: names)
        // A log that was named by mistake would be made, and no worker would be behind on it.
        if case .local(let folder) = try places.logPlace(), access(folder + "/log.sqlite", F_OK) != 0, errno == ENOENT {
            throw Failure(.noInput, "there is no log in \(folder): no worker has begun one there. --log names another")
        }
        let states = try await places.withLog(app) { log in
            try await places.withViews { views in
                let lines = try await WorkerLag.settled(workers, log: log, views: views, sum: false, within: .zero)
                return try await WorkerHealth.states(lines, on: log, at: now(), maxLag: maxLag, maxAge: limit)
            }
        }
        try ReaderGone.passed { try show(states) }
        let ill = states.filter { $0.problem != nil }
        if let first = ill.first {
            let others = ill.count > 1 ? " (and \(ill.count - 1) more)" : ""
            throw Failure(.unavailable, "\(first.worker) \(first.problem ?? "")\(others)")
        }
    }

    private func show(_ states: [WorkerHealth]) throws {
        let rows = states.map { state -> Members in
            [
                ("worker", JSON.string(state.worker)), ("lag", String(state.lag)),
                ("age", state.age.map { String($0.milliseconds) } ?? "null"),
                ("problem", state.problem.map(JSON.string) ?? "null"),
            ]
        }
        try shape.show(rows, columns: ["worker", "lag", "age", "problem"]) {
            TextTable(
                header: ["worker", "lag", "oldest", "is"],
                rows: states.map { state in
                    [
                        state.worker, String(state.lag), state.age.map(\.short) ?? "-",
                        state.problem == nil ? "ok" : "NOT WELL",
                    ]
                }, right: [1, 2], whole: [0, 3])
        }
    }
}
