internal import EventLog
internal import EventModel

/// What a handler or a reactor does by itself: how a state is folded, what is done to one record with it, and what comes out.
///
/// Everything else is ``PartitionWorker``'s: checkpoints, the quarantine, crash counts, transactions. Its methods are called
/// by one task, but for those that restore: several partitions are restored at once, each in a copy.
protocol PartitionStep: SendableMetatype {
    /// What is known of the partitions of one number.
    associatedtype State: PartitionState
    /// What was looked up for the records of a batch before they are handled.
    associatedtype Found
    /// What came of records and is not committed yet.
    associatedtype Output: StepOutput

    /// The worker's name: its consumer group, and that under which its records wait.
    var worker: String { get }
    /// The topics whose records are handled.
    var topics: [String] { get }
    /// What is done to a record, as in `cannot be decided`.
    var handling: String { get }
    /// What follows where records were gone before it came to them.
    var missed: String { get }
    /// The tables of its checkpoint.
    var rows: CheckpointRows { get }
    /// Ids from before that are past their retention; nil where none are remembered.
    var cutoff: Timestamp? { get }

    /// Looks at how topics are partitioned, before partitions are restored.
    mutating func begin(on log: any EventLog, _ book: TopicBook?) async throws
    /// What is known of partitions of which nothing is known.
    func blank() -> State

    // MARK: Which partitions belong together

    /// The partitions that the state of one number is folded from, in order.
    ///
    /// - Parameter assigned: The partitions of this number whose records are handled.
    func folded(_ number: Partition, _ assigned: [TopicPartition]) -> [TopicPartition]
    /// The partitions whose waiting records of a key follow on one another, in this order. The last is the one whose records
    /// are handled.
    func line(of source: TopicPartition) -> [TopicPartition]

    // MARK: Restoring a state

    /// Says, or throws, what it means that a log begins after the place where folding would go on.
    ///
    /// - Parameter start: Nil where nothing was folded before.
    func checkBeginning(of source: TopicPartition, at first: Offset, goingOnAt start: Offset?) throws
    /// Takes note of a batch as a whole; false where its records are to be folded one by one.
    func recall(_ batch: Batch, into partition: RestoredPartition<State>) async throws -> Bool
    /// Folds a record that was handled before, or was written by the handler of its partition.
    func fold(_ record: Record, from source: TopicPartition, into state: State) throws
    /// Takes note of what was written and is to be handled later.
    ///
    /// - Parameter next: Where the group goes on.
    func foresee(
        _ source: TopicPartition, from next: Offset?, in bounds: Range<Offset>, into partition: RestoredPartition<State>
    ) async throws
    /// What is told of a partition that has been folded, by name; nil where nothing is.
    func restored(_ source: TopicPartition, to end: Offset, _ state: State) -> [String: String]?

    // MARK: Handling records

    /// Brings into memory what handling a batch needs.
    func lookUp(_ records: [Record], in source: TopicPartition, _ partition: RestoredPartition<State>) async throws
        -> Found
    /// The same without waiting for anything but perhaps a disk.
    ///
    /// - Returns: nil where that is not possible, or where a record was handled before.
    func lookUpNow(_ records: [Record], in source: TopicPartition, _ partition: RestoredPartition<State>) throws
        -> Found?
    /// Whether a record was handled before, under the same id. Then what came of it comes out again.
    ///
    /// - Parameter number: Which of the batch it is, counted from 0.
    func repeats(_ record: Record, _ number: Int, in batch: BatchInHand<Self>, into output: inout Output) -> Bool
    /// Whether a record waits behind others of its key.
    func mayWait(_ record: Record, in source: TopicPartition) -> Bool
    /// Handles a record: changes the state, and adds to what comes out.
    ///
    /// - Returns: Why it cannot be handled, nil where it was. Then neither is changed.
    func handle(
        _ record: Record, _ number: Int, in batch: BatchInHand<Self>, into output: inout Output
    ) throws -> String?
    /// What came out is committed.
    ///
    /// - Parameters:
    ///   - written: The offsets of its appends.
    ///   - replied: Those of its replies.
    func committed(
        _ output: Output, written: ArraySlice<[Offset]>, replied: ArraySlice<[Offset]>,
        _ partitions: [Partition: RestoredPartition<State>])

    /// Does what time has made due; says how long until it wants to be asked again.
    func tick(_ partitions: [Partition: RestoredPartition<State>]) async throws -> Duration
    /// When something of a partition is due, as far as it is known; nil where nothing is.
    func due(in state: State) -> Timestamp?

    /// Whether it may handle records within the commits that bring them.
    static var worksInline: Bool { get }
}

extension PartitionStep {
    static var worksInline: Bool { false }
    func lookUpNow(_ records: [Record], in source: TopicPartition, _ partition: RestoredPartition<State>) throws
        -> Found?
    {
        nil
    }
    func due(in state: State) -> Timestamp? { nil }
}

/// What is known of the partitions of one number.
protocol PartitionState: SendableMetatype {
    /// The states by key, for a checkpoint to keep; nil where nothing is remembered.
    var states: (any StateCache)? { get }
    /// The commands that have been answered, where ids are remembered.
    var remembered: Remembered? { get }
}

/// A state, and the checkpoint that it was restored from; nil where there are no checkpoints.
struct RestoredPartition<State> {
    let state: State
    let checkpoint: PartitionCheckpoint?
}

/// What is known while the records of a batch are handled.
struct BatchInHand<Step: PartitionStep> {
    let source: TopicPartition
    let state: Step.State
    let found: Step.Found
}

/// What came of records and is not committed yet.
protocol StepOutput {
    init()
    /// Whether it is so much that it is committed before more is handled.
    var isLarge: Bool { get }
    /// Why the record that was handled last was refused; nil where it was not.
    var refusal: String? { get }
    var appends: [Append] { get }
    /// Records that tell where the first went.
    var replies: @Sendable (_ offsets: [[Offset]]) -> [Append] { get }
}
