internal import ArgumentParser
internal import EventLog
internal import Foundation
internal import Logging
internal import MillraceBus
internal import MillraceGateway
internal import Projecting
internal import PrometheusExporter
internal import ServiceLifecycle

/// Where a process that serves nothing else shows its metrics.
struct MetricsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Serve metrics for Prometheus at /metrics on this port of 127.0.0.1, or on ADDRESS:PORT; port 0 takes a free one (also \
            MILLRACE_METRICS).
            """, valueName: "port"))
    var metricsPort: String?

    /// Nil where none are asked for.
    ///
    /// - Throws: ``BusError`` for what is no port and no address.
    func address(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> GatewayAddress? {
        guard let said = metricsPort ?? environment["MILLRACE_METRICS"], !said.isEmpty else { return nil }
        let source = metricsPort == nil ? "MILLRACE_METRICS" : "--metrics-port"
        if !said.contains(":") {
            guard let port = UInt16(said) else {
                throw Failure(.usage, "\(source): \(said) is no port from 0 to 65535, and not ADDRESS:PORT")
            }
            return try GatewayAddress("127.0.0.1:\(port)")
        }
        return try GatewayAddress(said, from: source)
    }

    /// What serves them; nothing where none are asked for.
    static func services(
        _ registry: PrometheusRegistry?, at address: GatewayAddress?, of workers: [Worker], log: any EventLog,
        views: any ViewStore, logger: Logger
    ) -> [any Service] {
        guard let registry, let address else { return [] }
        return [
            MetricsServer(registry, at: address, of: workers, log: log, views: views, logger: logger) { address in
                Output.complain("\(Program.name): metrics at http://\(address)/metrics")
            }
        ]
    }
}
