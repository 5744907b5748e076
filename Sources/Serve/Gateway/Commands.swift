internal import EventModel
internal import Foundation
internal import HTTPTypes
internal import Handling
internal import MillraceBus
internal import ServiceLifecycle

extension GatewayEnvironment {
    /// `POST /commands/{command}`.
    func send(_ name: String, _ request: GatewayRequest) async throws -> Reply {
        let found = try named { try catalogue.command(name) }
        if let signIn = found.domain.signIn, signIn.takesPassword(found.kind.name) {
            return try await signing(found, by: signIn, request)
        }
        try request.require(toSend: found.kind.name, to: found.domain)
        var parameters = request.parameters
        let wait = try wait(&parameters)
        try parameters.end("/commands/\(found.kind.name)")
        let id = try commandID(request.fields[.idempotencyKey])
        let outcome = try await decide(found, json: try await request.body.json(), id: id, within: wait, request)
        // Whoever has signed out is out before he is told so.
        if found.domain.signIn != nil { await closedSessions.look(after: outcome) }
        return reply(outcome, id)
    }

    func reply(_ outcome: Outcome, _ id: String) -> Reply {
        var reply = outcome.accepted ? Reply.json(outcome.json) : Reply(Problem(outcome))
        reply.fields[.idempotencyKey] = id
        return reply
    }

    /// Sends a command, and waits for what is decided of it.
    func decide(
        _ found: Catalogue.Found, json: String, id: String, within wait: Duration, _ request: GatewayRequest
    ) async throws -> Outcome {
        var encoded = try found.command(json: json, id: id, by: request.access.acting(in: found.domain.name))
        encoded.trace = request.trace
        let outcome = try await sender.client.send([encoded], to: found.domain, within: wait)[0]
        metrics.note(outcome, of: found.kind.name)
        return outcome
    }

    /// The command's id: what the client says, as it is or in quotes, or a new one.
    ///
    /// - Parameter said: The request's field `Idempotency-Key`.
    func commandID(_ said: String?) throws(Problem) -> String {
        guard var id = said else { return UUID().uuidString.lowercased() }
        if id.count >= 2, id.hasPrefix("\""), id.hasSuffix("\"") { id = String(id.dropFirst().dropLast()) }
        // Bytes that are not UTF-8 are read as U+FFFD: two ids that differ could become one.
        if !CommandLines.isID(id) || !id.utf8.allSatisfy({ $0 < 0x80 }) {
            throw Problem(
                .badRequest,
                "Idempotency-Key \(CommandLines.rule), all of them ASCII; lines of POST /commands have other ids",
                field: "Idempotency-Key")
        }
        return id
    }

    /// `POST /commands`: a command a line; an outcome a line, in the same order.
    func sendLines(_ request: GatewayRequest) throws -> Reply {
        var parameters = request.parameters
        let command = try parameters.one("command")
        let found = try command.map { name in try named { try catalogue.command(name) } }
        let (wait, skips) = (try wait(&parameters), try skipsBadLines(&parameters))
        try parameters.end("/commands")
        // Who may send nowhere is told before anything is read.
        let isSender = domains.contains { domain in
            [Scope.send, .review].contains { request.access.allows($0, in: domain.name) }
        }
        if !isSender {
            try request.require(.send, in: nil)
        }
        _ = try request.chosen(of: .lines, .json)
        try request.body.checkLines()
        let reader = CommandLines(catalogue: catalogue, named: found, time: nil) { [access = request.access] in
            access.acting(in: $0.name)
        }
        var reply = Reply(
            200, .lines,
            .stream { [self] writer in
                // What was read is sent, also where the gateway is told to stop.
                try await cancelWhenGracefulShutdown {
                    var body = try request.body.lines()
                    var sending = LineSending(around: self, request: request, wait: wait, skips: skips)
                    while let lines = try await body.next() {
                        do throws(Problem) {
                            try request.checkAgain()
                        } catch {
                            return try await writer.write(error.json + "\n")
                        }
                        for line in lines where !sending.isOver { try await sending.take(line, reader, writer) }
                        try await sending.send(writer)
                        if sending.isOver { break }
                    }
                }
            })
        // What a client sends behind a line that stopped it would else have to be read to its end, if it has one.
        if !skips { reply.fields[.connection] = "close" }
        return reply
    }
}

extension Problem {
    /// A refusal, with its outcome.
    init(_ outcome: Outcome) {
        self.init(.conflict, outcome.message)
        members = outcome.members
    }
}

/// Commands of a body's lines on their way.
private struct LineSending {
    let around: GatewayEnvironment
    let request: GatewayRequest
    let wait: Duration
    let skips: Bool
    /// A line has stopped it.
    private(set) var isOver = false
    private var waiting: [(line: Int, command: CommandLines.Command)] = []

    init(around: GatewayEnvironment, request: GatewayRequest, wait: Duration, skips: Bool) {
        (self.around, self.request, self.wait, self.skips) = (around, request, wait, skips)
    }

    mutating func take(
        _ line: InputLine, _ reader: CommandLines, _ writer: StreamWriter
    ) async throws {
        do {
            guard var command = try reader.read(line) else { return }
            command.encoded.trace = request.trace
            try request.require(toSend: command.encoded.type, to: command.domain)
            try checkTime(of: command)
            try around.checkComesWithoutPassword(command.encoded.type, of: command.domain, request)
            if let first = waiting.first,
                first.command.domain.name != command.domain.name || waiting.count == GatewayLimits.commandBatch
            {
                try await send(writer)
            }
            waiting.append((line.number, command))
        } catch let error where error is Malformed || error is Problem || error is ActsForAnother {
            try await send(writer)
            if isOver { return }
            try await tell(around.problem(error), of: line.number, writer)
            isOver = !skips
        }
    }

    /// A command's own time decides for it: whoever could choose it would buy with a hold that is over.
    private func checkTime(of command: CommandLines.Command) throws(Problem) {
        let (access, domain) = (request.access, command.domain.name)
        if command.encoded.time == nil || access.subject == nil || access.allows(.actForOthers, in: domain) { return }
        throw Problem(
            .forbidden,
            "@time: a token without the scope \(domain):act-for-others does not say when a command is; leave it out",
            field: "@time")
    }

    /// Sends what waits, and writes what came of it.
    mutating func send(_ writer: StreamWriter) async throws {
        guard let domain = waiting.first?.command.domain else { return }
        let sent = waiting
        waiting = []
        var told: [String] = []
        do {
            try await around.sender.client.send(sent.map(\.command.encoded), to: domain, within: wait) { outcome in
                around.metrics.note(outcome, of: sent[told.count].command.encoded.type)
                told.append(outcome.json)
            }
        } catch {
            if !told.isEmpty { try await writer.write(told.joined(separator: "\n") + "\n") }
            isOver = true
            return try await tell(around.problem(error), of: sent[told.count].line, writer)
        }
        try await writer.write(told.joined(separator: "\n") + "\n")
    }

    private func tell(_ problem: Problem, of line: Int, _ writer: StreamWriter) async throws {
        try await writer.write(problem.at(line: line).json + "\n")
    }
}
