internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling

/// `millrace send`.
struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send one command and wait for its outcome.",
        discussion: """
            The command is given as JSON or field by field; millrace send COMMAND --help
            shows its fields. The same --id again gives the same outcome and does
            nothing.

            Examples:
              millrace send HoldSeats --event e1 --section stalls --holder ann --seats A-1,A-2
              millrace send HoldSeats '{"event":"e1","section":"stalls","holder":"ann","seats":["A-1"]}' --id 7f0c...

            Exits with 0 where it is accepted and with 1 where it is refused.
            """)
    @Argument(help: "The command, for example HoldSeats or tickets.HoldSeats.")
    var command: String
    @Argument(
        parsing: .allUnrecognized, help: ArgumentHelp("JSON, or --field value ...", valueName: "fields"))
    var fields: [String] = []
    @Option(help: ArgumentHelp("The command's id (default: a new UUID).", valueName: "uuid"))
    var id: String?
    @Option(help: ArgumentHelp("How long to wait for the outcome.", valueName: "time"))
    var timeout = "10s"
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The command's own time: RFC 3339, or -5m (default: when the log takes it).", valueName: "time"))
    var at: String?
    @OptionGroup var shape: Shape
    @OptionGroup var places: Places

    func run() async throws {
        let found = try Catalogue(domains: Millrace.domains).command(command)
        guard let limit = Duration(short: timeout) else {
            throw Failure(.usage, "--timeout \(timeout) is no time such as 10s or 500ms")
        }
        let id = id ?? UUID().uuidString.lowercased()
        if id.isEmpty || id.count > Limits.commandID || id.contains(where: { $0.isWhitespace || $0 == ":" }) {
            throw Failure(.usage, "--id must be 1 to \(Limits.commandID) characters without spaces and ':'")
        }
        let loose = try LooseOptions(fields)
        if loose.words.count > 1 || (!loose.words.isEmpty && !loose.pairs.isEmpty) {
            throw Failure(
                .usage, "give either one JSON object or --field value ..., not \(loose.words.joined(separator: " "))")
        }
        let json = try loose.words.first ?? found.kind.json(loose)
        let encoded = try found.command(json: json, id: id, at: try time())
        let outcome = try await places.withLog { log in
            try await CommandClient.with(log, domains: [found.domain], clock: { now() }) { client in
                try await client.send([encoded], to: found.domain, within: limit)[0]
            }
        }
        try show(outcome)
        if !outcome.accepted { throw Failure(.refused, "") }
    }

    private func time() throws -> Timestamp? {
        guard let at else { return nil }
        guard let time = Moment.parse(at, now: now()) else {
            throw Failure(.usage, "--at \(at) is no moment, such as 2026-11-01T20:00:00Z or -5m")
        }
        if time > now() + maximumClockSkew {
            throw Failure(.data, "--at \(time.rfc3339) is over \(maximumClockSkew.short) ahead of this machine's clock")
        }
        return time
    }

    private func show(_ outcome: Outcome) throws {
        if shape.asTable {
            try Output.standard.line(
                outcome.accepted ? "accepted  \(outcome.id)" : "refused  \(outcome.reason): \(outcome.message)")
            for event in outcome.events { try Output.standard.line("  \(event.type)  \(event.place)@\(event.offset)") }
            return
        }
        try Output.standard.line(outcome.json)
    }
}

extension Outcome {
    var json: String {
        JSON.object([
            ("id", JSON.string(id)), ("outcome", JSON.string(accepted ? "accepted" : "refused")),
            ("reason", accepted ? "null" : JSON.string(reason)), ("message", accepted ? "null" : JSON.string(message)),
            (
                "events",
                JSON.array(
                    events.map { event in
                        JSON.object([
                            ("topic", JSON.string(event.place.topic)), ("partition", event.place.partition.description),
                            ("offset", event.offset.description), ("type", JSON.string(event.type)),
                        ])
                    })
            ),
        ])
    }
}
