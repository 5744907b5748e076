internal import CoreMetrics
internal import EventLog
internal import EventModel
internal import Metering
internal import Quarantining
internal import RecordTracing

extension PartitionWorker {
    /// How long a worker has its records delivered after a crash, or after a commit that failed. A record that is handled within the commit
    /// that brings it goes with it where it ends the process; one that is on the log is counted, and parked.
    static var caution: Duration { .seconds(10) }

    mutating func restInline() { inlineRest = .now + Self.caution }

    mutating func next(of member: any GroupMember, max: Int, wait: Duration) async throws -> Delivery {
        if let rest = inlineRest, rest <= .now { inlineRest = nil }
        guard Step.worksInline, inlineRest == nil, parked.isEmpty, !partitions.isEmpty else {
            return try await member.next(max: max, wait: wait)
        }
        let inline = InlineHandling(self)
        // It alone has the states, so that what it changes of them is not copied.
        partitions = [:]
        let delivery: Result<Delivery, any Error>
        do {
            delivery = .success(try await member.next(max: max, wait: wait, inline: inline))
        } catch {
            delivery = .failure(error)
        }
        self = inline.worker
        if let failure = inline.failure {
            restInline()
            throw failure
        }
        return try delivery.get()
    }

    /// What is looked up for batches that may be handled at once; nil where they are to be delivered.
    fileprivate func lookUpNow(_ batches: [Batch]) throws -> [BatchInHand<Step>]? {
        var hands: [BatchInHand<Step>] = []
        for batch in batches {
            let source = batch.source
            guard let partition = partitions[source.partition], backoff.next[source] == batch.records.first?.offset,
                !backoff.needsCare(batch), let found = try step.lookUpNow(batch.records, in: source, partition)
            else { return nil }
            hands.append(BatchInHand(source: source, state: partition.state, found: found))
        }
        return hands
    }

    /// The next moment at which something of its partitions is due.
    fileprivate var due: Timestamp? { partitions.values.compactMap { step.due(in: $0.state) }.min() }
}

/// A worker that is lent to its log while its task waits.
///
/// It is Sendable unchecked: the log calls it only while the worker's task waits, one call after another, and lets go of it before the
/// task goes on.
private final class InlineHandling<Step: PartitionStep>: InlineWork, @unchecked Sendable {
    private(set) var worker: PartitionWorker<Step>
    /// Why the states in memory are not those that are committed.
    private(set) var failure: LogError?
    /// When its task looks of itself.
    private let due: Timestamp?
    private var batches: [Batch] = []
    private var pending = Pending<Step.Output>()
    private var began: ContinuousClock.Instant?

    init(_ worker: PartitionWorker<Step>) { (self.worker, due) = (worker, worker.due) }

    func handle(_ batches: [Batch]) -> Transaction? {
        // Where looking up fails, the same when they are delivered tells why.
        guard failure == nil, let hands = try? worker.lookUpNow(batches) else { return nil }
        began = worker.metrics == nil ? nil : .now
        pending = Pending(spans: RecordSpans(of: worker.step.worker))
        worker.isCommitted = false
        do {
            for (batch, hand) in zip(batches, hands) {
                var done = 0
                while done < batch.records.count {
                    done = try worker.handle(batch, from: done, in: hand, [:], &pending)
                }
                pending.consumed[batch.source] = batch.next
            }
        } catch {
            failed(LogError(.aborted, "\(error)"))
            return nil
        }
        self.batches = batches
        return worker.transaction(of: pending)
    }

    func committed(_ offsets: [[Offset]]) -> Bool {
        if let metrics = worker.metrics, let began { metrics.batch.record(since: began) }
        worker.committed(&pending, at: offsets)
        worker.passed(batches)
        for batch in batches { worker.backoff.passed(batch) }
        return isWanted
    }

    /// Whether a timer is due sooner than its task knew, or a checkpoint is to be written.
    private var isWanted: Bool {
        if !worker.parked.isEmpty { return true }
        return batches.contains { batch in
            guard let partition = worker.partitions[batch.source.partition] else { return true }
            if let next = worker.step.due(in: partition.state), due.map({ next < $0 }) ?? true { return true }
            return worker.maySave && partition.checkpoint?.wantsCare ?? false
        }
    }

    /// The worker gives up what it knows and joins anew, as after a transaction that was not committed.
    func failed(_ error: LogError) {
        pending.spans?.end(failing: error)
        failure = LogError(.aborted, "commands were not committed with what came of them: \(error)")
    }
}
