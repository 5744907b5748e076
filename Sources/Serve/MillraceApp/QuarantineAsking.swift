internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import MillraceBus
internal import Quarantining

extension QuarantineCommand {
    struct Redrive: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "redrive",
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
            commandName: "drop",
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
            let answers = try await places.withLog(app) { log in
                let groups = try QuarantineGroup.groups(await log.quarantine().read(), worker, key, in: app.domains)
                return try await QuarantineAnswer.ask(for: groups, drop: drop, on: log, within: patience)
            }
            try show(answers)
            if let failure = answers.failure(within: patience) { throw failure }
        }

        private func show(_ answers: [QuarantineAnswer]) throws {
            try shape.show(answers.compactMap(\.members), columns: QuarantineAnswer.columns) {
                let rows = answers.compactMap { answer in
                    answer.end.map { end in
                        [
                            answer.group.worker, answer.group.key.text, String(end.redriven), String(end.dropped),
                            String(max(0, end.left)), end.reason,
                        ]
                    }
                }
                return TextTable(
                    header: QuarantineAnswer.columns, rows: rows, right: [2, 3, 4],
                    whole: [0, 1])
            }
        }
    }
}
