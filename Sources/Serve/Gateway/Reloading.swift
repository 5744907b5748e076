internal import EventModel
package import Logging
internal import MillraceBus
internal import ServiceLifecycle
internal import UnixSignals

/// Reads keys and certificates again whenever the process is told to (SIGHUP). What cannot be taken changes nothing.
package struct Reloading: Service, CustomStringConvertible {
    private let authority: any Authority
    private let tls: GatewayTLS?
    private let signals: UnixSignalsSequence
    private let logger: Logger
    package var description: String { "reloading" }

    /// From here on SIGHUP does not end the process.
    package init(_ authority: any Authority, _ tls: GatewayTLS? = nil, logger: Logger) async {
        (self.authority, self.tls, self.logger) = (authority, tls, logger)
        signals = await UnixSignalsSequence(trapping: .sighup)
    }

    /// Whether there is anything that is read.
    static func isNeeded(_ settings: GatewaySettings) -> Bool {
        settings.authority.asksForTokens || settings.tls != nil
    }

    package func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            if authority.asksForTokens {
                reload("the keys of tokens", "were", "stay as they were") { try authority.reload() }
            }
            if let tls { reload("the certificate", "was", "stays as it was") { try tls.reload() } }
        }
        // A service that ends by itself ends the others.
        try? await gracefulShutdown()
    }

    private func reload(_ what: String, _ were: String, _ stay: String, _ body: () throws -> Void) {
        do {
            try body()
            logger.notice("\(what) \(were) read again")
        } catch {
            logger.error("\(what) \(stay): \(error)")
        }
    }
}
