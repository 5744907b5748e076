/// When a worker writes checkpoints, and how much it holds in memory beside them.
public struct Checkpointing: Sendable {
    /// Records of a partition that are folded or written before the next checkpoint begins.
    public var records = 20_000
    /// The time after which fewer records make one necessary too.
    public var pause = Duration.seconds(1)
    /// No checkpoint begins within so many times what the last one took, so that no more than that share of the time goes
    /// into them, however large the states.
    public var rest = 40
    /// The pause after a checkpoint that failed.
    public var retry = Duration.seconds(10)
    /// States of a partition in memory; those that the checkpoint has are let go above it.
    public var held = 50_000
    /// How long a worker that stops, or lets partitions go, writes their last checkpoints, all of them together. What takes longer is
    /// left: the next owner folds from the checkpoint before.
    public var parting = Duration.seconds(5)
    /// How far ahead timers are read from the checkpoint, and how many at a time.
    public var lookahead = Duration.seconds(60)
    public var timers = 1000
    /// Ids that a checkpoint is asked for one by one before all that it has are read, to know which it has not.
    public var asked = 1000
    /// Ids past their retention that one checkpoint deletes.
    public var forgotten = 50_000

    public init() {}
}
