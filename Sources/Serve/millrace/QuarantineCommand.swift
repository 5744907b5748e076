internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Quarantining

/// `millrace quarantine`.
struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "Look after records that a worker could not handle, and those that wait behind them.",
        discussion: """
            A record that cannot be decoded or folded, or of which workers die, stops its
            key and nothing else: later records of the key wait in order, the others flow.
            What waits, and what became of it, is on the topic millrace.quarantine.

            Examples:
              millrace quarantine list
              millrace quarantine show tickets.seatmap e1:floor
              millrace quarantine redrive tickets.seatmap e1:floor
              millrace quarantine drop tickets.seatmap e1:floor
            """,
        subcommands: [List.self, Show.self, Redrive.self, Drop.self], defaultSubcommand: List.self)

    /// The waiting records of one key, or one that has no key.
    struct Group {
        var worker: String
        var source: TopicPartition
        var parked: [Quarantine.Parked]

        var first: Quarantine.Parked { parked[0] }
        var place: String { "\(source)@\(first.offset)" }
        /// Why the key is stopped: the first reason that there is.
        var reason: String { parked.lazy.map(\.reason).first { !$0.isEmpty } ?? "it waits behind another topic's" }

        func answers(to name: String) -> Bool {
            first.key.isEmpty ? place == name : first.key.text == name || first.key.storable == name
        }

        func request(drop: Int) -> ReleaseRequest {
            ReleaseRequest(
                id: UUID().uuidString.lowercased(), worker: worker, source: source, key: first.key, drop: drop,
                only: first.key.isEmpty ? first.offset : nil)
        }
    }

    /// What waits, by worker, partition and key, in the order of the first records.
    static func groups(_ book: QuarantineBook, _ worker: String?, _ key: String? = nil) throws -> [Group] {
        if let worker, !App.workers(Millrace.domains).contains(where: { $0.name == worker }) {
            let known = App.workers(Millrace.domains).map(\.name).joined(separator: ", ")
            throw Failure(.usage, "there is no worker \(worker); there are \(known)")
        }
        let groups = book.workers.filter { worker == nil || $0.key == worker }.sorted { $0.key < $1.key }.flatMap {
            name, sources in
            sources.sorted { $0.key < $1.key }.flatMap { source, quarantine -> [Group] in
                let parked = quarantine.parked
                let keyed = Dictionary(grouping: parked.filter { !$0.key.isEmpty }, by: \.key).values
                let single = parked.filter(\.key.isEmpty).map { [$0] }
                return (Array(keyed) + single).map { Group(worker: name, source: source, parked: $0) }
                    .sorted { $0.first.offset < $1.first.offset }
            }
        }
        let chosen = groups.filter { group in key.map { group.answers(to: $0) } ?? true }
        if let worker, let key, chosen.isEmpty {
            throw Failure(
                .usage, "nothing of \(key) waits for \(worker); what does is shown by: millrace quarantine list")
        }
        return chosen
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the keys that are stopped, and why.")
        @Argument(help: "Only this worker's.")
        var worker: String?
        @OptionGroup var shape: Shape
        @OptionGroup var places: Places

        func run() async throws {
            let groups = try await places.withLog { log in
                try QuarantineCommand.groups(await log.quarantine().read(), worker)
            }
            if shape.asTable {
                let rows = groups.map { group in
                    [
                        group.worker, group.first.key.text, group.place, String(group.parked.count),
                        String(group.parked.map(\.attempts).max() ?? 0), group.reason,
                    ]
                }
                try Output.standard.write(
                    TextTable(
                        header: ["worker", "key", "first", "waiting", "attempts", "reason"], rows: rows, right: [3, 4]
                    ).text)
                return
            }
            for group in groups {
                try Output.standard.line(
                    JSON.object([
                        ("worker", JSON.string(group.worker)), ("key", JSON.string(group.first.key.text)),
                        ("first", JSON.string(group.place)),
                        ("time", JSON.string(group.first.timestamp.rfc3339)),
                        ("waiting", String(group.parked.count)),
                        ("attempts", String(group.parked.map(\.attempts).max() ?? 0)),
                        ("reason", JSON.string(group.reason)),
                    ]))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the waiting records in order.",
            discussion: "A value that is no message of its topic's schema is shown as base64.")
        @Argument(help: "The worker.")
        var worker: String
        @Argument(help: "The key, or the place of a record without one (default: all keys).")
        var key: String?
        @OptionGroup var places: Places

        func run() async throws {
            let shape = try RecordShape(format: nil, csv: false, domains: Millrace.domains)
            try await places.withLog { log in
                let groups = try QuarantineCommand.groups(await log.quarantine().read(), worker, key)
                for group in groups {
                    var records: [Offset: Record] = [:]
                    try await log.records(at: Set(group.parked.map(\.offset)), in: group.source) { record in
                        records[record.offset] = record
                    }
                    for parked in group.parked { try line(parked, records[parked.offset], group, shape) }
                }
            }
        }

        private func line(
            _ parked: Quarantine.Parked, _ record: Record?, _ group: Group, _ shape: RecordShape
        ) throws {
            var members = [
                ("worker", JSON.string(group.worker)),
                ("place", JSON.string("\(group.source)@\(parked.offset)")),
                ("time", JSON.string(parked.timestamp.rfc3339)), ("key", JSON.string(parked.key.text)),
                ("attempts", String(parked.attempts)),
                ("reason", parked.reason.isEmpty ? "null" : JSON.string(parked.reason)),
            ]
            if let record {
                members.append(("type", JSON.string(shape.type(record, group.source))))
                if let event = shape.decoded(record, group.source) {
                    members.append(("event", event))
                } else {
                    members.append(("base64", JSON.string(Data(record.value.slice).base64EncodedString())))
                }
            } else {
                members.append(("event", "null"))
            }
            try Output.standard.line(JSON.object(members))
        }
    }

    struct Redrive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have waiting records handled again, in order.",
            discussion: """
                Each key goes on until one of its records fails again. Commands are decided by
                their own time, not by now. The worker must run: it does it.
                """)
        @Argument(help: "The worker (default: all).")
        var worker: String?
        @Argument(help: "The key, or the place of a record without one (default: all keys).")
        var key: String?
        @OptionGroup var asking: Asking
        @OptionGroup var places: Places

        func run() async throws { try await asking.ask(places, worker, key, drop: 0) }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give up the first waiting record of a key for good, and have the others handled.",
            discussion: """
                What is dropped stays on the log and is left out of what the worker makes of it;
                a dropped command has no outcome. It cannot be taken back but by rebuilding from
                another log.
                """)
        @Argument(help: "The worker.")
        var worker: String
        @Argument(help: "The key, or the place of a record without one.")
        var key: String
        @Flag(help: "Give up all waiting records of the key.")
        var all = false
        @OptionGroup var asking: Asking
        @OptionGroup var places: Places

        func run() async throws { try await asking.ask(places, worker, key, drop: all ? .max : 1) }
    }

    /// How a worker is asked, and what came of it told.
    struct Asking: ParsableArguments {
        @Option(help: ArgumentHelp("How long to wait for the workers.", valueName: "time"))
        var wait = "10s"
        @OptionGroup var shape: Shape

        func ask(_ places: Places, _ worker: String?, _ key: String?, drop: Int) async throws {
            guard let patience = Duration(short: wait) else {
                throw Failure(.usage, "--wait \(wait) is no time such as 30s")
            }
            let (asked, ends) = try await places.withLog { log in
                let quarantine = log.quarantine()
                let asked = try QuarantineCommand.groups(await quarantine.read(), worker, key).map {
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
                    out when one runs: millrace work \(silent.0.worker)
                    """)
            }
            if let (group, end) = asked.lazy.map({ ($0.0, ends[$0.1.id]) }).first(where: { $0.1?.left != 0 }), let end {
                throw Failure(.data, "\(group.worker) \(group.first.key.text) waits still: \(end.reason)")
            }
        }

        private func show(_ results: [(Group, ReleaseEnd?)]) throws {
            let answered = results.compactMap { group, end in end.map { (group, $0) } }
            if shape.asTable {
                let rows = answered.map { group, end in
                    [
                        group.worker, group.first.key.text, String(end.released), String(end.dropped),
                        String(max(0, end.left)), end.reason,
                    ]
                }
                try Output.standard.write(
                    TextTable(
                        header: ["worker", "key", "handled", "dropped", "waiting", "reason"], rows: rows,
                        right: [2, 3, 4]
                    ).text)
                return
            }
            for (group, end) in answered {
                try Output.standard.line(
                    JSON.object([
                        ("worker", JSON.string(group.worker)), ("key", JSON.string(group.first.key.text)),
                        ("handled", String(end.released)), ("dropped", String(end.dropped)),
                        ("waiting", String(max(0, end.left))),
                        ("reason", end.reason.isEmpty ? "null" : JSON.string(end.reason)),
                    ]))
            }
        }
    }
}

extension EventLog {
    /// What the topic of the quarantine says.
    fileprivate func quarantine() -> QuarantineLog { QuarantineLog(self, clock: { now() }) }
}
