package import EventLog
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
package import Logging
package import MillraceBus
internal import NIOCore
package import Projecting
package import PrometheusExporter
internal import ServiceLifecycle

/// Serves the metrics of a process that serves nothing else: `GET /metrics`, and `GET /healthz`.
package struct MetricsServer: Service, CustomStringConvertible {
    package var description: String { "metrics" }

    private let registry: PrometheusRegistry
    private let address: GatewayAddress
    private let logger: Logger
    private let running: @Sendable (GatewayAddress) -> Void

    /// - Parameters:
    ///   - workers: Of which lag and quarantine are shown: those that run in this process.
    ///   - running: Told where it listens, once it does.
    package init(
        _ registry: PrometheusRegistry, at address: GatewayAddress, of workers: [Worker], log: any EventLog,
        views: any ViewStore, logger: Logger, running: @escaping @Sendable (GatewayAddress) -> Void
    ) {
        (self.registry, self.address, self.running) = (registry, address, running)
        var quiet = logger
        quiet.logLevel = max(quiet.logLevel, .warning)
        self.logger = quiet
        registry.collectProcess()
        registry.collect(of: WorkerSampler(workers, log: log, views: views), on: log)
    }

    /// Serves until it is told to stop.
    package func run() async throws {
        let (address, running) = (address, running)
        let server = Application(
            responder: MetricsResponder(registry: registry),
            server: .http1(configuration: .init(idleTimeout: GatewayLimits.idle.amount)),
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: { channel in running(address.with(port: channel.localAddress?.port ?? address.port)) },
            logger: logger)
        do {
            try await server.run()
        } catch let error as IOError {
            throw address.refusal(error, option: "--metrics-port")
        } catch let error as SocketAddressError {
            throw BusError(.unavailable, "cannot listen on \(address): \(error)")
        }
    }
}

private struct MetricsResponder: HTTPResponder {
    typealias Context = BasicRequestContext
    let registry: PrometheusRegistry

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        var (status, media, text) = (HTTPResponse.Status.ok, MediaType.metrics, "")
        switch (request.method, request.uri.path) {
        case (.get, "/metrics"), (.head, "/metrics"): text = await registry.text()
        case (.get, "/healthz"), (.head, "/healthz"): (media, text) = (.json, #"{"status":"ok"}"#)
        case (_, "/metrics"), (_, "/healthz"): (status, text) = (.methodNotAllowed, "only GET is answered here\n")
        default: (status, text) = (.notFound, "there is /metrics and /healthz\n")
        }
        let response = Response(
            status: status, headers: [.contentType: media.field, .xContentTypeOptions: "nosniff"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        return request.method == .head ? response.createHeadResponse() : response
    }
}
