internal import EventLog
internal import EventModel
internal import Logging
internal import Quarantining

/// A reactor's work: what it remembers of each partition it owns.
struct ReactorWork: GroupWork {
    let reaction: AnyReaction
    let log: any EventLog
    let logger: Logger
    var checkpoints: (any CheckpointStore)?
    var checkpointing = Checkpointing()
    var quarantine: QuarantineLog?
    /// What the log says of how many partitions topics had; nil compares nothing.
    var book: TopicBook?
    var pace: CrashBackoff
    private var lot: ParkedRecords
    private var requests: RedriveRequests
    private var counts: [String: Int] = [:]
    /// Topics that have another count than they had: nothing can be written to them by key.
    private var changed: [String: LogError] = [:]
    /// What is known of the partitions of each number.
    private var memories: [Partition: any ReactionMemory] = [:]
    private var keepers: [Partition: PartitionCheckpoint] = [:]
    /// Whether the states in memory equal what is committed. Only then may they go to a checkpoint.
    private var isCommitted = true

    init(reaction: AnyReaction, log: any EventLog, logger: Logger) {
        self.reaction = reaction
        self.log = log
        self.logger = logger
        pace = CrashBackoff(of: reaction.name, batch: Reactor.batch, store: nil)
        lot = ParkedRecords(worker: reaction.name, logger: logger)
        requests = RedriveRequests(of: reaction.name)
    }

    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        try await count()
        isCommitted = true
        let book = try await quarantine?.read()
        lot.begin(partitions, book)
        requests.begin()
        let (committed, bounds) = (
            try await log.committed(reaction.name, partitions), try await log.bounds(of: partitions)
        )
        for (number, sources) in Dictionary(grouping: partitions, by: \.partition) {
            let memory = reaction.memory()
            memories[number] = memory
            if reaction.remembers { try await take(number, sources.sorted(), memory, committed, bounds, book) }
        }
        try await missing.begin(committed, bounds)
        let starts = partitions.map { ($0, committed[$0] ?? bounds[$0]?.lowerBound ?? 0) }
        try await pace.begin(Dictionary(uniqueKeysWithValues: starts), ends: bounds.mapValues(\.upperBound))
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) })
    }

    /// Learns how many partitions topics have, and compares those that it reads with what they had.
    private mutating func count() async throws {
        counts = try await log.partitionCounts()
        changed = [:]
        guard let book else { return }
        try await book.check(reaction.topics, among: counts, for: reaction.name)
        for (topic, had) in try await book.counts() {
            if let has = counts[topic], has != had {
                changed[topic] = TopicBook.changed(topic, had: had, has: has, reaction.name)
                counts[topic] = nil
            }
        }
    }

    /// Folds what the group has reacted to before and a checkpoint does not have.
    private mutating func take(
        _ number: Partition, _ sources: [TopicPartition], _ memory: any ReactionMemory,
        _ committed: [TopicPartition: Offset], _ bounds: [TopicPartition: Range<Offset>], _ book: QuarantineState?
    ) async throws {
        let began = ContinuousClock.now
        var keeper: PartitionCheckpoint?
        if let checkpoints, let states = memory.states {
            let rows = CheckpointRows(
                reaction.name, version: reaction.stateVersion, topics: reaction.topics, remembersIDs: false)
            keeper = try await PartitionCheckpoint.claim(
                checkpoints, rows, sources, states: states, log: log,
                ends: committed.filter { sources.contains($0.key) },
                limits: checkpointing,
                logger: logger)
            keepers[number] = keeper
        }
        var folded = 0
        if let keeper, let book {
            for source in sources { folded += try await foldReleased(source, book, keeper, into: memory) }
            keeper.heed(to: book.next)
        }
        for source in sources {
            guard let end = committed[source], let first = bounds[source]?.lowerBound else { continue }
            let start = keeper?.start(of: source) ?? first
            if start < first {
                logger.warning("\(source) begins at \(first): what \(reaction.name) had not kept before that is gone")
            }
            try await log.scan(source, from: max(start, first), to: end) { batch in
                _ = try await keeper?.load(batch.records.map(\.key))
                for record in batch.records where !lot.leavesOut(record.offset, in: batch.source) {
                    try Self.telling("folded", record, batch.source) {
                        try memory.evolve(with: record, from: batch.source)
                    }
                }
                folded += batch.records.count
                keeper?.advance(
                    source, to: batch.next, last: batch.records.last.map { LogFingerprint($0) },
                    records: batch.records.count)
                await keeper?.turn(cutoff: nil)
            }
            logger.info(
                "partition taken",
                metadata: [
                    "partition": "\(source)", "next": "\(end)", "folded": "\(folded)",
                    "took": "\((ContinuousClock.now - began).milliseconds) ms",
                ])
        }
        for source in sources where memory.ahead.contains(source.topic) {
            try await foresee(source, from: committed[source], in: bounds[source], keeper, memory)
        }
    }

    /// Tells what is known of what the reaction has written and not yet read.
    private func foresee(
        _ source: TopicPartition, from committed: Offset?, in bounds: Range<Offset>?, _ keeper: PartitionCheckpoint?,
        _ memory: any ReactionMemory
    ) async throws {
        guard let bounds else { return }
        try await log.scan(source, from: max(committed ?? 0, bounds.lowerBound), to: bounds.upperBound) { batch in
            for record in batch.records where (try? memory.foresee(record, in: source, isLoaded: false)) ?? false {
                _ = try await keeper?.load([record.key])
                try Self.telling("foreseen", record, source) {
                    _ = try memory.foresee(record, in: source, isLoaded: true)
                }
            }
        }
    }

    /// Folds what had waited when the checkpoint was written, and waits no more.
    private func foldReleased(
        _ source: TopicPartition, _ book: QuarantineState, _ keeper: PartitionCheckpoint,
        into memory: any ReactionMemory
    ) async throws -> Int {
        let offsets = book.released(of: lot.worker, in: source, since: keeper.heeded, before: keeper.start(of: source))
        try await log.records(at: offsets, in: source) { record in
            _ = try await keeper.load([record.key])
            try Self.telling("folded", record, source) { try memory.evolve(with: record, from: source) }
        }
        return offsets.count
    }

    mutating func dropped(_ partitions: [TopicPartition]) async {
        for number in Set(partitions.map(\.partition)) {
            if let keeper = keepers[number] {
                // After a failed transaction the states in memory are ahead of the log.
                if isCommitted { await keeper.finish(cutoff: nil) } else { await keeper.settle(waiting: true) }
            }
            (keepers[number], memories[number]) = (nil, nil)
        }
        lot.stop(partitions)
        await pace.stop(partitions)
    }

    mutating func tick(_ member: any GroupMember) async throws -> Duration {
        while let request = try await requests.next(of: Set(pace.next.keys), from: quarantine) {
            try await release(request, as: member)
        }
        for keeper in keepers.values { await keeper.turn(cutoff: nil) }
        return quarantine?.patience ?? GroupLoop.heed
    }

    mutating func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        try await missing.check(batches, after: pace.next)
        var pace = pace
        try await pace.through(batches) { piece, failing in try await react(to: piece, failing, as: member) }
        self.pace = pace
    }

    private mutating func react(
        to batches: [Batch], _ failing: [TopicPartition: [Offset: String]], as member: any GroupMember
    ) async throws {
        var pending = Pending(quarantine: quarantine)
        isCommitted = false
        for batch in batches {
            guard let memory = memories[batch.source.partition] else {
                throw LogError(.fenced, "\(batch.source) was delivered but is not assigned")
            }
            let keeper = keepers[batch.source.partition]
            _ = try await keeper?.load(batch.records.map(\.key))
            for record in batch.records {
                pending.consumed[batch.source] = record.offset + 1
                var why = failing[batch.source]?[record.offset]
                if why == nil, !lot.holds(record, of: batch.source) {
                    why = try react(to: record, from: batch.source, memory, &pending)
                    if why == nil {
                        try await pending.commitIfLarge(as: member)
                        continue
                    }
                }
                pending.entries.append(try lot.park(record, in: batch.source, why))
            }
            pending.consumed[batch.source] = batch.next
        }
        try await pending.commit(as: member)
        for batch in batches {
            keepers[batch.source.partition]?.advance(
                batch.source, to: batch.next, last: batch.records.last.map { LogFingerprint($0) },
                records: batch.records.count)
        }
        isCommitted = true
        for batch in batches { await keepers[batch.source.partition]?.turn(cutoff: nil) }
    }

    /// What follows from one record goes to what is pending.
    ///
    /// - Returns: Why it cannot be reacted to, nil where it was.
    private func react(
        to record: Record, from source: TopicPartition, _ memory: any ReactionMemory, _ pending: inout Pending
    ) throws -> String? {
        if let stray = stray(record, in: source) {
            if quarantine != nil { return stray.message }
            throw LogError(.damaged, "\(source)@\(record.offset) cannot be reacted to: \(stray.message)")
        }
        let emissions: [Emission]
        do {
            emissions = try memory.react(to: record, from: source)
        } catch {
            if quarantine != nil { return String(describing: error) }
            throw LogError(.damaged, "\(source)@\(record.offset) cannot be reacted to: \(error)")
        }
        for emission in emissions {
            guard let count = counts[emission.topic] else {
                throw changed[emission.topic] ?? LogError.unknown(emission.topic)
            }
            for (partition, key, value) in emission.records(among: count) {
                pending.appends[TopicPartition(emission.topic, partition), default: []].append(
                    Self.record(emission, key, value, at: emission.time ?? record.timestamp))
                pending.size += 1
                pending.bytes += value.count
            }
        }
        return nil
    }

    /// Why a reaction that remembers does not react to a record of a partition that its key does not belong into: what is
    /// remembered of the key is elsewhere. One that remembers nothing makes the same of it anywhere.
    private func stray(_ record: Record, in source: TopicPartition) -> Refused? {
        guard reaction.remembers, let count = counts[source.topic] else { return nil }
        return KeyedPartition(source, among: count).refusal(of: record.key)
    }

    /// Drops and handles the waiting events of one key, in order, until one cannot be reacted to.
    private mutating func release(_ request: ReleaseRequest, as member: any GroupMember) async throws {
        let source = request.source
        guard let memory = memories[source.partition], let position = pace.next[source] else { return }
        let keeper = keepers[source.partition]
        isCommitted = false
        var pending = Pending(quarantine: quarantine)
        pending.consumed[source] = position
        var end = ReleaseEnd(id: request.id)
        let all = lot[source].parked(for: request)
        for parked in all.prefix(request.drop) {
            pending.entries.append(lot.release(parked.offset, in: source, dropped: true))
            end.dropped += 1
        }
        var waiting = all.dropFirst(request.drop)
        end.left = waiting.count
        try await log.records(at: Set(waiting.map(\.offset)), in: source) { record in
            guard end.reason.isEmpty, let parked = waiting.first, parked.offset == record.offset else { return }
            _ = try await keeper?.load([record.key])
            if let why = try react(to: record, from: source, memory, &pending) {
                pending.entries.append(try lot.park(parked.failed(why), in: source))
                end.reason = why
                return
            }
            waiting.removeFirst()
            pending.entries.append(lot.release(record.offset, in: source, dropped: false))
            (end.released, end.left) = (end.released + 1, end.left - 1)
            pending.consumed[source] = position
            try await pending.commitIfLarge(as: member, heeding: keeper)
        }
        if let first = waiting.first, end.reason.isEmpty { end.reason = first.gone(from: source) }
        pending.consumed[source] = position
        pending.entries.append(.ended(end))
        try await pending.commit(as: member, heeding: keeper)
        isCommitted = true
    }

    /// What is to be committed next.
    private struct Pending {
        let quarantine: QuarantineLog?
        var appends: [TopicPartition: [NewRecord]] = [:]
        var entries: [QuarantineEntry] = []
        var consumed: [TopicPartition: Offset] = [:]
        var size = 0
        var bytes = 0

        init(quarantine: QuarantineLog?) { self.quarantine = quarantine }

        mutating func commitIfLarge(as member: any GroupMember, heeding keeper: PartitionCheckpoint? = nil) async throws
        {
            if size >= Reactor.emissions || bytes >= Reactor.emittedBytes {
                try await commit(as: member, heeding: keeper)
            }
        }

        /// - Parameter keeper: Of the partition of which records are let go.
        mutating func commit(as member: any GroupMember, heeding keeper: PartitionCheckpoint? = nil) async throws {
            if consumed.isEmpty { return }
            var all = appends.sorted { $0.key < $1.key }.map { Append($0.key, $0.value) }
            if let quarantine, !entries.isEmpty { all.append(quarantine.appending(entries)) }
            let offsets = try await member.transact(Transaction(appends: all, consumed: consumed))
            if !entries.isEmpty, let last = offsets.last?.last { keeper?.heed(to: last + 1, records: entries.count) }
            self = Pending(quarantine: quarantine)
        }
    }

    private static func telling<R>(
        _ what: String, _ record: Record, _ source: TopicPartition, _ body: () throws -> R
    ) throws -> R {
        do {
            return try body()
        } catch {
            throw LogError(.damaged, "\(source)@\(record.offset) cannot be \(what): \(error)")
        }
    }

    /// A command goes by the time of the event it follows from; a derived event has that time.
    private static func record(_ emission: Emission, _ key: Bytes, _ value: Bytes, at time: Timestamp) -> NewRecord {
        if let id = emission.commandID {
            return EncodedCommand(type: emission.type, key: key, value: value, id: id, time: time).record(now: time)
        }
        return NewRecord(
            key: key, value: value, timestamp: time, headers: [Header(HeaderName.type, Bytes(emission.type))])
    }
}
