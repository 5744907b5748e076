internal import CoreMetrics
public import EventLog
public import EventModel
public import Logging
package import Metering
public import Quarantining
public import ServiceLifecycle

/// Runs one reaction: reads events, and commits what follows from them together with their offsets.
public struct Reactor: Service, CustomStringConvertible {
    /// Events reacted to in one commit.
    public static let batch = 4096
    /// What follows from events is committed as soon as it is so much, for one event may have thousands of consequences.
    public static let emissions = 20_000
    /// The same in bytes.
    public static let emittedBytes = 8 << 20

    private let reaction: AnyReaction
    private let log: any EventLog
    private let logger: Logger
    /// Where a reaction that remembers keeps checkpoints. Nil folds all events at the start and keeps all states in
    /// memory.
    public var checkpoints: (any CheckpointStore)?
    public var checkpointing = Checkpointing()
    /// The quarantine: events that cannot be reacted to wait there. Nil stops the worker at the first of them.
    public var quarantine: QuarantineLog?
    /// How many partitions topics had; nil compares nothing. A reactor stops where one that it reads, or writes, has another
    /// count.
    public var book: TopicBook?
    /// Where crashes of workers are counted; nil disables crash counting.
    public var crashRecords: (any CrashRecordStore)?
    /// What it counts; nil counts nothing.
    package var metrics: WorkerMetrics?
    /// Called when the worker has taken its first partitions.
    public var ready: @Sendable () -> Void = {}

    public init(_ reaction: AnyReaction, log: any EventLog, logger: Logger) {
        self.reaction = reaction
        self.log = log
        self.logger = logger
    }

    /// The reaction's name, and its consumer group.
    public var name: String { reaction.name }
    public var description: String { name }

    public func run() async throws {
        let step = ReactorStep(reaction, log: log, logger: logger)
        let care = WorkerCare(
            checkpoints: checkpoints, checkpointing: checkpointing, quarantine: quarantine, book: book,
            crashRecords: crashRecords, metrics: metrics)
        var work = PartitionWorker(step, log: log, logger: logger, batch: Self.batch, care)
        var loop = GroupLoop(
            log: log, group: name, topics: reaction.topics, sharing: .together, batch: Self.batch, ready: ready)
        if let metrics { loop.rejoining = { metrics.rejoins.increment() } }
        try await loop.serve(&work, asked: quarantine)
    }
}
