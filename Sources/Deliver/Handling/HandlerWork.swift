internal import EventLog
internal import EventModel
internal import Logging
internal import Quarantining

/// A handler's work: one set of aggregates for each partition it owns.
struct HandlerWork: GroupWork {
    struct PartitionState {
        var aggregates: any Aggregates
        var remembered = Remembered()
        /// Nil where there are no checkpoints.
        var keeper: PartitionCheckpoint?
    }
    /// A command's answer on its way: its outcome, and which of the events appended for its partition are its own.
    private struct Answer: Sendable {
        var key: Bytes
        var time: Timestamp
        var outcome: Outcome
        var events: Range<Int>
        var types: [String]
        var repeated = false

        /// The outcome's record, once it is known where the events went.
        func record(events place: TopicPartition, _ offsets: [Offset]) -> NewRecord {
            var outcome = outcome
            if !events.isEmpty {
                outcome.events = zip(events, types).map { Outcome.Written(place: place, offset: offsets[$0], type: $1) }
            }
            return outcome.record(key: key, at: time)
        }
    }

    let domain: Domain
    let decider: AnyDecider
    let log: any EventLog
    let clock: @Sendable () -> Timestamp
    let logger: Logger
    var checkpoints: (any CheckpointStore)?
    var checkpointing = Checkpointing()
    var quarantine: QuarantineLog?
    /// What the log says of how many partitions topics had; nil compares nothing.
    var book: TopicBook?
    var pace: CrashBackoff
    /// Among how many partitions the domain's keys are spread.
    private(set) var spread = 1
    var known: [Partition: PartitionState] = [:]
    /// The events and commands of its partitions that wait.
    var lot: ParkedRecords
    var requests: RedriveRequests
    /// Whether the states in memory equal what is committed. Only then may they go to a checkpoint.
    var isCommitted = true

    init(
        domain: Domain, decider: AnyDecider, log: any EventLog, clock: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        (self.domain, self.decider, self.log, self.clock, self.logger) = (domain, decider, log, clock, logger)
        pace = CrashBackoff(of: Handler.group(of: domain), batch: Handler.batch, store: nil)
        lot = ParkedRecords(worker: Handler.group(of: domain), logger: logger)
        requests = RedriveRequests(of: Handler.group(of: domain))
    }

    func commands(_ partition: Partition) -> TopicPartition { TopicPartition(domain.commandsTopic, partition) }
    func events(_ partition: Partition) -> TopicPartition { TopicPartition(domain.eventsTopic, partition) }
    func home(_ partition: Partition) -> KeyedPartition { KeyedPartition(commands(partition), among: spread) }

