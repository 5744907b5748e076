public import EventModel

/// Where workers keep what they know, so that their next start need not fold it again.
///
/// **Atomicity.** Rows and offsets are one transaction. **Fencing.** What one owner was given can neither be written nor read
/// once another has claimed it and written: both throw ``LogError/Kind/fenced``. **Loss.** Nothing in it is a truth: without
/// it, everything is folded from the log. **Threads.** Anything may be called from any task; `body` runs on a thread of the
/// store's own and may block. **Closing.** Who opened a store closes it.
public protocol CheckpointStore: Sendable {
    /// Takes the rows that a worker keeps of some partitions; makes the tables where they are missing. Each version has its own.
    ///
    /// - Throws: ``LogError/Kind/busy`` where another process does not let go of the store. What was folded is on the log all the same.
    func claim(_ tables: WorkerTables, _ partitions: [TopicPartition]) async throws -> any Checkpoint
}

/// One owner's rows of some partitions.
public protocol Checkpoint: Sendable {
    /// What had been folded into the rows of each partition when they were claimed; those without any are left out.
    var next: [TopicPartition: Offset] { get }
    func read<R: Sendable>(_ body: @escaping @Sendable (any ViewReader) throws -> R) async throws -> R
    /// The same on the caller's thread, without waiting for anything but perhaps a disk. `body` may be called again.
    ///
    /// - Returns: nil where the store cannot do so now.
    func readNow<R>(_ body: (any ViewReader) throws -> R) throws -> R?
    /// Writes rows, and what has been folded into them now. One write at a time.
    func write(
        to offsets: [TopicPartition: Offset], _ body: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws
}

extension Checkpoint {
    public func readNow<R>(_ body: (any ViewReader) throws -> R) throws -> R? { nil }
}
