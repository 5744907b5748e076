public import EventModel

/// Work that a log may have done within the commit that brings its records, instead of delivering them: what comes of them is
/// then committed together with them.
///
/// The log calls it on a thread of its own, only while ``GroupMember/next(max:wait:inline:)`` waits, and one call after another.
/// Where `handle` gave a transaction, `committed` or `failed` is the next call.
public protocol InlineWork: AnyObject, Sendable {
    /// Handles records that are about to be committed, each batch of another partition. It waits for nothing but perhaps a disk.
    ///
    /// - Returns: what is to be committed with them; nil where it does not take them now, so that they are delivered.
    func handle(_ batches: [Batch]) -> Transaction?
    /// What it gave is committed.
    ///
    /// - Parameter offsets: Of the records of its appends, then of those of its replies.
    /// - Returns: whether the member's own task is wanted: `next` then returns.
    func committed(_ offsets: [[Offset]]) -> Bool
    /// What it gave is not committed, nor are the records. `next` returns.
    func failed(_ error: LogError)
}

extension GroupMember {
    public func next(max: Int, wait: Duration, inline work: any InlineWork) async throws -> Delivery {
        try await next(max: max, wait: wait)
    }
}
