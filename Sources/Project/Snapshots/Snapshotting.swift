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
            var (seen, wait) = ([Seen?](repeating: nil, count: projections.count), limits.look)
            while !Task.isCancelled {
                let before = seen
                for (i, projection) in projections.enumerated() where .now >= notBefore[i] {
                    notBefore[i] = .now + (await pause(after: projection, seen: &seen[i]))
                }
                // Where nothing is folded there is nothing to look for.
                wait = seen == before ? min(wait * 2, limits.look * limits.idle) : limits.look
                try? await Task.sleep(for: wait)
            }
        }
    }

    /// Looks at one view; gives how long it is left alone.
    ///
    /// - Parameter seen: What was seen of it is put there.
    private func pause(after projection: AnyProjection, seen: inout Seen?) async -> Duration {
        let start = ContinuousClock.now
        do {
            return try await look(at: projection, &seen) ? (ContinuousClock.now - start) * limits.rest : .zero
        } catch is CancellationError {
            return .zero
        } catch {
            logger.warning(
                "no snapshot of \(projection.name) was kept; until one is, --as-of folds from the one before: \(error)")
            return limits.retry
        }
    }

    /// What a view was when it was looked at.
    private struct Seen: Equatable {
        var build: Int
        var events: Int64
    }

    /// How many events a view has.
    private static let events: @Sendable (any ViewReader, [TopicPartition: Offset]) -> Int64 = { _, asOf in
        asOf.values.reduce(0) { $0 + $1.rawValue }
    }

    /// Keeps a snapshot where one is due; says whether it did.
    private func look(at projection: AnyProjection, _ seen: inout Seen?) async throws -> Bool {
        // Which builds there are is only asked where something was folded or another is live.
        if let seen, try await views.live(projection).build == seen.build,
            try await views.read(projection.build(seen.build), Self.events) == seen.events
        {
            return false
        }
        let builds = try await views.builds(of: projection)
        if !builds.all.contains(builds.live) { return false }
        let live = projection.build(builds.live)
        let events = try await views.read(live, Self.events)
        seen = nil
        if events >= limits.every, limits.isDue(at: events, beside: try await folder.all(of: live).map(\.events)) {
            return try await keep(live, builds)
        }
        seen = Seen(build: builds.live, events: events)
        return false
    }

    private func keep(_ live: AnyProjection, _ builds: Builds) async throws -> Bool {
        let start = ContinuousClock.now
        let kept = try await views.withSnapshot(live) {
            try await folder.keep($0, of: live, from: log, limits: limits)
        }
        guard let kept else { return false }
        logger.debug(
            "snapshot of \(live.storage) at \(kept.events) events, \(kept.bytes) bytes, took \(ContinuousClock.now - start)"
        )
        try await folder.discard(live, but: builds)
        return true
    }
}
