internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus

/// What to do with a line that is not acceptable.
enum OnError: String, ExpressibleByArgument, CaseIterable {
    case stop, skip
}

/// `millrace produce`.
struct Produce: AppCommand {
    /// Lines appended, or sent to a handler, together.
    static let batch = 5000

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "produce",
            abstract: "Produce events from JSON lines.",
            paragraphs: """
                Each line is an event's fields: {"site":"home","path":"/"}. Its time is now,
                or what --time-field names (RFC 3339, or seconds or milliseconds since
                1970), or "@time" in the line. A line that replay printed is taken as it is,
                its time included. \(Program.name) produce EVENT --help shows the event's fields.

                At a bad line it stops with exit code 65, or skips it and goes on: then the
                first five of each kind are told, and the code is 65 where no line was good
                or the input was cut short or damaged.

                With --progress each part of the input is acknowledged when its events are on
                the log, by a line such as the last one: whoever writes into a pipe that stays
                open writes an event, reads that line, and writes the next. SIGTERM and SIGINT
                end the reading: what was read is produced, and the exit code is 75.

                Telemetry is checked and appended. An event that a decider owns goes to its
                handler, which admits it only where it is a legal next event; a refused one
                is reported like a bad line, and the exit code is 1.

                Examples:
                  echo '{"site":"home","path":"/"}' | \(Program.name) produce Hit
                  \(Program.name) replay hits.events | \(Program.name) produce Hit --log kafka://localhost:9092
                """)
    }
    @Argument(help: "The event, for example Hit or tickets.SeatHeld.", completion: .names)
    var event: String
    @Option(
        help: ArgumentHelp("The file to read, plain or gzip (default: standard input).", valueName: "file"),
        completion: .file())
    var file = "-"
    @Option(help: ArgumentHelp("At a bad line: stop, or skip and count it.", valueName: "stop|skip"))
    var onError = OnError.stop
    @Option(help: ArgumentHelp("The field of the line that is its time.", valueName: "field"))
    var timeField: String?
    @Flag(help: "Tell of each part of the input that is done, as a line of JSON.")
    var progress = false
    @Option(help: ArgumentHelp("How long to wait for a handler.", valueName: "time"))
    var timeout = "10s"
    /// What belongs into a line, and was given as options.
    @Argument(parsing: .allUnrecognized, help: .hidden)
    var words: [String] = []
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func run(in app: Application) async throws {
        let found = try app.catalogue.event(event)
        if !words.isEmpty { throw Self.refusal(words, of: found) }
        guard let limit = Duration(short: timeout) else { throw Failure(.usage, "--timeout \(timeout) is no time") }
        let stop = try InputStop(watchesOutput: progress)
        let source = try LineSource(file, limit: Limits.lineBytes, stop: stop)
        let reader = EventLines(found: found, timeField: timeField)
        try await stop.atSignals {
            try await places.withLog(app) { log in
                let counts = try await log.partitionCounts()
                guard let count = counts[found.topic] else { throw LogError.unknown(found.topic) }
                if found.decided {
                    try await CommandClient.with(log, domains: [found.domain], clock: { now() }) { client in
                        try await produce(
                            source, reader, stop, .admission(client, found, within: limit), app)
                    }
                } else {
                    try await produce(
                        source, reader, stop,
                        .append(log, PartitionCount(of: found.topic, on: log, count)), app)
                }
            }
        }
    }

    private func produce(
        _ source: LineSource, _ reader: EventLines, _ stop: InputStop, _ sink: EventSink, _ app: Application
    ) async throws {
        var tally = Tally()
        var sink = sink
        var stopped: String?
        while stopped == nil, let lines = try await source.next() {
            // A handler's refusal of one line must stop before the next is sent.
            let size = onError == .stop && sink.canRefuse ? 1 : Self.batch
            var at = lines.startIndex
            while at < lines.endIndex, stopped == nil {
                let chunk = lines[at..<min(at + size, lines.endIndex)]
                at = chunk.endIndex
                do {
                    try await put(chunk, reader, &sink, &tally)
                } catch {
                    // What the log refused is not written; what it took before is, and must not be produced again.
                    guard let failure = Failure(error, in: app), failure.exit != .data, !failure.message.isEmpty,
                        tally.done > 0
                    else { throw error }
                    throw Failure(
                        failure.exit,
                        "\(failure.message). The events of the \(tally.lines) lines before line \(tally.lines + 1) were produced"
                    )
                }
                tally.lines = chunk.last?.number ?? tally.lines
                if progress { try acknowledge(tally, sink.ends) }
                if at < lines.endIndex { stopped = stop.why }
            }
        }
        if stop.isOutputClosed { throw unread(tally) }
        try finish(tally, sink.ends)
        if let why = source.stopped ?? stopped {
            throw Failure(.tryAgain, "\(why) behind line \(tally.lines): no more was read")
        }
        if let damage = source.damage {
            throw Failure(.data, "\(damage). The events of the \(tally.lines) whole lines before were taken")
        }
        if tally.bad > 0 && tally.done == 0 && tally.refused == 0 {
            throw Failure(
                .data, "no line could be read; \(Program.name) produce \(event) --help shows what one looks like")
        }
        if tally.refused > 0 { throw Failure(.refused, "") }
    }

    private func put(
        _ lines: ArraySlice<LineSource.Line>, _ reader: EventLines, _ sink: inout EventSink, _ tally: inout Tally
    ) async throws {
        var events: [(line: Int, event: EventLines.Event)] = []
        var bad: (line: Int, why: String)?
        for line in lines {
            do {
                if let event = try reader.read(line) {
                    events.append((line.number, event))
                    tally.lookalikes.look(at: event.key)
                }
            } catch {
                bad = (line.number, error.inLine)
                if onError == .stop { break }
                tally.complaints.add(line.number, reason: error.reason, error.inLine)
                tally.bad += 1
            }
        }
        if !events.isEmpty {
            let refusals = try await sink.put(events.map(\.event))
            tally.done += events.count - refusals.count
            for (i, no) in refusals.sorted(by: { $0.key < $1.key }) {
                tally.complaints.add(events[i].line, reason: no.reason, "refused: \(no.reason): \(no.message)")
                tally.refused += 1
            }
            if onError == .stop, !refusals.isEmpty {
                try finish(tally, sink.ends)
                throw Failure(.refused, "")
            }
        }
        if let bad, onError == .stop {
            Output.complain("line \(bad.line): \(bad.why)")
            throw Failure(
                .data,
                "stopped at line \(bad.line); the \(tally.done) events before it were produced. --on-error skip goes on"
            )
        }
    }

    private func finish(_ tally: Tally, _ ends: [TopicPartition: Offset]) throws {
        tally.lookalikes.tell()
        var complaints = tally.complaints
        complaints.end()
        let members = Self.members(tally, ends)
        // Whoever asked for JSON on the way has it at the end too.
        if progress && !shape.table && !shape.csv { return try Output.standard.line(Self.json(members)) }
        try shape.show([members]) {
            let last = ends.sorted { $0.key < $1.key }.map { "\($0.key)@\($0.value)" }.joined(separator: ", ")
            return TextTable(
                header: ["produced", "refused", "bad", "last"],
                rows: [[String(tally.done), String(tally.refused), String(tally.bad), last.isEmpty ? "-" : last]],
                right: [0, 1, 2])
        }
    }

    private static func json(_ members: Members) -> String { JSON.object(members.map { ($0.name, $0.value) }) }

    private static func members(_ tally: Tally, _ ends: [TopicPartition: Offset]) -> Members {
        [
            ("produced", String(tally.done)), ("refused", String(tally.refused)), ("bad", String(tally.bad)),
            ("last", JSON.offsets(ends)),
        ]
    }

    /// Says that all lines up to one are done with.
    private func acknowledge(_ tally: Tally, _ ends: [TopicPartition: Offset]) throws {
        do {
            try Output.standard.line(Self.json([("line", String(tally.lines))] + Self.members(tally, ends)))
        } catch is ReaderGone {
            throw unread(tally)
        }
    }

    private func unread(_ tally: Tally) -> Failure {
        Failure(
            .ioError,
            """
            \(InputStop.closed): the events of the \(tally.lines) lines before line \(tally.lines + 1) were produced, and no \
            more was read
            """)
    }

    private struct Tally {
        /// Lines that are done with.
        var lines = 0
        var done = 0
        var refused = 0
        var bad = 0
        var lookalikes = Lookalikes()
        var complaints = Complaints()
    }
}
