internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus
internal import Quarantining

/// `millrace quarantine`.
struct QuarantineCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "quarantine",
            abstract: "Look after records that a worker could not handle, and those that wait behind them.",
            paragraphs: """
                A record that cannot be decoded or folded, or of which workers die, stops its
                key and nothing else: later records of the key wait in order, the others flow.
                What waits, and what became of it, is on the topic millrace.quarantine.

                Examples:
                  \(Program.name) quarantine list
                  \(Program.name) quarantine show tickets.seatmap e1:floor
                  \(Program.name) quarantine redrive tickets.seatmap e1:floor
                  \(Program.name) quarantine drop tickets.seatmap e1:floor
                """,
            subcommands: [List.self, Show.self, Redrive.self, Drop.self], defaultSubcommand: List.self)
    }

    struct List: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Show the keys that are stopped, and why.")
        @Argument(help: "Only this worker's.", completion: .names)
        var worker: String?
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions

        func run(in app: Application) async throws {
            let groups = try await places.withLog(app) { log in
                try QuarantineGroup.groups(await log.quarantine().read(), worker, in: app.domains)
            }
            try shape.show(groups.map(\.members), columns: QuarantineGroup.columns) {
                let rows = groups.map { group in
                    [
                        group.worker, group.key.text, group.place, String(group.items.count),
                        String(group.attempts), group.reason,
                    ]
                }
                return TextTable(
                    header: ["worker", "key", "first", "waiting", "attempts", "reason"], rows: rows, right: [3, 4],
                    whole: [0, 1, 2])
            }
        }
    }

    struct Show: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show the waiting records in order.",
            discussion: "A value that is no message of its topic's schema is shown as base64.")
        @Argument(help: "The worker.", completion: .names)
        var worker: String
        @Argument(help: "The key, or the place of a record without one (default: all keys).")
        var key: String?
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions

        func run(in app: Application) async throws {
            let reading = try RecordShape(format: nil, csv: false, domains: app.domains)
            var lines: [Members] = []
            try await places.withLog(app) { log in
                let groups = try QuarantineGroup.groups(await log.quarantine().read(), worker, key, in: app.domains)
                for group in groups {
                    var records: [TopicPartition: [Offset: Record]] = [:]
                    for (source, items) in Dictionary(grouping: group.items, by: \.source) {
                        try await log.records(at: Set(items.map(\.record.offset)), in: source) { record in
                            records[source, default: [:]][record.offset] = record
                        }
                    }
                    lines += group.items.map { line(group.worker, $0, records[$0.source]?[$0.record.offset], reading) }
                }
            }
            let columns = ["worker", "place", "time", "key", "attempts", "reason", "type", "event", "base64"]
            try shape.show(lines, columns: columns) {
                let shown = ["place", "time", "key", "attempts", "reason", "type", "event"]
                return TextTable(
                    header: shown,
                    rows: lines.map { line in
                        shown.map { name in
                            let value = name == "event" ? ["event", "base64"] : [name]
                            return CSVLine.plain(line.first { value.contains($0.name) }?.value ?? "null")
                        }
                    }, right: [3], whole: [0, 1, 2, 5])
            }
        }

        private func line(_ worker: String, _ item: QuarantineGroup.Item, _ record: Record?, _ shape: RecordShape)
            -> Members
        {
            let (source, parked) = item
            var members: Members = [
                ("worker", JSON.string(worker)), ("place", JSON.string("\(source)@\(parked.offset)")),
                ("time", JSON.string(parked.timestamp.rfc3339)), ("key", JSON.string(parked.key.text)),
                ("attempts", String(parked.attempts)),
                ("reason", parked.reason.isEmpty ? "null" : JSON.string(parked.reason)),
            ]
            if let record {
                members.append(("type", JSON.string(shape.type(record, source))))
                if let event = shape.decoded(record, source) {
                    members.append(("event", event))
                } else {
                    members.append(("base64", JSON.string(Data(record.value.slice).base64EncodedString())))
                }
            } else {
                members.append(("event", "null"))
            }
            return members
        }
    }
}
