internal import CoreMetrics
internal import EventLog
public import EventModel
internal import Foundation
internal import Handling
public import Logging
internal import Projecting
public import ServiceLifecycle
internal import Synchronization

/// The bus inside a program of one's own: its log, its views, and the domains on it.
///
/// ```swift
/// let bus = try await Bus(log: "local:data", domains: [.likes])
/// let group = ServiceGroup(services: [bus] + (try bus.workers()) + [server], logger: logger)
/// try await group.run()
/// ```
///
/// It hears the outcomes of commands while ``run()`` runs, and closes the log and the views when that ends: put it before
/// whatever uses it, for a service group stops its services from the last to the first. ``with(log:views:domains:logger:_:)``
/// does all of it for a script or a test.
public final class Bus: Service, CustomStringConvertible {
    /// What it serves, in the order that was given.
    public let domains: [Domain]
    public var description: String { "bus" }

    let log: any EventLog
    let views: any ViewStore
    let catalogue: Catalogue
    let written = WrittenKinds()
    private let client: CommandClient
    private let logPlace: LogPlace
    private let viewsPlace: ViewsPlace
    private let logger: Logger
    private let isRunning = Mutex(false)
    private let changed = Signal()

    /// Opens a log and views. On a log of this machine the topics that are missing are made; on Kafka that is an operator's
    /// work (`millrace topics apply`).
    ///
    /// - Parameters:
    ///   - log: `local:FOLDER` or `kafka://HOST:PORT[,HOST:PORT...]`.
    ///   - views: `sqlite:FOLDER` or `postgres://USER@HOST:PORT/DATABASE`; nil is a folder beside the log.
    ///   - domains: What it serves; no two of one name.
    ///   - properties: Properties of librdkafka, for a log on Kafka.
    ///   - logger: Where it and its workers say what happens.
    /// - Throws: ``BusError`` for a URL that is none, `LogError` and `ViewError` for what cannot be opened.
    public init(
        log: String, views: String? = nil, domains: [Domain], properties: [String: String] = [:],
        logger: Logger = Logger(label: "millrace")
    ) async throws {
        (self.domains, self.logger, catalogue) = (domains, logger, Catalogue(domains: domains))
        logPlace = try LogPlace(url: log)
        viewsPlace = try ViewsPlace(url: views, beside: logPlace)
        var opening = LogPlace.Opening(topics: Workers.topics(of: domains)) { logger.notice("\($0)") }
        (opening.working, opening.properties, opening.metrics) = (true, properties, MetricsSystem.factory)
        self.log = try await logPlace.open(opening)
        do {
            self.views = try viewsPlace.open()
        } catch {
            await self.log.close()
            throw error
        }
        do {
            client = try await CommandClient(self.log, domains: domains, clock: { now() })
        } catch {
            await self.views.close()
            await self.log.close()
            throw error
        }
    }

    /// Hears outcomes until it is told to stop, and closes the log and the views then.
    public func run() async throws {
        isRunning.withLock { $0 = true }
        changed.notify()
        let result: Result<Void, any Error>
        do {
            result = .success(try await client.run())
        } catch {
            result = .failure(error)
        }
        isRunning.withLock { $0 = false }
        await views.close()
        await log.close()
        try result.get()
    }

    /// A bus for as long as a closure runs.
    ///
    /// - Parameters:
    ///   - log: `local:FOLDER` or `kafka://HOST:PORT[,HOST:PORT...]`.
    ///   - views: `sqlite:FOLDER` or `postgres://USER@HOST:PORT/DATABASE`; nil is a folder beside the log.
    ///   - domains: What it serves; no two of one name.
    ///   - logger: Where it and its workers say what happens.
    ///   - body: Given the bus, which runs; its workers run too.
    public static func with<R: Sendable>(
        log: String, views: String? = nil, domains: [Domain], logger: Logger = Logger(label: "millrace"),
        _ body: @escaping @Sendable (Bus) async throws -> R
    ) async throws -> R {
        let bus = try await Bus(log: log, views: views, domains: domains, logger: logger)
        let end = Ending(bus: bus, body: body)
        let workers = try bus.workers()
        let services: [ServiceGroupConfiguration.ServiceConfiguration] =
            ([bus] + workers).map { .init(service: $0) }
            + [
                .init(
                    service: end, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            ]
        try await ServiceGroup(configuration: .init(services: services, logger: logger)).run()
        return try end.result()
    }

    /// Services that run the workers of the domains: handlers, reactors and projectors, each in its consumer group, so that
    /// several processes share the work.
    ///
    /// - Parameter names: Names, kinds or domains of workers, such as `tickets.seatmap`, `handler`, `tickets`; none is all.
    /// - Throws: ``UnknownName``, or ``BusError`` for a setting of the environment that cannot be.
    public func workers(_ names: String...) throws -> [any Service] {
        let logger = logger
        let services = try Workers.services(
            Workers.all(of: domains, chosen: names), log: log, views: views,
            snapshots: viewsPlace.snapshots(beside: logPlace), logger: logger, tell: { logger.notice("\($0)") })
        return services.map { Stopping(service: $0) }
    }

    /// Waits until the bus runs.
    func running(within limit: Duration) async throws -> CommandClient {
        if await changed.first(within: limit, { self.isRunning.withLock { $0 ? true : nil } }) == nil {
            throw BusError(.tryAgain, "the bus does not run: put it into a service group, or use Bus.with")
        }
        return client
    }
}

/// A service that is told to stop while it still begins has stopped, and has not failed.
private struct Stopping: Service, CustomStringConvertible {
    let service: any Service
    var description: String { "\(service)" }

    func run() async throws {
        do {
            try await service.run()
        } catch is CancellationError where Task.isShuttingDownGracefully {}
    }
}

/// Runs a closure as a service, and keeps what came of it.
private final class Ending<R: Sendable>: Service, CustomStringConvertible {
    private let bus: Bus
    private let body: @Sendable (Bus) async throws -> R
    private let kept = Mutex<Result<R, any Error>?>(nil)
    var description: String { "body" }

    init(bus: Bus, body: @escaping @Sendable (Bus) async throws -> R) { (self.bus, self.body) = (bus, body) }

    func run() async throws {
        let result: Result<R, any Error>
        do {
            result = .success(try await body(bus))
        } catch {
            result = .failure(error)
        }
        kept.withLock { $0 = result }
    }

    func result() throws -> R {
        guard let result = kept.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }
}
