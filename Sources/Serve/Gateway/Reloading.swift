internal import EventModel
internal import Logging
internal import MillraceBus
internal import ServiceLifecycle
internal import UnixSignals

/// Reads keys and certificates again whenever the process is told to (SIGHUP). What cannot be taken changes nothing.
struct Reloading: Service, CustomStringConvertible {
    let settings: GatewaySettings
    let signals: UnixSignalsSequence
    let logger: Logger
    var description: String { "reloading" }

    /// Whether there is anything that is read.
    static func isNeeded(_ settings: GatewaySettings) -> Bool {
        settings.authority.asksForTokens || settings.tls != nil
    }

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            if settings.authority.asksForTokens {
                reload("the keys of tokens", "were", "stay as they were") { try settings.authority.reload() }
            }
            if let tls = settings.tls { reload("the certificate", "was", "stays as it was") { try tls.reload() } }
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
