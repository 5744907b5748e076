internal import EventLog
internal import EventModel
internal import Foundation
internal import Synchronization

/// How a view is folded whose end is far ahead: more records in a commit than near the end, for the rows of many records share
/// the pages that they lie on, and a page is written once a commit.
///
/// With keys that come in no order, nearly every row is on a page of its own: a view of as many pages as a commit has rows is
/// written whole by each.
public enum CatchUp {
    /// Records in one commit at most.
    public static let records = 10 * Projector.batch
    /// Bytes of keys and values in one commit beyond ``Projector/batch`` records, about. In memory, with the rows that they make,
    /// they are five times as many.
    public static let bytes = 64 << 20
    /// Bytes of all workers of a process together, of those that are more than a batch: with what they make of them in memory, at
    /// most a twelfth of the machine's.
    static let ofAll = MemoryBudget(min(4 * bytes, Int(ProcessInfo.processInfo.physicalMemory / 64)))
    /// How long a commit may take before the next has fewer records: whoever is told to stop finishes what is in hand.
    static let patience = Duration.seconds(5)
}

/// How many records the next commit may have.
///
/// It is a value: the worker tells it what each commit had, and asks it how many come next.
struct CatchUpPace: Sendable {
    /// Records in the next commit at most.
    private(set) var size = Projector.batch
    /// Commits in a row that had as many as they might near the end.
    private var full = 0
    /// Bytes of a record, of the commit in which they were most: those to come may be as large.
    private(set) var largest = 1

    /// Commits that are full in a row before a worker is far behind: near the end one may be by chance.
    private static let enough = 3

    /// Whether the end is far ahead.
    var isBehind: Bool { full >= Self.enough }

    /// A commit is done.
    ///
    /// - Parameters:
    ///   - records: How many it had; `bytes` of keys and values.
    ///   - time: How long it took.
    mutating func committed(records: Int, bytes: Int, in time: Duration) {
        if records < Projector.batch {
            self = CatchUpPace()
            return
        }
        full += 1
        largest = max(largest, bytes / max(1, records))
        if !isBehind { return }
        // One that had fewer than it might, for the log gave no more at once, says nothing of more; but it may have been slow, or large.
        var next = min(records < size ? size : size * 2, CatchUp.records, CatchUp.bytes / largest)
        if time > CatchUp.patience { next = min(next, Int(Double(records) * (CatchUp.patience / time))) }
        size = max(Projector.batch, next)
    }

    /// No more than so many, whatever else would be right.
    mutating func limit(to most: Int) { size = max(Projector.batch, min(size, most)) }
}

/// What a worker that is far behind has taken, of its process and of its store.
struct Behind: Sendable {
    private(set) var pace = CatchUpPace()
    /// What it has of ``CatchUp/ofAll``.
    private var share: MemoryBudget.Share?
    /// Whether the store has been told.
    private var isTold = false
    private var hasHandled = false

    /// Batches are committed; none where something was out of the ordinary.
    mutating func handled(
        _ batches: [Batch], since start: ContinuousClock.Instant, _ projection: AnyProjection, _ views: any ViewStore
    ) async {
        hasHandled = true
        let records = batches.reduce(0) { $0 + $1.records.count }
        pace.committed(records: records, bytes: batches.reduce(0) { $0 + $1.bytes }, in: .now - start)
        if !pace.isBehind { return await letGo(projection, views) }
        if share == nil { share = CatchUp.ofAll.take(atMost: min(CatchUp.bytes, pace.largest * CatchUp.records)) }
        pace.limit(to: (share?.bytes ?? 0) / pace.largest)
        if isTold { return }
        isTold = true
        // Without the store's help it folds as well, and slower.
        try? await views.catchUp(projection, true, tidies: false)
    }

    /// Whether nothing was handled since this was last asked.
    mutating func isIdle() -> Bool {
        defer { hasHandled = false }
        return !hasHandled
    }

    /// There is not much more to fold, or another folds it.
    ///
    /// - Parameter tidies: Whether there is time to tidy up. Whoever stops, or gives a partition away, leaves that to what comes next.
    mutating func end(_ projection: AnyProjection, _ views: any ViewStore, tidies: Bool = true) async {
        pace = CatchUpPace()
        await letGo(projection, views, tidies: tidies)
    }

    private mutating func letGo(_ projection: AnyProjection, _ views: any ViewStore, tidies: Bool = true) async {
        share = nil
        if !isTold { return }
        isTold = false
        try? await views.catchUp(projection, false, tidies: tidies)
    }
}

extension Batch {
    /// Of keys and values.
    fileprivate var bytes: Int { records.reduce(0) { $0 + $1.key.count + $1.value.count } }
}

/// Batches of a partition that are read to its end, until there are as many as one commit may have.
struct HeldBatches {
    private(set) var behind = Behind()
    private var batches: [Batch] = []
    private var (count, bytes) = (0, 0)
    /// Batches at most: those without a record that counts are many where records of few times are wanted.
    private static let most = 64
    /// Whether each batch is committed by itself.
    private let isPaced: Bool

    init(isPaced: Bool) { self.isPaced = isPaced }

    /// - Returns: what is to be committed now, if it is time.
    mutating func add(_ batch: Batch) -> [Batch]? {
        batches.append(batch)
        count += batch.records.count
        bytes += batch.bytes
        let isEnough = count >= behind.pace.size || bytes >= CatchUp.bytes || batches.count >= Self.most
        return isPaced || isEnough ? take() : nil
    }

    /// What is left at the end.
    mutating func take() -> [Batch]? {
        defer { (batches, count, bytes) = ([], 0, 0) }
        return batches.isEmpty ? nil : batches
    }

    mutating func committed(
        _ batches: [Batch], since start: ContinuousClock.Instant, _ projection: AnyProjection, _ views: any ViewStore
    ) async {
        if !isPaced { await behind.handled(batches, since: start, projection, views) }
    }

    mutating func end(_ projection: AnyProjection, _ views: any ViewStore) async {
        await behind.end(projection, views)
    }
}

/// Memory that several share. What one has taken it gives back when it lets go of its share.
package final class MemoryBudget: Sendable {
    private let left: Mutex<Int>

    package init(_ bytes: Int) { left = Mutex(max(0, bytes)) }

    /// - Returns: a share of at most so many bytes, of what is left; nil where that is less than `least`.
    package func take(atMost most: Int, least: Int = 1) -> Share? {
        let taken = left.withLock { left in
            let taken = min(most, left)
            if taken < least { return 0 }
            left -= taken
            return taken
        }
        return taken > 0 ? Share(of: self, taken) : nil
    }

    /// Bytes that nobody has.
    package var free: Int { left.withLock { $0 } }

    /// Taken from a budget until it is let go.
    package final class Share: Sendable {
        package let bytes: Int
        private let budget: MemoryBudget

        fileprivate init(of budget: MemoryBudget, _ bytes: Int) { (self.budget, self.bytes) = (budget, bytes) }

        deinit { budget.left.withLock { $0 += bytes } }
    }
}
