internal import EventLog
internal import EventModel
internal import Handling
internal import Logging
internal import MillraceBus
internal import ServiceLifecycle
internal import Synchronization

/// The gateway's client of the bus. Where the log goes away, whoever waits is told so, and it is tried again until the log is
/// there: requests that need it are told to come again meanwhile.
final class Sender: Service, CustomStringConvertible {
    /// How long after a failure it is tried again.
    private static let pause = Duration.seconds(1)

    private let log: any EventLog
    private let domains: [Domain]
    private let logger: Logger
    private let current: Mutex<CommandClient?>
    var description: String { "sender" }

    init(_ log: any EventLog, domains: [Domain], logger: Logger) async throws {
        (self.log, self.domains, self.logger) = (log, domains, logger)
        current = Mutex(try await CommandClient(log, domains: domains, clock: { now() }))
    }

    /// - Throws: ``Problem`` while the log is away.
    var client: CommandClient {
        get throws(Problem) {
            if let client = current.withLock({ $0 }) { return client }
            var problem = Problem(.unavailable, "the log does not answer")
            problem.retryAfter = Self.pause
            throw problem
        }
    }

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                guard let client = current.withLock({ $0 }) else {
                    let next = try await CommandClient(log, domains: domains, clock: { now() })
                    current.withLock { $0 = next }
                    continue
                }
                try await client.run()
                return
            } catch let error as LogError {
                current.withLock { $0 = nil }
                logger.warning("outcomes are not heard; trying again", metadata: ["error": "\(error)"])
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
            }
        }
    }
}
