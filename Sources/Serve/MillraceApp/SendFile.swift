internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus

extension Send {
    /// Lines sent together, whose outcomes are awaited together.
    static let batch = 500

    /// Sends a file's commands in their order, those of one domain that stand together in one append.
    func send(
        _ source: LineSource, _ reader: CommandLines, _ stop: InputStop, _ trace: TraceContext?,
        within limit: Duration, in app: Application
    ) async throws {
        let deciding = app.domains.filter { $0.decider != nil }
        try await places.withLog(app) { log in
            try await CommandClient.with(log, domains: deciding, clock: { now() }) { client in
                try showHeader()
                var sending = Sending(client: client, limit: limit, shape: self, stop: stop)
                // What has come goes out before more is waited for: a pipe may stay open for as long as its writer likes.
                reading: while let lines = try await source.next() {
                    for line in lines {
                        if sending.stopped != nil { break reading }
                        try await take(line, reader, trace, &sending)
                    }
                    try await sending.send()
                }
                try sending.end(source)
            }
        }
    }

    private func take(
        _ line: LineSource.Line, _ reader: CommandLines, _ trace: TraceContext?, _ sending: inout Sending
    ) async throws {
        do {
            guard var command = try reader.read(line) else { return }
            command.encoded.trace = trace
            try await sending.add(command, of: line.number)
        } catch let error as Malformed {
            if onError == .skip {
                sending.tally.complaints.add(line.number, reason: error.reason, error.inLine)
                sending.tally.bad += 1
                return
            }
            try await sending.send()
            throw Failure(
                .data,
                """
                line \(line.number): \(error.inLine); commands before it that were decided: \(sending.tally.decided). \
                --on-error skip goes on
                """)
        }
    }
}

/// Commands of a file under way.
private struct Sending {
    let client: CommandClient
    let limit: Duration
    let shape: Send
    let stop: InputStop
    var tally = SentTally()
    /// Why no more is to be sent; looked at behind each batch.
    private(set) var stopped: String?
    private var lookalikes = Lookalikes()
    private var waiting: [CommandLines.Command] = []
    /// The line of the last command that was sent.
    private var line = 0
    private var last = 0

    init(client: CommandClient, limit: Duration, shape: Send, stop: InputStop) {
        (self.client, self.limit, self.shape, self.stop) = (client, limit, shape, stop)
    }

    mutating func add(_ command: CommandLines.Command, of line: Int) async throws {
        if let first = waiting.first, first.domain.name != command.domain.name || waiting.count == Send.batch {
            try await send()
        }
        lookalikes.look(at: command.encoded.key)
        waiting.append(command)
        last = line
    }

    /// Sends what waits, and shows each outcome as soon as it and those before it are there.
    mutating func send() async throws {
        guard let domain = waiting.first?.domain else { return }
        let commands = waiting.map(\.encoded)
        (waiting, line) = ([], last)
        do {
            try await client.send(commands, to: domain, within: limit) { outcome in
                try shape.show(outcome)
                tally.add(outcome)
            }
        } catch is ReaderGone {
            throw unshown
        }
        stopped = stop.why
    }

    /// Sums up.
    mutating func end(_ source: LineSource) throws {
        if stop.isOutputClosed { throw unshown }
        tally.complaints.end()
        lookalikes.tell()
        Output.complain("\(Program.name): \(tally.words)")
        if let why = source.stopped ?? stopped {
            throw Failure(.tryAgain, "\(why) behind line \(line): what was sent was decided, and no more was read")
        }
        if let damage = source.damage {
            throw Failure(.data, "\(damage). Commands of the whole lines before that were decided: \(tally.decided)")
        }
        if tally.refused > 0 { throw Failure(.refused, "") }
        if tally.decided == 0, tally.bad > 0 { throw Failure(.data, "no line was a command") }
    }

    /// Nobody reads the outcomes any more.
    private var unshown: Failure {
        Failure(
            .ioError,
            """
            \(InputStop.closed) behind \(tally.decided) outcomes: the commands up to line \(line) were sent, and those behind \
            it were not. Send the same lines again with their ids for the outcomes
            """)
    }
}

/// What came of a file's lines.
struct SentTally {
    private var accepted = 0
    /// How many were refused for each reason.
    private var reasons: [String: Int] = [:]
    var bad = 0
    var complaints = Complaints()

    var refused: Int { reasons.values.reduce(0, +) }
    var decided: Int { accepted + refused }

    mutating func add(_ outcome: Outcome) {
        if outcome.accepted { accepted += 1 } else { reasons[outcome.reason, default: 0] += 1 }
    }

    /// `1200 accepted, 3 refused (2 seat-not-free, 1 hold-expired), 1 bad line skipped`.
    var words: String {
        let each = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
        let why = each.isEmpty ? "" : " (\(each.joined(separator: ", ")))"
        let skipped = bad == 0 ? "" : ", \(bad) bad \(bad == 1 ? "line" : "lines") skipped"
        return "\(accepted) accepted, \(refused) refused\(why)\(skipped)"
    }
}
