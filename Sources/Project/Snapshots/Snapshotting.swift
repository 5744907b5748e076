public import EventLog
public import EventModel
internal import Foundation
public import Logging
public import Projecting
public import ServiceLifecycle

/// Keeps snapshots of views beside their projectors: one whenever a view has so many events more than its newest has.
///
/// A snapshot that cannot be kept stops nothing. Processes of the same projections may all run it: one at a time keeps one.
public struct Snapshotting: Service, CustomStringConvertible {
    private let projections: [AnyProjection]
    private let log: any EventLog
    private let views: any ViewStore
    private let folder: SnapshotFolder
    private let limits: SnapshotLimits
    private let logger: Logger
    public var description: String { "snapshots" }

    public init(
        _ projections: [AnyProjection], log: any EventLog, views: any ViewStore, in folder: SnapshotFolder,
        limits: SnapshotLimits, logger: Logger
    ) {
        (self.projections, self.log, self.views, self.folder) = (projections, log, views, folder)
        (self.limits, self.logger) = (limits, logger)
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var notBefore = [ContinuousClock.Instant](repeating: .now, count: projections.count)
            var (counts, wait) = ([Int64](repeating: -1, count: projections.count), limits.look)
            while !Task.isCancelled {
                let before = counts
                for (i, projection) in projections.enumerated() where .now >= notBefore[i] {
                    notBefore[i] = .now + (await pause(after: projection, events: &counts[i]))
                }
                // Where nothing is folded there is nothing to look for.
                wait = counts == before ? min(wait * 2, limits.look * limits.idle) : limits.look
                try? await Task.sleep(for: wait)
            }
        }
    }

    /// Looks at one view; gives how long it is left alone.
    ///
    /// - Parameter events: How many it has is put there.
    private func pause(after projection: AnyProjection, events: inout Int64) async -> Duration {
        let start = ContinuousClock.now
        do {
            return try await look(at: projection, &events) ? (ContinuousClock.now - start) * limits.rest : .zero
        } catch is CancellationError {
            return .zero
        } catch {
            logger.warning(
                "no snapshot of \(projection.name) was kept; until one is, --as-of folds from the one before: \(error)")
            return limits.retry
        }
    }

    /// Keeps a snapshot where one is due; says whether it did.
    private func look(at projection: AnyProjection, _ count: inout Int64) async throws -> Bool {
        let builds = try await views.builds(of: projection)
        if !builds.all.contains(builds.live) { return false }
        let live = projection.build(builds.live)
        let events = try await views.read(live) { _, asOf in asOf.values.reduce(0) { $0 + $1.rawValue } }
        count = events
        if events < limits.every { return false }
        let there = try await folder.all(of: live)
        guard limits.isDue(at: events, beside: there.map(\.events)) else { return false }
        let start = ContinuousClock.now
        let kept = try await views.withSnapshot(live) {
            try await folder.keep($0, of: live, from: log, limits: limits)
        }
        guard let kept else { return false }
        logger.debug(
            "snapshot of \(live.storage) at \(kept.events) events, \(kept.bytes) bytes, took \(ContinuousClock.now - start)"
        )
        try await folder.discard(projection, but: builds)
        return true
    }
}
