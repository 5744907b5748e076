internal import EventModel
internal import Handling
internal import MillraceBus
internal import NIOCore
internal import RecordTracing

/// Commands that may be sent plainly.
enum PlainCommand {
    fileprivate static let template = Endpoint.command("").template

    /// By the path that sends each. Those of domains in which people sign in are none: more is to be done for them.
    static func all(of around: GatewayEnvironment) -> [String: Catalogue.Found] {
        let plain = around.catalogue.commands.filter { found in
            found.domain.signIn == nil && (try? around.catalogue.command(found.kind.name))?.topic == found.topic
        }
        return Dictionary(uniqueKeysWithValues: plain.map { ("/commands/\($0.kind.name)", $0) })
    }

    /// One that is on its way.
    struct Sent {
        fileprivate let found: Catalogue.Found
        fileprivate let head: PlainHead
        fileprivate let id: String
        fileprivate let start: ContinuousClock.Instant
    }
}

extension PlainAnswers {
    /// Whether a request is a command that is sent on as it is, once its body is there.
    func isCommand(_ head: PlainHead) -> Bool {
        guard head.kind == .post, let length = head.contentLength, length <= GatewayLimits.plainBody,
            let type = head.contentType, commands[head.target] != nil
        else { return false }
        return PlainHead.same(type, "application/json") || (try? MediaType.check(type, isOneOf: [.json])) != nil
    }

    /// Sends a command on.
    ///
    /// - Parameter done: Told what came of it, on any thread.
    /// - Returns: nil where it goes a longer way, as if it came only then; nobody is told of it.
    func send(
        _ head: PlainHead, _ body: ByteBuffer, _ connection: Connection,
        done: @escaping @Sendable (Result<Outcome, any Error>) -> Void
    ) -> PlainCommand.Sent? {
        let start = ContinuousClock.now
        // A command begins a trace.
        guard RecordSpans.tracer == nil, let found = commands[head.target], admits(head, connection, start) else {
            return nil
        }
        guard let client = try? around.sender.client, let id = try? around.commandID(head.field(.idempotencyKey)),
            let text = String(validating: Array(body.readableBytesView)[...].withoutByteOrderMark, as: UTF8.self),
            let encoded = try? found.command(json: text, id: id)
        else {
            around.rates.giveBack(connection.peer.address)
            return nil
        }
        client.post(encoded, to: found.domain, within: GatewayLimits.wait, done: done)
        return PlainCommand.Sent(found: found, head: head, id: id, start: start)
    }

    /// The answer to a command.
    func answer(
        _ result: Result<Outcome, any Error>, to sent: PlainCommand.Sent, _ connection: Connection
    ) -> ByteBuffer {
        let date = connection.date(date)
        if case .success(let outcome) = result {
            around.metrics.note(outcome, of: sent.found.kind.name)
            if outcome.accepted {
                note(sent.head, connection, PlainCommand.template, 200, sent.start)
                let body = Array((outcome.json + "\n").utf8)
                return accepted.bytes([sent.id, String(body.count), date], body: body)
            }
        }
        var reply: Reply
        do {
            reply = around.reply(try result.get(), sent.id)
        } catch {
            reply = Reply(responder.problem(error, at: sent.head.target))
        }
        responder.protect(&reply)
        note(sent.head, connection, PlainCommand.template, reply.status, sent.start)
        return PreparedReply.bytes(reply, isHead: false, date: date)
    }
}
