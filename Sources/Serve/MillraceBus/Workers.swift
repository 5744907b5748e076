package import CoreMetrics
package import EventLog
package import EventModel
internal import Handling
package import Logging
internal import Metering
package import Projecting
internal import Quarantining
package import ServiceLifecycle
package import Snapshots
internal import UnixSignals

/// A worker that the domains ask for: it runs over a log and views.
package struct Worker: Sendable {
    /// `tickets.handler`, `tickets.open-sections`, `tickets.seatmap`.
    package var name: String
    /// `handler`, `reactor`, `projector`.
    package var kind: String
    package var domain: String
    /// The consumer group, and the topics it reads.
    package var group: String
    package var topics: [String]
    package var projection: AnyProjection?
    var make: @Sendable (WorkerEnvironment, _ ready: @escaping @Sendable () -> Void) -> any Service

    /// Whatever the name's case.
    package func answers(to name: String) -> Bool {
        [self.name, kind, domain, "\(kind)s"].contains { $0.lowercased() == name.lowercased() }
    }
}

/// What the workers of a process share.
struct WorkerEnvironment: Sendable {
    var log: any EventLog
    var views: any ViewStore
    var quarantine: QuarantineLog
    var book: TopicBook
    var logger: Logger
    /// What the one that is made counts.
    var metrics: WorkerMetrics
}

/// The composition root: which workers there are, over which log and views.
package enum Workers {
    package static func all(of domains: [Domain]) -> [Worker] {
        domains.flatMap { domain -> [Worker] in
            var workers: [Worker] = []
            if let decider = domain.decider {
                workers.append(
                    Worker(
                        name: Handler.group(of: domain), kind: "handler", domain: domain.name,
                        group: Handler.group(of: domain), topics: [domain.commandsTopic]
                    ) { around, ready in
                        var handler = Handler(
                            domain, decider, log: around.log, clock: { now() }, logger: around.logger)
                        handler.checkpoints = ViewCheckpoints(around.views)
                        (handler.quarantine, handler.crashRecords) = (around.quarantine, ViewCrashRecords(around.views))
                        (handler.book, handler.metrics) = (around.book, around.metrics)
                        handler.ready = ready
                        return handler
                    })
            }
            workers += domain.reactions.map { reaction in
                Worker(
                    name: reaction.name, kind: "reactor", domain: domain.name, group: reaction.name,
                    topics: reaction.topics
                ) { around, ready in
                    var reactor = Reactor(reaction, log: around.log, logger: around.logger)
                    reactor.checkpoints = ViewCheckpoints(around.views)
                    (reactor.quarantine, reactor.crashRecords) = (around.quarantine, ViewCrashRecords(around.views))
                    (reactor.book, reactor.metrics) = (around.book, around.metrics)
                    reactor.ready = ready
                    return reactor
                }
            }
            workers += domain.projections.map { projection in
                Worker(
                    name: projection.name, kind: "projector", domain: domain.name,
                    group: Projector.group(of: projection), topics: projection.topics, projection: projection
                ) { around, ready in
                    var projector = Projector(projection, log: around.log, views: around.views, logger: around.logger)
                    (projector.quarantine, projector.crashRecords) = (around.quarantine, ViewCrashRecords(around.views))
                    (projector.metrics, projector.ready) = (around.metrics, ready)
                    return projector
                }
            }
            return workers
        }
    }

    /// The topics that domains and their workers need.
    package static func topics(of domains: [Domain]) -> [Topic] {
        domains.topicsWithOthers + [QuarantineLog.topic, TopicBook.topic]
    }

    /// The workers that names, kinds and domains choose; all where none is given.
    package static func all(of domains: [Domain], chosen names: [String]) throws -> [Worker] {
        let all = all(of: domains)
        if names.isEmpty { return all }
        for name in names where !all.contains(where: { $0.answers(to: name) }) {
            let known = all.map(\.name) + ["handler", "reactor", "projector"] + domains.map(\.name)
            throw UnknownName("worker, kind or domain", name, among: known)
        }
        return all.filter { worker in names.contains { worker.answers(to: $0) } }
    }

    /// The services of one process: its workers, what keeps snapshots of its projectors' views, and the upkeep of a log that
    /// has no broker to do it.
    ///
    /// - Parameter metrics: What counts what the workers do.
    package static func services(
        _ workers: [Worker], log: any EventLog, views: any ViewStore, snapshots: SnapshotFolder, logger: Logger,
        metrics: any MetricsFactory = MetricsSystem.factory, tell: @escaping Notice,
        ready: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> [any Service] {
        let upkeep = (log as? any Maintained).map { [Upkeep(log: $0, logger: logger) as any Service] } ?? []
        let (quarantine, book) = (QuarantineLog(log, clock: { now() }), TopicBook(log, clock: { now() }))
        let (projections, limits) = (workers.compactMap(\.projection), try SnapshotLimits.set())
        let keeping: [any Service] =
            limits.isOn && !projections.isEmpty
            ? [Snapshotting(projections, log: log, views: views, in: snapshots, limits: limits, logger: logger)] : []
        let crew = Spared.Crew(workers.count)
        let spared = workers.map { worker in
            let around = WorkerEnvironment(
                log: log, views: views, quarantine: quarantine, book: book, logger: logger,
                metrics: WorkerMetrics(worker.name, kind: worker.kind, in: metrics))
            let made = worker.make(around) { ready(worker.name) }
            return Spared(made, worker.name, of: crew, running: around.metrics.running, tell: tell)
        }
        return [FollowedQuarantine(quarantine: quarantine), WorkerGroup(services: spared)] + keeping + upkeep
    }

    /// Runs services until a signal says stop: then each finishes what it has in hand.
    package static func run(_ services: [any Service], logger: Logger) async throws {
        // Of the workers each is bounded by itself, to be named if it hangs.
        let bounded: [any Service] = services.map { $0 is WorkerGroup ? $0 : Bounded($0) }
        let group = ServiceGroup(
            configuration: .init(
                services: bounded.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger))
        try await group.run()
        if let failure = services.lazy.compactMap({ ($0 as? WorkerGroup)?.failure }).first { throw failure }
    }
}

/// Workers that are told to stop all at once. A service group tells one after another, each when the one before has ended.
private struct WorkerGroup: Service, CustomStringConvertible {
    let services: [Spared]
    var description: String { "workers" }
    /// What the first of them failed of while the others went on.
    var failure: (any Error)? { services.lazy.compactMap(\.failure).first }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { try await Bounded(service).run() } }
            // With the first that fails the others end.
            for try await _ in group {}
        }
    }
}

/// Hears what is asked of workers for records that wait.
private struct FollowedQuarantine: Service, CustomStringConvertible {
    let quarantine: QuarantineLog
    var description: String { "quarantine" }

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await quarantine.follow() }
    }
}

/// Drops what is past its retention, now and then.
private struct Upkeep: Service, CustomStringConvertible {
    static let pause = Duration.seconds(60)

    let log: any Maintained
    var description: String { "upkeep" }
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try await log.maintain(at: now())
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}
