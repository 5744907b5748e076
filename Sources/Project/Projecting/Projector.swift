internal import CoreMetrics
public import EventLog
public import EventModel
internal import Foundation
public import Logging
package import Metering
public import Quarantining
internal import RecordTracing
public import ServiceLifecycle

/// Folds events into the rows of one projection, batch by batch.
///
/// Rows and offsets are one transaction of the view's own store, so a projector that dies goes on exactly where its rows
/// stand, whatever the log remembers of its group.
public struct Projector: Service, CustomStringConvertible {
    /// Events folded in one commit; of a view that is far behind there are more, as ``CatchUp`` says.
    public static let batch = 20_000

    private let projection: AnyProjection
    private let log: any EventLog
    private let views: any ViewStore
    private let logger: Logger
    /// Where it reports the events that wait and reads requests to redrive them. Nil reports nothing.
    public var quarantine: QuarantineLog?
    /// Where crashes of workers are counted; nil disables crash counting.
    public var crashRecords: (any CrashRecordStore)?
    /// What it counts; nil counts nothing.
    package var metrics: WorkerMetrics?
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
        var work = ProjectorWork(
            projection: projection, log: log, views: views, owner: "\(getpid())-\(UUID().uuidString.prefix(8))",
            quarantine: quarantine, crashRecords: crashRecords, metrics: metrics, logger: logger)
        var loop = GroupLoop(
            log: log, group: Self.group(of: projection), topics: projection.topics, batch: Self.batch, ready: ready)
        if let metrics { loop.rejoining = { metrics.rejoins.increment() } }
        try await loop.serve(&work, asked: quarantine)
    }
}

private struct ProjectorWork: GroupWork {
    let projection: AnyProjection
    let log: any EventLog
    let views: any ViewStore
    let owner: String
    let quarantine: QuarantineLog?
    let metrics: WorkerMetrics?
    let logger: Logger
    /// The build that the partitions were claimed in. Once another is live, commits to it are fenced.
    private var folding: QuarantiningProjector
    private var epochs: [TopicPartition: Epoch] = [:]
    private var backoff: CrashBackoff
    private var requests: RedriveRequests
    private var showing = Showing()
    private var member: (any GroupMember)?
    private var behind = Behind()
    /// How many partitions each topic had when it was last looked at.
    private var counts: [String: Int] = [:]

