public import EventLog
public import EventModel
internal import Foundation
public import Logging
public import ServiceLifecycle

/// Folds events into the rows of one projection, batch by batch.
///
/// Rows and offsets are one transaction of the view's own store, so a projector that dies goes on exactly where its rows
/// stand, whatever the log remembers of its group.
public struct Projector: Service, CustomStringConvertible {
    /// Events folded in one commit.
    public static let batch = 20_000

    private let projection: AnyProjection
    private let log: any EventLog
    private let views: any ViewStore
    private let logger: Logger
    /// Called when the worker has taken its first partitions.
    public var ready: @Sendable () -> Void = {}

    public init(_ projection: AnyProjection, log: any EventLog, views: any ViewStore, logger: Logger) {
        self.projection = projection
        self.log = log
        self.views = views
        self.logger = logger
    }

    public var name: String { projection.name }
    public var description: String { name }
    /// The consumer group of a projection's projectors.
    public static func group(of projection: AnyProjection) -> String { "\(projection.name)@\(projection.version)" }

    public func run() async throws {
        try await views.open(views.live(projection))
        var work = Folding(
            projection: projection, log: log, views: views, owner: "\(getpid())-\(UUID().uuidString.prefix(8))")
        let loop = GroupLoop(
            log: log, group: Self.group(of: projection), topics: projection.topics, batch: Self.batch, ready: ready)
        try await loop.run(&work, until: { Task.isShuttingDownGracefully })
    }
}

private struct Folding: GroupWork {
    let projection: AnyProjection
    let log: any EventLog
    let views: any ViewStore
    let owner: String
    /// The build that the partitions were claimed in. Once another is live, commits to it are fenced.
    private var live: AnyProjection
    private var epochs: [TopicPartition: Epoch] = [:]

    init(projection: AnyProjection, log: any EventLog, views: any ViewStore, owner: String) {
        self.projection = projection
        self.log = log
        self.views = views
        self.owner = owner
        live = projection
    }

    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        live = try await views.live(projection)
        let claims = try await views.claim(live, partitions, owner: owner)
        // Whoever puts another build in its place has said so before it claimed this one: after a claim that was later it
        // is seen here, and an earlier one is fenced.
        let builds = try await views.builds(of: projection)
        if builds.isHeld || builds.live != live.build {
            throw LogError(.fenced, "another build of \(projection.name) takes the place of \(live.storage)")
        }
        let bounds = try await log.bounds(of: partitions)
        for (partition, claim) in claims {
            if let next = claim.next, let end = bounds[partition]?.upperBound, next > end {
                throw ViewError(
                    .mismatch,
                    """
                    \(projection.name) has folded \(partition) up to \(next), but the log ends at \(end): the view is of \
                    another log, or the log is an older copy. Give the view a fresh place, or delete its database
                    """)
            }
            epochs[partition] = claim.epoch
        }
        return claims.mapValues(\.next)
    }

    mutating func dropped(_ partitions: [TopicPartition]) {
        for partition in partitions { epochs[partition] = nil }
    }

    func tick(_ member: any GroupMember) -> Duration { GroupLoop.heed }

    func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        let offsets = Dictionary(batches.map { ($0.source, $0.next) }) { max($0, $1) }
        let held = epochs.filter { offsets[$0.key] != nil }
        let projection = live
        do {
            try await views.commit(projection, to: offsets, under: held) { view in
                try projection.fold(batches.map { ($0.source, $0.records) }, into: view)
            }
        } catch let error as ViewError where error.kind == .fenced {
            throw LogError(.fenced, error.message)
        }
    }
}
