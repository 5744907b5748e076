internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import MillraceBus
internal import Quarantining

extension QuarantineCommand {
    struct Redrive: AppCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have waiting records handled again, in order.",
            paragraphs: """
                Each key goes on until one of its records fails again. Commands are decided by
                their own time, not by now. The worker must run: it does it.
                """)
        @Argument(help: "The worker (default: all).", completion: .names)
        var worker: String?
        @Argument(help: "The key, or the place of a record without one (default: all keys).")
        var key: String?
        @OptionGroup var asking: Asking
        @OptionGroup var places: LogAndViewOptions

        func run(in app: Application) async throws { try await asking.ask(app, places, worker, key, drop: 0) }
    }

    struct Drop: AppCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give up the first waiting record of a key for good, and have the others handled.",
            paragraphs: """
                What is dropped stays on the log and is left out of what the worker makes of it;
                a dropped command has no outcome. It cannot be taken back but by rebuilding from
                another log.
                """)
        @Argument(help: "The worker.", completion: .names)
        var worker: String
        @Argument(help: "The key, or the place of a record without one.")
        var key: String
        @Flag(help: "Give up all waiting records of the key.")
        var all = false
        @OptionGroup var asking: Asking
        @OptionGroup var places: LogAndViewOptions

        func run(in app: Application) async throws {
            try await asking.ask(app, places, worker, key, drop: all ? .max : 1)
        }
    }

    /// How a worker is asked, and what came of it told.
    struct Asking: ParsableArguments {
        @Option(help: ArgumentHelp("How long to wait for the workers.", valueName: "time"))
        var wait = "10s"
        @OptionGroup var shape: OutputOptions

        func ask(_ app: Application, _ places: LogAndViewOptions, _ worker: String?, _ key: String?, drop: Int)
            async throws
        {
            guard let patience = Duration(short: wait) else {
                throw Failure(.usage, "--wait \(wait) is no time such as 30s")
            }
            let (asked, ends) = try await places.withLog(app) { log in
                let quarantine = log.quarantine()
                let asked = try QuarantineCommand.groups(await quarantine.read(), worker, key, in: app).map {
                    ($0, $0.request(drop: drop))
                }
                try await quarantine.append(asked.map { .asked($0.1) })
                let deadline = ContinuousClock.now + patience
                while true {
                    let ended = try await quarantine.read().ended
                    let ends = asked.compactMap { ended[$0.1.id] }
                    if ends.count == asked.count || .now >= deadline { return (asked, ended) }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            try show(asked.map { ($0.0, ends[$0.1.id]) })
            if let silent = asked.first(where: { ends[$0.1.id] == nil }) {
                throw Failure(
                    .tryAgain,
                    """
                    no \(silent.0.worker) answered within \(patience.short). The request is on the log and will be carried \
                    out when one runs: \(Program.name) work \(silent.0.worker)
                    """)
            }
            if let (group, end) = asked.lazy.map({ ($0.0, ends[$0.1.id]) }).first(where: { $0.1?.left != 0 }), let end {
                throw Failure(.data, "\(group.worker) \(group.key.text) waits still: \(end.reason)")
            }
        }

        private func show(_ results: [(Group, ReleaseEnd?)]) throws {
            let answered = results.compactMap { group, end in end.map { (group, $0) } }
            let lines = answered.map { group, end -> Members in
                [
                    ("worker", JSON.string(group.worker)), ("key", JSON.string(group.key.text)),
                    ("handled", String(end.released)), ("dropped", String(end.dropped)),
                    ("waiting", String(max(0, end.left))),
                    ("reason", end.reason.isEmpty ? "null" : JSON.string(end.reason)),
                ]
            }
            try shape.show(lines, columns: ["worker", "key", "handled", "dropped", "waiting", "reason"]) {
                let rows = answered.map { group, end in
                    [
                        group.worker, group.key.text, String(end.released), String(end.dropped),
                        String(max(0, end.left)), end.reason,
                    ]
                }
                return TextTable(
                    header: ["worker", "key", "handled", "dropped", "waiting", "reason"], rows: rows, right: [2, 3, 4],
                    whole: [0, 1])
            }
        }
    }
}
