internal import EventModel
internal import HTTPTypes
internal import MillraceBus
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// A request that is refused before anybody is asked. Its connection ends with it.
struct RefusedHead: Error {
    let problem: Problem
}

/// Watches one connection for what would hold it for nothing: readers that take nothing, bodies that never end, and requests
/// that are none. It closes so that what was answered arrives.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long peers that say nothing at all are believed to be there, in ms: TCP_USER_TIMEOUT (RFC 5482).
    private static let userTimeout = NIOBSDSocket.Option(rawValue: 18)

    private var slow: Scheduled<Void>?
    private var late: Scheduled<Void>?
    private var isReading = false
    /// Whether the connection ends with the request that came last, as its client said: what comes behind it is none.
    private var isLast = false
    /// Whoever follows a topic and sends no more has gone: nothing else would tell of it where no events come.
    private var follows = false
    private var isAnswering = false
    private var closes = false
    /// What still comes is thrown away.
    private var isDone = false

    /// Whether this is one of several requests on a connection of HTTP/2: it has no socket of its own.
    private var isStream = false

    private let quick: QuickAnswers?
    private let plain: PlainAnswers?
    /// The answer to the request that is just read, where it was given at once: nobody behind is told of it.
    private var answer: (head: HTTPResponse, body: ByteBuffer?)?
    /// Requests that somebody behind has and has not answered.
    private var waiting = 0
    private var lastWaited = NIODeadline.now()
    private var isWritten = false
    /// What came behind requests that are not answered yet, and is no request.
    private var broken: (any Error)?
    private var peer: GatewayContext?

    init(_ quick: QuickAnswers? = nil, _ plain: PlainAnswers? = nil) { (self.quick, self.plain) = (quick, plain) }

    func handlerAdded(context: ChannelHandlerContext) {
        isStream = context.channel.parent?.parent != nil
        let peer = GatewayContext(context.channel)
        self.peer = peer
        if isStream { return }
        Self.setOptions(of: context.channel)
        if let plain { QuickHandler.add(plain, peer, beside: self, to: context.channel) }
    }

    /// Sets what is asked of the socket of a connection.
    static func setOptions(of channel: any Channel) {
        guard let options = channel.syncOptions else { return }
        let limit = ChannelOptions.Types.SocketOption(level: .tcp, name: userTimeout)
        try? options.setOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
        try? options.setOption(limit, value: Int(GatewayLimits.slowReader.milliseconds))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isDone { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            isReading = true
            if let quick, let peer, leavesQuick(context.channel), let answer = quick.answer(head, peer) {
                self.answer = answer
                return
            }
            waiting += 1
            lastWaited = .now()
            isLast = head.headerFields[.connection] == "close"
            follows = head.path.map(Self.isFollowing) ?? false
            if mayHaveBody(head), !Self.isStream(head.path ?? "") { expectBody(context) }
        case .body: if answer != nil { return }
        case .end:
            isReading = false
            late?.cancel()
            late = nil
            if let answer {
                self.answer = nil
                context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
                if let body = answer.body { context.write(wrapOutboundOut(.body(body)), promise: nil) }
                context.write(wrapOutboundOut(.end(nil)), promise: nil)
                isWritten = true
                return
            }
        }
        context.fireChannelRead(data)
    }

    /// An answer may not overtake another. Who takes none of them is asked to wait; and now and then what is behind must see that the
    /// connection is in use.
    func leavesQuick(_ channel: any Channel) -> Bool {
        waiting == 0 && !isDone && !isStream && channel.isWritable
            && .now() < lastWaited + GatewayLimits.quick.amount
    }

    /// Without a word of its length there is none in HTTP/1.1 (RFC 9112, section 6.3).
    private func mayHaveBody(_ head: HTTPRequest) -> Bool {
        isStream || head.headerFields[.contentLength] != nil || head.headerFields[.transferEncoding] != nil
    }

    private static func isFollowing(_ path: String) -> Bool {
        path.hasPrefix("/topics/") && path.contains("follow") || path.hasPrefix("/ui/latest")
    }

    /// Whether the body is of lines, and may take as long as its writer likes.
    private static func isStream(_ path: String) -> Bool {
        let path = path[..<(path.utf8.firstIndex(of: UInt8(ascii: "?")) ?? path.endIndex)]
        return path == "/commands" || path == "/commands/" || path.hasPrefix("/events/")
    }

    private func expectBody(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        late = context.eventLoop.scheduleTask(in: GatewayLimits.bodyTime.amount) {
            bound.value.close(promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind == .informational: context.write(data, promise: promise)
        case .head(var head):
            isAnswering = true
            closes = head.headerFields[.connection]?.lowercased() == "close"
            if isStream {
                // Of a connection HTTP/2 says nothing in a header (RFC 9113, section 8.2.2).
                head.headerFields[.connection] = nil
                context.write(wrapOutboundOut(.head(head)), promise: promise)
            } else {
                context.write(data, promise: promise)
            }
        case .body: context.write(data, promise: promise)
        case .end:
            isAnswering = false
            waiting -= 1
            context.write(data, promise: promise)
            if closes {
                leave(context)
            } else if waiting == 0, let error = broken {
                broken = nil
                errorCaught(context: context, error: error)
            }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        slow?.cancel()
        slow = nil
        if !context.channel.isWritable {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            slow = context.eventLoop.scheduleTask(in: GatewayLimits.slowReader.amount) {
                bound.value.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if follows, isAnswering, event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isDone, let problem = Self.problem(of: error) else {
            context.fireErrorCaught(error)
            return
        }
        if isLast, !isReading { return }
        // What came before is answered first. Where an answer never ends, or waits for what does not come, nothing can follow it.
        if waiting > 0, !isReading, !follows {
            broken = error
            return
        }
        if isAnswering || waiting > 1 {
            context.close(promise: nil)
            return
        }
        // Its body may still come.
        if error is RefusedHead { isReading = true }
        var head = HTTPResponse(status: .init(code: problem.status.rawValue, reasonPhrase: problem.status.title))
        head.headerFields = [
            .contentType: Problem.mediaType, .connection: "close", .contentLength: String(problem.json.utf8.count),
        ]
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(string: problem.json))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        leave(context)
    }

    /// What an error says of a request; nil where it is of something else.
    private static func problem(of error: any Error) -> Problem? {
        if let refused = error as? RefusedHead { return refused.problem }
        guard let error = error as? HTTPParserError else { return nil }
        return error == .headerOverflow
            ? Problem(
                .headersTooLarge,
                "the header has over \(GatewayLimits.headerBytes) bytes or \(GatewayLimits.headerFields) fields")
            : Problem(.badRequest, "this is no HTTP/1.1 request")
    }

    /// Closes once what was written has gone out. Whoever still sends is listened to for a moment, or he would lose the answer.
    private func leave(_ context: ChannelHandlerContext) {
        isDone = true
        late?.cancel()
        late = nil
        context.flush()
        if !isReading {
            context.close(promise: nil)
            return
        }
        if !isStream { context.close(mode: .output, promise: nil) }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: GatewayLimits.linger.amount) { bound.value.close(promise: nil) }
    }

    /// What comes after the answer must be read to be thrown away, though nobody behind asks for it.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isWritten {
            isWritten = false
            context.flush()
        }
        context.fireChannelReadComplete()
        if isDone { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        slow?.cancel()
        late?.cancel()
        context.fireChannelInactive()
    }
}

extension Duration {
    var amount: TimeAmount { .nanoseconds(Int64(self / .nanoseconds(1))) }
}
