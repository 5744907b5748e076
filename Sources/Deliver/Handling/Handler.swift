internal import CoreMetrics
public import EventLog
public import EventModel
public import Logging
package import Metering
public import Quarantining
public import ServiceLifecycle

/// Answers one domain's commands: reads, decides, and commits events, outcomes and the commands' offsets together.
///
/// It keeps no truth: what it knows of an aggregate is folded from the events partition that it alone writes, and the ids
/// it has answered from the outcomes partition. When a partition becomes its own it folds what a checkpoint does not have
/// yet, or everything where it was given no store of checkpoints.
public struct Handler: Service, CustomStringConvertible {
    /// Commands decided in one commit.
    public static let batch = 4096

    private let domain: Domain
    private let decider: AnyDecider
    private let log: any EventLog
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger
    /// Where checkpoints are kept. Nil folds all events at the start and keeps all states in memory.
    public var checkpoints: (any CheckpointStore)?
    public var checkpointing = Checkpointing()
    /// The quarantine: records that cannot be handled wait there. Nil stops the worker at the first of them.
    public var quarantine: QuarantineLog?
    /// How many partitions its topics had; nil compares nothing. A handler whose topics have other counts stops.
    public var book: TopicBook?
    /// Where crashes of workers are counted; nil disables crash counting.
    public var crashRecords: (any CrashRecordStore)?
    /// What it counts; nil counts nothing.
    package var metrics: WorkerMetrics?
    /// Called when the worker has taken its first partitions.
    public var ready: @Sendable () -> Void = {}

    /// - Parameter clock: only for timers; decisions go by the commands' own time.
    public init(
        _ domain: Domain, _ decider: AnyDecider, log: any EventLog, clock: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        self.domain = domain
        self.decider = decider
        self.log = log
        self.clock = clock
        self.logger = logger
    }

    /// A handler of a domain, nil where the domain decides nothing.
    public init?(_ domain: Domain, log: any EventLog, clock: @escaping @Sendable () -> Timestamp, logger: Logger) {
        guard let decider = domain.decider else { return nil }
        self.init(domain, decider, log: log, clock: clock, logger: logger)
    }

    public var name: String { Self.group(of: domain) }
    public var description: String { name }
    /// The consumer group of a domain's handlers.
    public static func group(of domain: Domain) -> String { "\(domain.name).handler" }

    public func run() async throws {
        var step = HandlerStep(domain, decider, log: log, clock: clock, canPark: quarantine != nil)
        step.counting = metrics.map { CommandCounting(of: decider, $0.commands) }
        let care = WorkerCare(
            checkpoints: checkpoints, checkpointing: checkpointing, quarantine: quarantine, book: book,
            crashRecords: crashRecords, metrics: metrics)
        var work = PartitionWorker(step, log: log, logger: logger, batch: Self.batch, care)
        var loop = GroupLoop(log: log, group: name, topics: [domain.commandsTopic], batch: Self.batch, ready: ready)
        if let metrics { loop.rejoining = { metrics.rejoins.increment() } }
        try await loop.serve(&work, asked: quarantine)
    }
}
