internal import CoreMetrics
internal import EventLog
internal import EventModel
internal import Metering
internal import Quarantining
internal import RecordTracing

extension PartitionWorker {
    mutating func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        try await missing.check(batches, after: backoff.next)
        let start = metrics == nil ? nil : ContinuousClock.now
        var backoff = backoff
        try await backoff.through(batches) { piece, failing in try await handle(piece, failing, as: member) }
        self.backoff = backoff
        if let metrics, let start { metrics.batch.record(since: start) }
    }

    /// - Parameter failing: Records that are not to be tried, and why.
    private mutating func handle(
        _ batches: [Batch], _ failing: [TopicPartition: [Offset: String]], as member: any GroupMember
    ) async throws {
        var pending = Pending<Step.Output>(spans: RecordSpans(of: step.worker))
        isCommitted = false
        try await loadStates(for: batches)
        for batch in batches { try await handle(batch, failing[batch.source] ?? [:], &pending, as: member) }
        try await commit(&pending, as: member)
        passed(batches)
        await saveOne()
    }

    private mutating func handle(
        _ batch: Batch, _ failing: [Offset: String], _ pending: inout Pending<Step.Output>, as member: any GroupMember
    ) async throws {
        let hand = try await lookUp(batch.records, in: batch.source)
        var done = 0
        while done < batch.records.count {
            done = try handle(batch, from: done, in: hand, failing, &pending)
            if !pending.output.isLarge { continue }
            pending.consumed[batch.source] = batch.records[done - 1].offset + 1
            try await commit(&pending, as: member)
        }
        pending.consumed[batch.source] = batch.next
    }

    /// Goes through records of a batch until so much has come of them that it is to be committed.
    ///
    /// - Returns: which record is the next.
    mutating func handle(
        _ batch: Batch, from first: Int, in hand: BatchInHand<Step>, _ failing: [Offset: String],
        _ pending: inout Pending<Step.Output>
    ) throws -> Int {
        // A copy for the batch, so that no call for a record makes one.
        let (step, source) = (step, batch.source)
        var next = first
        while next < batch.records.count, next == first || !pending.output.isLarge {
            let (number, original) = (next, batch.records[next])
            (next, pending.records) = (next + 1, pending.records + 1)
            let record = pending.begin(original, in: source)
            if step.repeats(record, number, in: hand, into: &pending.output) { continue }
            var why = failing[record.offset]
            if why == nil, parked.isEmpty || !waits(record, in: source) {
                why = try step.handle(record, number, in: hand, into: &pending.output)
                if why == nil {
                    pending.tellRefusal(of: record)
                    continue
                }
            }
            try checkParking(record, in: source, why)
            // As it came: it is read from the log again when it is redriven.
            pending.entries.append(try parked.park(original, in: source, why))
            pending.parked += 1
        }
        return next
    }

    /// All that came of these batches is committed.
    mutating func passed(_ batches: [Batch]) {
        for batch in batches {
            guard let checkpoint = partitions[batch.source.partition]?.checkpoint else { continue }
            // A handler's state is folded from what it writes, a reactor's from what it reads.
            if checkpoint.sources.contains(batch.source) { checkpoint.advance(past: batch) }
        }
        isCommitted = true
    }

    /// One read for all partitions of a delivery: each costs the worker two changes of threads, or a way to the database's server.
    private func loadStates(for batches: [Batch]) async throws {
        if batches.count < 2 { return }
        let keys = Dictionary(grouping: batches, by: \.source.partition).sorted { $0.key < $1.key }
            .compactMap { number, batches in
                partitions[number]?.checkpoint.map { ($0, batches.flatMap { $0.records.map(\.key) }) }
            }
        try await PartitionCheckpoint.load(keys)
    }

    func lookUp(_ records: [Record], in source: TopicPartition) async throws -> BatchInHand<Step> {
        let partition = try restored(source)
        let found = try await step.lookUp(records, in: source, partition)
        return BatchInHand(source: source, state: partition.state, found: found)
    }

    func restored(_ source: TopicPartition) throws -> Restored {
        if let partition = partitions[source.partition] { return partition }
        throw LogError(.fenced, "\(source) was delivered but is not assigned")
    }

    private func waits(_ record: Record, in source: TopicPartition) -> Bool {
        if !step.mayWait(record, in: source) { return false }
        return step.line(of: source).contains { other in
            other == source ? parked.mustWait(record, in: other) : parked.isWaiting(record.key, in: other)
        }
    }

    /// Without a quarantine there is nowhere to park a record.
    private func checkParking(_ record: Record, in source: TopicPartition, _ why: String?) throws {
        guard quarantine == nil, let why else { return }
        throw LogError(.damaged, "\(source)@\(record.offset) cannot be \(step.handling): \(why)")
    }

    /// Commits what is pending in one transaction.
    mutating func commit(_ pending: inout Pending<Step.Output>, as member: any GroupMember) async throws {
        if pending.consumed.isEmpty { return }
        let start = metrics == nil ? nil : ContinuousClock.now
        let offsets: [[Offset]]
        do {
            offsets = try await member.transact(transaction(of: pending))
        } catch {
            pending.spans?.end(failing: error)
            throw error
        }
        if let metrics, let start { metrics.commit.record(since: start) }
        committed(&pending, at: offsets)
    }

    /// What the quarantine is told comes behind what came of the records.
    func transaction(of pending: Pending<Step.Output>) -> Transaction {
        let told = pending.entries.isEmpty ? nil : quarantine?.appending(pending.entries)
        return Transaction(
            appends: pending.output.appends + (told.map { [$0] } ?? []), consumed: pending.consumed,
            replies: pending.output.replies)
    }

    /// Takes note of what is committed.
    mutating func committed(_ pending: inout Pending<Step.Output>, at offsets: [[Offset]]) {
        let appends = pending.output.appends
        let told = pending.entries.isEmpty || quarantine == nil ? 0 : 1
        if let metrics {
            metrics.records.increment(by: pending.records)
            metrics.written.increment(by: appends.reduce(0) { $0 + $1.records.count })
            if pending.parked > 0 { metrics.parked.increment(by: pending.parked) }
        }
        step.committed(
            pending.output, written: offsets.prefix(appends.count), replied: offsets.dropFirst(appends.count + told),
            partitions)
        if told > 0, let last = offsets[appends.count].last {
            for number in Set(pending.consumed.keys.map(\.partition)) {
                partitions[number]?.checkpoint?.noteRedriven(to: last + 1, records: pending.entries.count)
            }
        }
        pending.spans?.end()
        pending = Pending(spans: pending.spans)
    }
}

/// What is to be committed next.
struct Pending<Output: StepOutput> {
    var output = Output()
    /// What the quarantine is told.
    var entries: [QuarantineEntry] = []
    var consumed: [TopicPartition: Offset] = [:]
    /// How many records have been gone through, and how many of them wait now.
    var records = 0
    var parked = 0
    /// Nil where nobody traces.
    var spans: RecordSpans?

    init(spans: RecordSpans? = nil) { self.spans = spans }

    /// The record as it is to be handled.
    fileprivate mutating func begin(_ record: Record, in source: TopicPartition) -> Record {
        spans?.begin(record, in: source) ?? record
    }

    fileprivate func tellRefusal(of record: Record) {
        guard let spans, record.trace != nil, let reason = output.refusal else { return }
        spans.tell(refused: reason)
    }
}