    init(
        projection: AnyProjection, log: any EventLog, views: any ViewStore, owner: String,
        quarantine: QuarantineLog?, crashRecords: (any CrashRecordStore)?, metrics: WorkerMetrics?, logger: Logger
    ) {
        (self.projection, self.log, self.views, self.owner) = (projection, log, views, owner)
        (self.quarantine, self.metrics, self.logger) = (quarantine, metrics, logger)
        folding = QuarantiningProjector(projection, views, metrics)
        requests = RedriveRequests(of: projection.name)
        backoff = CrashBackoff(
            of: Projector.group(of: projection), batch: Projector.batch, most: CatchUp.records,
            store: crashRecords)
    }

    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        let live = try await views.live(projection)
        if live.build != folding.projection.build {
            await behind.end(folding.projection, views)
            folding = QuarantiningProjector(live, views, metrics)
        }
        let claims = try await views.claim(live, partitions, owner: owner)
        // Whoever puts another build in its place has said so before it claimed this one: after a claim that was later it
        // is seen here, and an earlier one is fenced.
        let builds = try await views.builds(of: projection)
        if builds.isHeld || builds.live != live.build {
            throw LogError(.fenced, "another build of \(projection.name) takes the place of \(live.storage)")
        }
        let bounds = try await log.bounds(of: partitions)
        try await lookForMore()
        for (partition, claim) in claims {
            if let next = claim.next, let end = bounds[partition]?.upperBound, next > end {
                throw AheadOfLog(projection: projection.name, partition: partition, next: next, end: end)
            }
            epochs[partition] = claim.epoch
        }
        try await folding.begin(partitions)
        requests.begin()
        if let quarantine {
            try await quarantine.append(folding.differences(from: quarantine.read(), partitions))
        }
        // Events that are gone before they were folded are missing in the view from then on.
        try await missing.begin(claims.mapValues { $0.next ?? 0 }, bounds)
        let starts = Dictionary(
            uniqueKeysWithValues: claims.map { source, claim in
                (source, max(claim.next ?? 0, bounds[source]?.lowerBound ?? 0))
            })
        let crashed = try await backoff.begin(starts, ends: bounds.mapValues(\.upperBound))
        metrics?.crashes.increment(by: crashed)
        // The view says where it goes on, never the group, which may have been told of other rows than these.
        return starts.mapValues { $0 }
    }

    private var missing: Missing {
        Missing(
            of: projection.name, "what they did is not in the view", log: log, quarantine: quarantine, logger: logger)
    }

    /// Says which topics have more partitions than they had: they are folded like the others.
    private mutating func lookForMore() async throws {
        let now = try await log.partitionCounts().filter { projection.topics.contains($0.key) }
        for (topic, count) in now.sorted(by: { $0.key < $1.key }) {
            guard let before = counts[topic], before < count else { continue }
            logger.notice(
                "\(topic) has \(count) partitions now, and had \(before): \(projection.name) folds the new ones from their start"
            )
        }
        counts = now
    }

    mutating func dropped(_ partitions: [TopicPartition]) async {
        let own = Set(partitions)
        await member?.show(backoff.next.filter { own.contains($0.key) })
        showing.stop(own)
        for partition in partitions { epochs[partition] = nil }
        folding.stop(partitions)
        await backoff.stop(partitions)
        // Others wait for these partitions, or for this process to end.
        await behind.end(folding.projection, views, tidies: false)
    }

    var most: Int? { behind.pace.size }
    var gathers: Bool { true }

    mutating func tick(_ member: any GroupMember) async throws -> Duration {
        try await redrive()
        // Nothing has come since the last time: all that there was is folded.
        if behind.isIdle() { await behind.end(folding.projection, views) }
        self.member = member
        await member.show(showing.due(backoff.next, at: .now))
        return quarantine?.patience ?? GroupLoop.heed
    }

    mutating func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        try await missing.check(batches, after: backoff.next)
        let start = ContinuousClock.now
        var isOrdinary = true
        var (backoff, folding) = (backoff, folding)
        let (epochs, quarantine, logger) = (epochs, quarantine, logger)
        var spans = RecordSpans(of: projection.name)
        for batch in batches { spans?.begin(batch) }
        do {
            try await backoff.through(batches) { piece, failing in
                let parked = try await folding.commit(piece, under: epochs, failing: failing)
                if parked.isEmpty && failing.isEmpty { return }
                isOrdinary = false
                for (source, record) in parked where !record.reason.isEmpty {
                    logger.warning(
                        "an event waits: \(record.reason)",
                        metadata: ["place": "\(source)@\(record.offset)", "key": "\(record.key.text)"])
                }
                let worker = folding.projection.name
                try await quarantine?.append(parked.map { .parked(worker: worker, $0.source, $0.record) })
            }
        } catch {
            spans?.end(failing: error)
            if let error = error as? ViewError, error.kind == .fenced { throw LogError(.fenced, error.message) }
            throw error
        }
        spans?.end()
        (self.backoff, self.folding) = (backoff, folding)
        metrics?.batch.record(since: start)
        await behind.handled(isOrdinary ? batches : [], since: start, folding.projection, views)
    }

    /// Does what has been asked for events that wait.
    private mutating func redrive() async throws {
        while let request = try await requests.next(of: Set(epochs.keys), from: quarantine) {
            guard let epoch = epochs[request.source], let next = backoff.next[request.source] else { return }
            do {
                try await quarantine?.append(folding.redrive(request, from: log, at: next, under: epoch))
            } catch let error as ViewError where error.kind == .fenced {
                throw LogError(.fenced, error.message)
            }
        }
    }
}
