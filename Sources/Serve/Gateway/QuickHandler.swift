internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// Answers plain requests before anything else looks at them: it stands right behind what parses them, and writes an answer's bytes
/// past what would put them together. What a client says of its connection is told to those behind in the one way that they know.
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
        if isOver { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            let isOld = head.version.major == 1 && head.version.minor == 0
            // Its connection has one request.
            if isOld, isFirst { takesChunks = false }
            isFirst = false
            // A head that says its host has it once.
            if !isOld, out != nil, others.leavesQuick(context.channel), let plain = PlainHead(head), plain.host != nil,
                let answer = answers.answer(plain, connection)
            {
                self.answer = answer
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
        case .body: if answer != nil { return }
        case .end:
            if let answer, let out {
                self.answer = nil
                out.write(NIOAny(IOData.byteBuffer(answer)), promise: nil)
                written += answer.readableBytes
                // TLS keeps what is written until it is told to send, and says only then that a client takes nothing.
                if written >= GatewayLimits.chunkBytes { flush() }
                return
            }
        }
        context.fireChannelRead(data)
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
        if written > 0 { flush() }
        context.fireChannelReadComplete()
    }

    private func flush() {
        written = 0
        out?.flush()
    }

    func handlerRemoved(context: ChannelHandlerContext) { out = nil }
}
