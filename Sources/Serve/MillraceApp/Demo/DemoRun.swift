internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import Logging
internal import MillraceBus
internal import Projecting
internal import ServiceLifecycle
internal import Synchronization

/// What a demo has done when it is over.
struct DemoPlayed: Sendable {
    var counts: DemoStatistics.Counts
    var took: Duration
    /// When its actors stopped.
    var end: Timestamp
    /// How far the workers were behind, a line each, when they had been waited for.
    var lag: [WorkerLag]
}

/// Some domains' actors on a running system.
struct DemoRun {
    /// How long workers may take to stop.
    private static let grace = Duration.seconds(10)

    let app: Application
    let domains: [Domain]
    let place: DemoPlace
    let size: Int
    let seed: UInt64
    let length: Duration

    /// Starts workers and actors, and stops the workers when they have done what there was to do.
    ///
    /// - Throws: ``Failure`` where a signal ended it.
    func play(until stop: InputStop) async throws -> DemoPlayed {
        let place = place
        let grace = Grace(min(try Grace.set(), Self.grace)) { word in
            // The process ends here, with whatever hangs.
            place.clear()
            Exit.hung(word)
        }
        defer { grace.over() }
        let played = try await Grace.$current.withValue(grace) {
            try await place.places.withLog(app) { log in
                try await place.places.withViews { views in
                    let logger = makeLogger(verbose: false)
                    let services = try Workers.services(
                        Workers.all(of: domains), log: log, views: views, snapshots: place.snapshots, logger: logger,
                        tell: Output.notice)
                    let scene = DemoScene(demo: self, log: log, views: views)
                    let group = ServiceGroup(
                        configuration: .init(
                            services: services.map { .init(service: Bounded($0)) }
                                + [.init(service: scene, successTerminationBehavior: .gracefullyShutdownGroup)],
                            logger: logger))
                    async let _: Void = Self.listen(stop, for: group)
                    try await group.run()
                    return scene.played.withLock { $0 }
                }
            }
        }
        try stop.check()
        guard let played else { throw Failure(.software, "the demo ended before it was over") }
        return played
    }

    /// Ends the group at a signal; cancelled where the group ends by itself.
    private static func listen(_ stop: InputStop, for group: ServiceGroup) async {
        while stop.why == nil {
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
        }
        await group.triggerGracefulShutdown()
    }
}

/// The actors, and the wait until the views show what they did.
private struct DemoScene: Service, CustomStringConvertible {
    private static let patience = Duration.seconds(20)

    let demo: DemoRun
    let log: any EventLog
    let views: any ViewStore
    let played = Played()
    var description: String { "demo" }

    final class Played: Sendable {
        private let value = Mutex<DemoPlayed?>(nil)
        func withLock<R>(_ body: (inout DemoPlayed?) -> R) -> R { value.withLock { body(&$0) } }
    }

    init(demo: DemoRun, log: any EventLog, views: any ViewStore) {
        (self.demo, self.log, self.views) = (demo, log, views)
    }

    func run() async throws {
        let statistics = DemoStatistics()
        do {
            let done = try await cancelWhenGracefulShutdown {
                let took = try await play(statistics)
                let end = now()
                let lag = try await WorkerLag.settled(
                    Workers.all(of: demo.domains), log: log, views: views, sum: true, within: Self.patience)
                return DemoPlayed(counts: statistics.counts, took: took, end: end, lag: lag)
            }
            played.withLock { $0 = done }
        } catch is CancellationError where Task.isShuttingDownGracefully {
            // Somebody wants it to end; nothing went wrong.
        }
    }

    /// - Returns: how long the actors acted.
    private func play(_ statistics: DemoStatistics) async throws -> Duration {
        let partitions = try await log.partitionCounts()
        return try await CommandClient.with(log, domains: demo.domains, clock: { now() }) { client in
            func clients(_ statistics: DemoStatistics) -> [DemoClient] {
                demo.domains.map {
                    DemoClient(domain: $0, log: log, client: client, partitions: partitions, statistics: statistics)
                }
            }
            // What is set up at once, and waits in one heap, says nothing of how long one waits.
            try await setUp(clients(DemoStatistics()))
            let acting = clients(statistics)
            let span = DemoClient.Span(start: .now, length: demo.length)
            let progress = DemoProgress(of: demo.length)
            defer { progress.end() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in acting {
                    for actor in client.domain.demonstration?.actors(demo.size, demo.seed) ?? [] {
                        group.addTask { try await client.play(actor, in: span) }
                    }
                }
                async let _: Void = progress.show(statistics, from: span.start)
                try await group.waitForAll()
            }
            return .now - span.start
        }
    }

    private func setUp(_ clients: [DemoClient]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients {
                if let actor = client.domain.demonstration?.setup(demo.size, demo.seed) {
                    group.addTask { try await client.setUp(actor) }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Says each second on standard error how far a demo has come: in place on a terminal, a line elsewhere.
private struct DemoProgress: Sendable {
    private let length: Duration
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(of length: Duration) { self.length = length }

    /// Goes on until it is cancelled.
    func show(_ statistics: DemoStatistics, from start: ContinuousClock.Instant) async {
        for second in 0... {
            do { try await Task.sleep(until: start + .seconds(second), clock: .continuous) } catch { return }
            let text = "\(Program.name): \(second) of \(length.short): \(statistics.words)"
            if isTerminal {
                StandardError.write("\r\u{1b}[K\(text)")
            } else {
                Output.complain(text)
            }
        }
    }

    func end() { if isTerminal { StandardError.write("\r\u{1b}[K") } }
}
