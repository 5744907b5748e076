internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import HitsDomain
internal import LocalLog
internal import Metering
internal import OrdersDomain
internal import Projecting
internal import PrometheusExporter
internal import SQLiteViews
internal import TestSupport

/// What it costs that workers count: the same work with metrics and without, in turns.
extension Bench {
    private static let orders = 50_000

    func metricsRows() async throws -> [Row] {
        let hits = min(events, 1_000_000)
        let shared = try fresh("counted-hits")
        defer { remove(shared) }
        let log = try await LocalLog.open(directory: shared)
        try await log.create(Domain.hits.topics)
        try await log.fill("hits.events", hits, record: try Hits(hits).record)
        var (decided, decidedBare, projected, projectedBare): ([Double], [Double], [Double], [Double]) = (
            [], [], [], []
        )
        for round in 0..<rounds {
            // The first of two finds colder caches, so they change places.
            for counts in round % 2 == 0 ? [true, false] : [false, true] {
                let registry = counts ? PrometheusRegistry() : nil
                let decides = Double(Self.orders) / (try await decideOrders(registry))
                let folds = Double(hits) / (try await projectHits(log, registry, "\(shared)/views-\(round)-\(counts)"))
                if counts {
                    decided.append(decides)
                    projected.append(folds)
                } else {
                    decidedBare.append(decides)
                    projectedBare.append(folds)
                }
            }
        }
        await log.close()
        return [
            Row("orders decided and counted, a core", .perSecond, decided, .timesAtLeast(0.98))
                .held(against: "the same, not counted", decidedBare),
            Row("hits projected and counted, a core", .perSecond, projected, .timesAtLeast(0.98))
                .held(against: "the same, not counted", projectedBare),
        ]
    }

    /// - Returns: seconds of a processor.
    private func decideOrders(_ registry: PrometheusRegistry?) async throws -> Double {
        let place = try fresh("counted-orders")
        defer { remove(place) }
        var settings = LocalSettings(complain: { _ in })
        settings.metrics = registry.map { LogMetrics(in: $0) }
        let log = try await LocalLog.open(directory: place, settings)
        let domain = Domain.orders
        try await log.create(domain.topics)
        let commands = try (0..<Self.orders).map {
            try domain.command("PlaceOrder", #"{"order":"o\#($0)","customer":"ann"}"#, id: "c\($0)")
        }
        let time = now()
        try await log.fill(domain.commandsTopic, commands.count) { commands[$0].record(now: time) }
        guard var handler = Handler(domain, log: log, clock: { now() }, logger: logger) else { return 0 }
        handler.metrics = registry.map { WorkerMetrics(handler.name, kind: "handler", in: $0) }
        let watch = Stopwatch()
        let took = try await running([handler]) {
            try await handled(domain, log, reacting: false)
            return watch.ownProcessor
        }
        await log.close()
        return took
    }

    /// - Returns: seconds of a processor.
    private func projectHits(
        _ log: LocalLog, _ registry: PrometheusRegistry?, _ place: String
    ) async throws -> Double {
        let (projection, views) = (Domain.hits.projections[0], try SQLiteViews(directory: place))
        let ends = try await log.bounds(of: log.partitions(of: projection.topics)).mapValues(\.upperBound)
        var projector = Projector(projection, log: log, views: views, logger: logger)
        projector.metrics = registry.map { WorkerMetrics(projection.name, kind: "projector", in: $0) }
        let watch = Stopwatch()
        let took = try await running([projector]) {
            try await shows(projection, views, ends)
            return watch.ownProcessor
        }
        await views.close()
        return took
    }
}
