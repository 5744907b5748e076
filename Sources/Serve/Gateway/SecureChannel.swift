internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdHTTP2
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// Connections over TLS, with HTTP/1.1 or HTTP/2 as the two sides agree on (ALPN, RFC 7301).
struct SecureChannel: HTTPChannelHandler {
    typealias Value = HTTP2UpgradeChannel.Value
    private let base: HTTP2UpgradeChannel

    init(_ tls: GatewayTLS, _ streams: HTTP1Channel.Configuration, responder: @escaping Responder) throws {
        base = try HTTP2UpgradeChannel(
            tlsConfiguration: tls.configuration,
            configuration: .init(
                idleTimeout: GatewayLimits.idle, gracefulCloseTimeout: GatewayLimits.linger,
                streamConfiguration: streams), responder: responder)
    }

    var responder: Responder { base.responder }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        ConnectionHandler.setOptions(of: channel)
        return base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let tls = try pipeline.handler(type: NIOSSLServerHandler.self)
            try pipeline.addHandler(HandshakeHandler(), position: .after(tls))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

/// Closes a connection over which no TLS comes about.
private final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var late: Scheduled<Void>?

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        late = context.eventLoop.scheduleTask(in: GatewayLimits.handshake.amount) {
            bound.value.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { end() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func end() {
        late?.cancel()
        late = nil
    }
}