    /// Ids from before that are past their retention.
    var cutoff: Timestamp? {
        domain.topics.first { $0.name == domain.outcomesTopic }?.retention.map { clock() - $0 }
    }

    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        isCommitted = true
        spread = try await log.spread(of: domain, lot.worker, self.book)
        let book = try await quarantine?.read()
        requests.begin()
        try await take(all: partitions.map(\.partition), book)
        let (committed, bounds) = (
            try await log.committed(lot.worker, partitions), try await log.bounds(of: partitions)
        )
        try await missing.begin(committed, bounds)
        let starts = partitions.map { ($0, committed[$0] ?? bounds[$0]?.lowerBound ?? 0) }
        try await pace.begin(Dictionary(uniqueKeysWithValues: starts), ends: bounds.mapValues(\.upperBound))
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) })
    }

    mutating func dropped(_ partitions: [TopicPartition]) async {
        for partition in partitions {
            if let keeper = known[partition.partition]?.keeper {
                // After a failed transaction the states in memory are ahead of the log.
                if isCommitted { await keeper.finish(cutoff: cutoff) } else { await keeper.settle(waiting: true) }
            }
            known[partition.partition] = nil
        }
        lot.stop(partitions + partitions.map { events($0.partition) })
        await pace.stop(partitions)
    }

    mutating func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        try await missing.check(batches, after: pace.next)
        var pace = pace
        try await pace.through(batches) { piece, failing in try await commit(piece, failing, as: member) }
        self.pace = pace
    }

    /// Decides commands and commits what comes of them, with what the quarantine is to be told.
    ///
    /// - Parameters:
    ///   - failing: Commands that are not to be tried, and why.
    ///   - entries: What is said of records that were let go with these.
    mutating func commit(
        _ batches: [Batch], _ failing: [TopicPartition: [Offset: String]], _ entries: [QuarantineEntry] = [],
        as member: any GroupMember
    ) async throws {
        var appends: [Append] = []
        var entries = entries
        var answers: [(Partition, [Answer])] = []
        var consumed: [TopicPartition: Offset] = [:]
        isCommitted = false
        for batch in batches {
            let (events, answered) = try await decide(batch, failing[batch.source] ?? [:], &entries)
            appends.append(Append(TopicPartition(domain.eventsTopic, batch.source.partition), events))
            answers.append((batch.source.partition, answered))
            consumed[batch.source] = batch.next
        }
        let (outcomes, events, answered) = (domain.outcomesTopic, domain.eventsTopic, answers)
        let saying = entries.isEmpty ? [] : quarantine.map { [$0.appending(entries)] } ?? []
        let transaction = Transaction(appends: appends + saying, consumed: consumed) { offsets in
            zip(answered, offsets).map { answers, offsets in
                let records = answers.1.map { $0.record(events: TopicPartition(events, answers.0), offsets) }
                return Append(TopicPartition(outcomes, answers.0), records)
            }
        }
        let offsets = try await member.transact(transaction)
        let outcomeOffsets = offsets.dropFirst(appends.count + saying.count)
        remember(answers, Array(outcomeOffsets))
        for (append, (written, answered)) in zip(appends, zip(offsets, zip(answers, outcomeOffsets))) {
            advance(append, written, answered.0.1, answered.1)
        }
        if !saying.isEmpty, let last = offsets[appends.count].last {
            for partition in consumed.keys {
                known[partition.partition]?.keeper?.heed(to: last + 1, records: entries.count)
            }
        }
        isCommitted = true
        for partition in consumed.keys { await known[partition.partition]?.keeper?.turn(cutoff: cutoff) }
    }

    /// Tells the checkpoint what has been committed.
    private func advance(_ events: Append, _ written: [Offset], _ answers: [Answer], _ outcomes: [Offset]) {
        guard let keeper = known[events.target.partition]?.keeper else { return }
        if let last = written.last, let event = events.records.last {
            keeper.advance(
                events.target, to: last + 1, last: LogFingerprint(last: last, key: event.key, value: event.value),
                records: written.count)
        }
        if let last = outcomes.last, let answer = answers.last {
            let record = answer.record(events: events.target, written)
            keeper.advance(
                TopicPartition(domain.outcomesTopic, events.target.partition), to: last + 1,
                last: LogFingerprint(last: last, key: record.key, value: record.value), records: outcomes.count)
        }
    }

    /// Decides one partition's commands; gives the events to append and the answers.
    private mutating func decide(
        _ batch: Batch, _ failing: [Offset: String], _ entries: inout [QuarantineEntry]
    ) async throws -> ([NewRecord], [Answer]) {
        let partition = batch.source.partition
        let folded = events(partition)
        guard let known = known[partition] else {
            throw LogError(.fenced, "\(batch.source) was delivered but is not assigned")
        }
        let ids = batch.records.map { KeyedID($0.key, $0.commandID(in: batch.source)) }
        let kept = try await recalled(known.keeper?.load(batch.records.map(\.key), ids: ids), partition)
        let (cutoff, home) = (cutoff, home(partition))
        var events: [NewRecord] = []
        var answers: [Answer] = []
        var inHand: [KeyedID: Int] = [:]
        for (record, id) in zip(batch.records, ids) {
            let entry =
                known.remembered[id]
                ?? kept[id].flatMap { entry in cutoff.map { entry.time >= $0 } ?? true ? entry : nil }
            let digest = digest(of: record.value, isFact: record.isFact)
            let at = record.decisionTime
            let answered = inHand[id].map { answers[$0] }
            // Most ids are new. Looking one up copies this whole value.
            if entry != nil || answered != nil,
                let answer = try await repeated(id, digest, record, entry, answered, partition)
            {
                answers.append(answer)
                continue
            }
            let why = failing[record.offset] ?? unanswerable(record, in: home)
            // A command that is refused whatever the state need not wait behind others of its key.
            if why != nil
                || (lot.holds(record, of: batch.source) || lot.stops(record.key, of: folded))
                    && home.other(for: record.key) == nil
            {
                entries.append(try lot.park(record, in: batch.source, why))
                continue
            }
            let decision = known.aggregates.answer(record, id: id.id, in: home)
            let first = events.count
            var types: [String] = []
            if case .accepted(let decided) = decision {
                for event in decided {
                    types.append(event.type)
                    events.append(
                        NewRecord(
                            key: event.key, value: event.value, timestamp: at,
                            headers: [
                                Header(HeaderName.cause, Bytes(id.id)), Header(HeaderName.type, Bytes(event.type)),
                            ]))
                }
            }
            inHand[id] = answers.count
            answers.append(
                Answer(
                    key: record.key, time: record.timestamp,
                    outcome: Outcome(
                        id: id.id, decision: decision, digest: digest, commandOffset: record.offset,
                        rules: decider.rules),
                    events: first..<events.count, types: types))
        }
        return (events, answers)
    }

    /// The answer to a command whose key and id were answered before: the same, or a refusal where its body is another.
    private func repeated(
        _ id: KeyedID, _ digest: UInt64, _ record: Record, _ entry: Remembered.Entry?, _ inHand: Answer?,
        _ partition: Partition
    ) async throws -> Answer? {
        var answer: Answer
        if let inHand {
            // Its events' places are told by the same offsets.
            answer = inHand
        } else if let entry {
            let source = TopicPartition(domain.outcomesTopic, partition)
            // What the log has dropped already is past its retention.
            guard let stored = try await log.record(at: entry.outcome, in: source) else { return nil }
            let outcome = try Outcome(stored.value)
            if KeyedID(stored.key, outcome.id) != id {
                throw LogError(
                    .damaged,
                    """
                    the checkpoint of \(lot.worker) has the outcome of \(id.id) at \(source)@\(entry.outcome), which is another \
                    command's: it is damaged. Delete it, and it will be folded again
                    """)
            }
            answer = Answer(key: record.key, time: record.timestamp, outcome: outcome, events: 0..<0, types: [])
        } else {
            return nil
        }
        answer.repeated = true
        if answer.outcome.digest != digest {
            let message =
                "the id \(id.id) was used before for another command of \(id.key.text); give this one an id of its own"
            let no = Refused(reason: Refused.idReused, message: message)
            answer.outcome = Outcome(
                id: id.id, decision: .refused(no), digest: digest, commandOffset: answer.outcome.commandOffset,
                rules: answer.outcome.rules)
            (answer.events, answer.types) = (0..<0, [])
        }
        return answer
    }

    private mutating func remember(_ answers: [(Partition, [Answer])], _ offsets: [[Offset]]) {
        for ((partition, answered), offsets) in zip(answers, offsets) {
            for (answer, offset) in zip(answered, offsets) where !answer.repeated {
                let entry = Remembered.Entry(digest: answer.outcome.digest, outcome: offset, time: answer.time)
                known[partition]?.remembered.add(KeyedID(answer.key, answer.outcome.id), entry)
            }
            // A checkpoint forgets by itself.
            if let cutoff, known[partition]?.keeper == nil { known[partition]?.remembered.forget(before: cutoff) }
        }
    }

    /// How often it looks at the clock, which may be set while it waits for a timer.
    private static let glance = Duration.seconds(1)

    mutating func tick(_ member: any GroupMember) async throws -> Duration {
        try await release(as: member)
        let now = clock()
        var appends: [Append] = []
        for (partition, known) in known {
            await known.keeper?.turn(cutoff: cutoff)
            try await known.keeper?.readTimers(by: now)
            // What an earlier version let into a wrong partition has no timers: they would be refused there.
            let home = home(partition)
            let keys = known.aggregates.pop(by: now).filter { home.other(for: $0) == nil }
            if keys.isEmpty { continue }
            _ = try await known.keeper?.load(keys)
            let records = known.aggregates.due(keys, by: now).map { $0.record(now: now) }
            if records.isEmpty { continue }
            appends.append(Append(TopicPartition(domain.commandsTopic, partition), records))
        }
        if !appends.isEmpty { _ = try await log.append(appends) }
        let next = known.values.flatMap { [$0.aggregates.nextDue, $0.keeper?.nextReading] }.compactMap(\.self).min()
        let patience = min(quarantine?.patience ?? GroupLoop.heed, Self.glance)
        return next.map { min(.milliseconds(max(0, $0.milliseconds(since: clock()))), patience) } ?? patience
    }
}
