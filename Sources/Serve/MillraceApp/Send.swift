internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus

/// `millrace send`.
struct Send: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "send",
            abstract: "Send a command, or a file of them, and wait for the outcomes.",
            paragraphs: """
                The command is given as JSON or field by field; \(Program.name) send COMMAND --help
                shows its fields. The same --id again gives the same outcome and does
                nothing. An id is one of its aggregate (its key): for another one the same id
                is another command.

                --file sends a command for each line: its fields, "@id" (default: a new UUID),
                "@time" (default: --at), and "@command" where the lines are of several. A line's
                outcome is printed as soon as it and those before it are decided, also while a
                pipe stays open: write a line, read its outcome, write the next. Where that
                fails, send the same file again: ids that were decided give the same outcomes.
                A line that is no command stops it, or with --on-error skip is told and passed
                over; what came of all lines is told at the end, on standard error. SIGTERM and
                SIGINT end the reading: what was sent is waited for, and the exit code is 75.

                Examples:
                  \(Program.name) send HoldSeats --event e1 --section stalls --holder ann --seats A-1,A-2
                  \(Program.name) send HoldSeats '{"event":"e1","section":"stalls","holder":"ann","seats":["A-1"]}' --id 7f0c...
                  \(Program.name) send PlaceOrder --file orders.ndjson

                Exits with 0 where it is accepted, with 1 where it, or a line, is refused, and
                with 65 where no line was a command, or one was not and stopped it.
                """)
    }
    @Argument(help: "The command, for example HoldSeats or tickets.HoldSeats.", completion: .names)
    var command: String?
    @Argument(
        parsing: .allUnrecognized, help: ArgumentHelp("JSON, or --field value ...", valueName: "fields"),
        completion: .names)
    var fields: [String] = []
    @Option(
        help: ArgumentHelp("Commands, one JSON object a line, plain or gzip; - is standard input.", valueName: "file"),
        completion: .file())
    var file: String?
    @Option(help: ArgumentHelp("With --file, at a bad line: stop, or skip and count it.", valueName: "stop|skip"))
    var onError: OnError?
    @Option(help: ArgumentHelp("The command's id (default: a new UUID).", valueName: "uuid"))
    var id: String?
    @Option(help: ArgumentHelp("How long to wait for the outcome.", valueName: "time"))
    var timeout = "10s"
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The command's own time: RFC 3339, or -5m (default: when the log takes it).", valueName: "time"),
        completion: .names)
    var at: String?
    @OptionGroup var trace: TraceOptions
    @OptionGroup var traces: TraceFileOptions
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func run(in app: Application) async throws {
        let catalogue = app.catalogue
        let named = try command.map { try catalogue.command($0) }
        guard let limit = Duration(short: timeout) else {
            throw Failure(.usage, "--timeout \(timeout) is no time such as 10s or 500ms")
        }
        if let file {
            if id != nil || !fields.isEmpty {
                throw Failure(.usage, "--file has the commands' fields and ids; give neither beside it")
            }
            let lines = CommandLines(catalogue: catalogue, named: named, time: try time())
            let stop = try InputStop(watchesOutput: true)
            let source = try LineSource(file, limit: Limits.lineBytes, stop: stop)
            return try await trace.within("send --file", traces) { trace in
                try await stop.atSignals { try await send(source, lines, stop, trace, within: limit, in: app) }
            }
        }
        if onError != nil { throw Failure(.usage, "--on-error goes with --file") }
        guard let found = named else {
            throw Failure(
                .usage, "say which command, or give --file with lines that do; \(Program.name) events lists them")
        }
        let id = id ?? UUID().uuidString.lowercased()
        if !CommandLines.isID(id) { throw Failure(.usage, "--id \(CommandLines.rule)") }
        let loose = try LooseOptions(fields)
        if loose.words.count > 1 || (!loose.words.isEmpty && !loose.pairs.isEmpty) {
            throw Failure(
                .usage, "give either one JSON object or --field value ..., not \(loose.words.joined(separator: " "))")
        }
        let json = try loose.words.first ?? found.kind.json(loose)
        let encoded = try found.command(json: json, id: id, at: try time())
        var lookalikes = Lookalikes()
        lookalikes.look(at: encoded.key)
        lookalikes.tell()
        let outcome = try await trace.within("send \(found.kind.name)", traces) { trace in
            var sent = encoded
            sent.trace = trace
            return try await places.withLog(app) { [sent] log in
                try await CommandClient.with(log, domains: [found.domain], clock: { now() }) { client in
                    try await client.send([sent], to: found.domain, within: limit)[0]
                }
            }
        }
        try showHeader()
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

    func show(_ outcome: Outcome) throws {
        if shape.asTable {
            let word = outcome.accepted ? Palette.good("accepted") : Palette.bad("refused")
            let rest = outcome.accepted ? outcome.id : "\(outcome.reason): \(outcome.message)"
            try Output.standard.line("\(word)  \(Shown.text(rest))")
            for event in outcome.events { try Output.standard.shown("  \(event.type)  \(event.place)@\(event.offset)") }
            return
        }
        if shape.csv { return try Output.standard.write(CSVLine.text(outcome.members, Self.columns)) }
        try Output.standard.line(outcome.json)
    }

    private static let columns = ["id", "outcome", "reason", "message", "events"]
    func showHeader() throws { if shape.csv { try Output.standard.write(CSVLine.header(Self.columns)) } }
}
