internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import MillraceBus
internal import Projecting

/// `millrace health`.
struct Health: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
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
    static let age = "1m"

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

    /// One worker, and what is wrong with it.
    struct State: Sendable {
        var worker: String
        var lag: Int64 = 0
        /// How long ago the oldest record that it has not handled was written; nil where there is none.
        var age: Duration?
        /// Why it is not healthy.
        var problem: String?
    }

    func run(in app: Application) async throws {
        let limit = try (maxAge ?? (maxLag == nil ? Self.age : nil)).map { text in
            guard let limit = Duration(short: text) else {
                throw Failure(.usage, "--max-age \(text) is no time such as 30s or 5m")
            }
            return limit
        }
        let workers = try Workers.all(of: app.domains, chosen: names)
        let states = try await places.withLog(app) { log in
            try await places.withViews { views in
                let lines = try await Lag.settled(workers, log: log, views: views, sum: false, within: .zero)
                return try await Self.states(lines, on: log, at: now(), maxLag: maxLag, maxAge: limit)
            }
        }
        try show(states)
        let ill = states.filter { $0.problem != nil }
        if let first = ill.first {
            let others = ill.count > 1 ? " (and \(ill.count - 1) more)" : ""
            throw Failure(.unavailable, "\(first.worker) \(first.problem ?? "")\(others)")
        }
    }

    /// The state of each worker, in the order of the lines.
    static func states(
        _ lines: [Lag.Line], on log: any EventLog, at moment: Timestamp, maxLag: Int64?, maxAge: Duration?
    ) async throws -> [State] {
        var states: [State] = []
        for line in lines {
            if states.last?.worker != line.worker { states.append(State(worker: line.worker)) }
            let last = states.count - 1
            states[last].lag += line.lag
            if let topic = line.missing { states[last].problem = "reads \(topic), which is not on the log" }
            if line.ahead > 0 { states[last].problem = "is ahead of the log by \(line.ahead) records" }
            guard line.lag > 0, let partition = line.partition, let end = line.end else { continue }
            let next = max(line.committed ?? 0, Offset(end.rawValue - line.lag))
            guard let record = try await log.record(at: next, in: partition) else { continue }
            let age = Duration.milliseconds(max(0, moment.rawValue - record.timestamp.rawValue))
            states[last].age = max(age, states[last].age ?? .zero)
        }
        for i in states.indices where states[i].problem == nil {
            if let maxLag, states[i].lag > maxLag {
                states[i].problem = "is behind by \(states[i].lag) records, more than \(maxLag)"
            }
            if let maxAge, let age = states[i].age, age > maxAge {
                states[i].problem =
                    """
                    has not handled a record that is \(age.short) old, over \(maxAge.short), and \(states[i].lag) in all; does \
                    it run?
                    """
            }
        }
        return states
    }

    private func show(_ states: [State]) throws {
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
