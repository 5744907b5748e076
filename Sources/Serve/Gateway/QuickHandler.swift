internal import EventModel
internal import Handling
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// Answers plain requests before anything else looks at them: it stands right behind what parses them, and writes an answer's bytes
/// past what would put them together. What a client says of its connection is told to those behind in the one way that they know.
///
/// Of commands it gathers the body, if all of it comes at once, and sends them on. What comes behind one waits for its answer.
final class QuickHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let answers: PlainAnswers
    private let connection: PlainAnswers.Connection
    /// Whoever has the other requests of the connection.
    private unowned let others: ConnectionHandler
    /// Where what is written goes out as it is.
    private var out: ChannelHandlerContext?
    /// The answer to the request that is just read: nobody behind is told of it.
    private var answer: ByteBuffer?
    /// A command of which the body is being read.
    private var reading: (head: HTTPRequestHead, plain: PlainHead, body: ByteBuffer)?
    /// A command that was sent on, until it is answered.
    private var sent: PlainCommand.Sent?
    /// What came meanwhile.
    private var held: [Held] = []
    /// Whether more is to be read once it is answered.
    private var wantsMore = false
    /// Bytes that were written and not sent.
    private var written = 0
    /// Whether the connection ends with a request that was refused: what comes behind it is nobody's.
    private var isOver = false
    private var isFirst = true
    /// Whether an answer may come in chunks: HTTP/1.0 has none.
    private var takesChunks = true

    init(_ answers: PlainAnswers, _ peer: GatewayContext, beside others: ConnectionHandler) {
        (self.answers, connection, self.others) = (answers, PlainAnswers.Connection(peer), others)
    }

    /// Adds it to a connection of HTTP/1.1; none of another kind has such a codec.
    static func add(
        _ answers: PlainAnswers, _ peer: GatewayContext, beside others: ConnectionHandler, to channel: any Channel
    ) {
        let pipeline = channel.pipeline.syncOperations
        guard let codec = try? pipeline.handler(type: HTTP1ToHTTPServerCodec.self),
            let out = try? pipeline.context(handlerType: HTTPResponseEncoder.self)
        else { return }
        let handler = QuickHandler(answers, peer, beside: others)
        handler.out = out
        try? pipeline.addHandler(handler, position: .before(codec))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if sent == nil { take(part, context) } else { held.append(.part(part)) }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        if isOver { return }
        switch part {
        case .head(var head):
            let isOld = head.version.major == 1 && head.version.minor == 0
            // Its connection has one request.
            if isOld, isFirst { takesChunks = false }
            isFirst = false
            // A head that says its host has it once.
            if !isOld, out != nil, others.leavesQuick(context.channel), let plain = PlainHead(head), plain.host != nil,
                answers(at: plain, head)
            {
                return
            }
            if let problem = Self.problem(of: head.headers, mayLackHost: isOld) {
                isOver = true
                context.fireErrorCaught(RefusedHead(problem: problem))
                return
            }
            if isOld || !head.isKeepAlive {
                // A client of HTTP/1.0 takes the connection's end for that of the answer, unless that says otherwise (RFC 9112, section
                // 9.3), and is told nothing before it. Nobody behind knows the version, nor this word in capitals or among others.
                head.headers.replaceOrAdd(name: "Connection", value: "close")
                if isOld { head.headers.remove(name: "Expect") }
                context.fireChannelRead(wrapInboundOut(.head(head)))
                return
            }
        case .body(var bytes):
            if answer != nil { return }
            if reading != nil {
                reading?.body.writeBuffer(&bytes)
                return
            }
        case .end:
            if let (_, plain, body) = reading {
                if send(plain, body, context) {
                    reading = nil
                    return
                }
                passOn(context)
            }
            if let answer, let out {
                self.answer = nil
                out.write(NIOAny(IOData.byteBuffer(answer)), promise: nil)
                written += answer.readableBytes
                // TLS keeps what is written until it is told to send, and says only then that a client takes nothing.
                if written >= GatewayLimits.chunkBytes { flush() }
                return
            }
        }
        context.fireChannelRead(wrapInboundOut(part))
    }

    /// Whether what is asked is answered, or will be once its body is there.
    private func answers(at plain: PlainHead, _ head: HTTPRequestHead) -> Bool {
        if plain.kind == .post {
            if !answers.isCommand(plain) { return false }
            reading = (head, plain, ByteBuffer())
            return true
        }
        answer = answers.answer(plain, connection)
        return answer != nil
    }

    /// Two hosts could be two places for whoever stands between, and none is no place (RFC 9112, section 3.2).
    private static func problem(of headers: HTTPHeaders, mayLackHost: Bool) -> Problem? {
        var count = 0
        for (name, _) in headers where PlainHead.same(name, "host") { count += 1 }
        if count == 1 || count == 0 && mayLackHost { return problem(ofCodings: headers) }
        return Problem(
            .badRequest,
            "a request of HTTP/1.1 says its Host once, and this one \(count == 0 ? "never" : "\(count) times")",
            field: "Host")
    }

    /// What is packed below its chunks would be read as it stands (RFC 9112, section 6.1).
    private static func problem(ofCodings headers: HTTPHeaders) -> Problem? {
        let codings = headers[canonicalForm: "transfer-encoding"]
        guard let other = codings.first(where: { !PlainHead.same(String($0), "chunked") }) else { return nil }
        return Problem(
            .notImplemented,
            """
            Transfer-Encoding has \(other); of a request's body it may be chunked alone, and gzip is said in Content-Encoding
            """,
            field: "Transfer-Encoding")
    }

    /// Of an answer whose length is not known beforehand the connection's end is the end, where it cannot come in chunks.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if !takesChunks, case .head(var head) = unwrapOutboundIn(data), !head.headers.contains(name: "Content-Length") {
            head.version = .http1_0
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        } else {
            context.write(data, promise: promise)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // A body that comes bit by bit is watched by those behind.
        passOn(context)
        if written > 0 { flush() }
        context.fireChannelReadComplete()
    }

    private func flush() {
        written = 0
        out?.flush()
    }

    // MARK: Commands

    private enum Held {
        case part(HTTPServerRequestPart)
        case event(Any)
        case error(any Error)
    }

    /// Gives those behind what was read of a command.
    private func passOn(_ context: ChannelHandlerContext) {
        guard let (head, _, body) = reading.take() else { return }
        context.fireChannelRead(wrapInboundOut(.head(head)))
        if body.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(.body(body))) }
    }

    private func send(_ plain: PlainHead, _ body: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        let loop = context.eventLoop
        let own = NIOLoopBound((self, context), eventLoop: loop)
        sent = answers.send(plain, body, connection) { result in
            loop.execute { own.value.0.end(result, own.value.1) }
        }
        return sent != nil
    }

    private func end(_ result: Result<Outcome, any Error>, _ context: ChannelHandlerContext) {
        guard let out, let sent = sent.take() else { return }
        out.writeAndFlush(NIOAny(IOData.byteBuffer(answers.answer(result, to: sent, connection))), promise: nil)
        let waiting = held
        held = []
        for one in waiting {
            // The next of them may be a command too.
            if self.sent != nil {
                held.append(one)
                continue
            }
            switch one {
            case .part(let part): take(part, context)
            case .event(let event): context.fireUserInboundEventTriggered(event)
            case .error(let error): context.fireErrorCaught(error)
            }
        }
        if !waiting.isEmpty { channelReadComplete(context: context) }
        if held.isEmpty, wantsMore {
            wantsMore = false
            context.read()
        }
    }

    /// Nothing more is read while something waits behind a command.
    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { wantsMore = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if sent == nil { context.fireUserInboundEventTriggered(event) } else { held.append(.event(event)) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if sent == nil { context.fireErrorCaught(error) } else { held.append(.error(error)) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { out = nil }
}
