package import EventLog
package import EventModel
internal import Foundation
internal import Hummingbird
internal import HummingbirdCore
package import Logging
package import MillraceBus
internal import NIOCore
package import Passwords
package import Projecting
package import PrometheusExporter
internal import ServiceLifecycle
package import Snapshots

/// How a gateway is reached, and by whom.
package struct GatewaySettings: Sendable {
    package var address: GatewayAddress
    package var authority: any Authority
    /// The origins whose pages may ask (CORS); `*` is any. None unless somebody says so.
    package var origins: [String] = []
    /// Requests a second of an address.
    package var rate = GatewayLimits.rate
    /// Requests a second of a token's subject.
    package var tokenRate = GatewayLimits.tokenRate
    /// Whether each request is logged.
    package var logsAccess = false
    /// Where the process's metrics are, which `/metrics` shows.
    package var registry = PrometheusRegistry()
    /// The certificate of TLS; nil serves without.
    package var tls: GatewayTLS?
    /// Where what checks passwords is kept; nil where nobody signs in.
    package var credentials: CredentialFile?
    /// What whoever signs in may do; nil is ``Access/scopes(ofSessionsIn:)``.
    package var sessionScopes: [String]?
    /// Hashes passwords. Tests take a cheaper way.
    package var hashing = Hashing()
    /// Whether whoever asks does so over TLS.
    package var isSecure: Bool { tls != nil }

    package init(address: GatewayAddress, authority: any Authority) {
        (self.address, self.authority) = (address, authority)
    }
}

/// The way in over HTTP: commands, events, views, topics and what operators need, all following from the domains.
///
/// It sends over a client of its own, and reads the log and the views that it is given; whoever opened those closes them, after
/// it.
package struct Gateway: Service, CustomStringConvertible {
    package var description: String { "gateway" }

    private let around: GatewayEnvironment
    private let running: @Sendable (GatewayAddress) -> Void

    /// - Parameters:
    ///   - declared: The topics that a deployment has declared.
    ///   - running: Told where it listens, once it does.
    /// - Throws: ``BusError`` where paths of domains would hide one another, or one of its own; `LogError` where topics are missing.
    package init(
        _ domains: [Domain], log: any EventLog, views: any ViewStore, snapshots: SnapshotFolder, declared: [Topic],
        settings: GatewaySettings, logger: Logger, running: @escaping @Sendable (GatewayAddress) -> Void = { _ in }
    ) async throws {
        let sender = try await Sender(log, domains: domains, logger: logger)
        around = try GatewayEnvironment(
            domains: domains, log: log, views: views, snapshots: snapshots, declared: declared, sender: sender,
            settings: settings, logger: logger)
        around.register()
        self.running = running
    }

    /// Refuses an address that others reach where nobody is asked who he is.
    ///
    /// - Parameter isInsecure: Whether somebody has said that it may be so.
    package static func check(
        _ address: GatewayAddress, asksForTokens: Bool, isInsecure: Bool
    ) throws(BusError) {
        if address.isLoopback || asksForTokens || isInsecure { return }
        throw BusError(
            .usage,
            """
            \(address) can be reached by others, who could do everything. --token-keys FILE lets in who has a token \
            (\(Program.name) token keys makes a file); --insecure opens it all the same, as behind a proxy that asks who one is; \
            127.0.0.1 is for this machine alone
            """)
    }

    /// Serves until it is told to stop: then what was asked is answered, streams end, and connections are closed.
    package func run() async throws {
        let address = around.settings.address
        let date = DateField()
        let (quick, plain) = (QuickAnswers(around, date), PlainAnswers(around, date))
        var configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionHandler(quick, plain)], idleTimeout: GatewayLimits.idle.amount)
        configuration.httpDecoder = .init(
            maxHeaderFieldSize: GatewayLimits.headerBytes, maxHeaderListSize: GatewayLimits.headerBytes,
            maxHeaderFieldCount: GatewayLimits.headerFields)
        let (channels, tls) = (configuration, around.settings.tls)
        let builder = HTTPServerBuilder { respond in
            let responder: HTTPChannelHandler.Responder = { request, writer, channel in
                if Self.expectsContinue(request) {
                    try await writer.writeInformationalHead(.init(status: .continue))
                }
                try await respond(request, writer, channel)
            }
            if let tls { return try SecureChannel(tls, channels, responder: responder) }
            return HTTP1Channel(responder: responder, configuration: channels)
        }
        // What was closed before is known before anybody is let in.
        await around.closedSessions.begin()
        var services: [any Service] = [around.sender, around.closedSessions, around.beside]
        if Reloading.isNeeded(around.settings) {
            services.append(await Reloading(around.settings.authority, tls, logger: around.logger))
        }
        var quiet = around.logger
        quiet.logLevel = max(quiet.logLevel, .warning)
        let server = Application(
            responder: GatewayResponder(around: around), server: builder,
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                backlog: GatewayLimits.backlog,
                availableConnectionsDelegate: MaximumAvailableConnections(FileLimit.connections, logger: quiet)),
            services: services,
            onServerRunning: { channel in running(address.with(port: channel.localAddress?.port ?? address.port)) },
            logger: quiet)
        do {
            try await server.run()
        } catch let error as IOError {
            throw address.refusal(error, option: "--http")
        } catch let error as SocketAddressError {
            throw BusError(.unavailable, "cannot listen on \(address): \(error)")
        }
    }

    /// Whether a client waits for a word before it sends its body (RFC 9110, section 10.1.1). One whose body is too large gets
    /// that answer at once.
    private static func expectsContinue(_ request: Request) -> Bool {
        guard request.headers[.expect]?.lowercased() == "100-continue" else { return false }
        return (request.headers[.contentLength].flatMap { Int($0) } ?? 0) <= GatewayLimits.bodyBytes
    }
}

/// How many files the process may have open.
private enum FileLimit {
    /// So many connections leave files for the log and the views: half of them, where there are few.
    static let connections: Int = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 500 }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let files = Int(clamping: limit.rlim_cur)
        return min(GatewayLimits.connections, max(files / 2, files - GatewayLimits.otherFiles))
    }()
}
