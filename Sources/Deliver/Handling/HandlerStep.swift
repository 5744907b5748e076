internal import EventLog
internal import EventModel
internal import Metering

/// What a handler does with a command: it decides it on the state of its key, unless it was decided before.
struct HandlerStep: PartitionStep {
    struct State: PartitionState {
        let aggregates: any Aggregates
        /// Those that the checkpoint does not have yet.
        let ids = Remembered()
        var states: (any StateCache)? { aggregates.states }
        var remembered: Remembered? { ids }
    }
    struct Found {
        /// What each command is known by.
        let ids: [KeyedID]
        /// Outcomes of those that were decided before.
        let earlier: [KeyedID: Outcome]
        let home: KeyedPartition
        let events: TopicPartition
        let outcomes: TopicPartition
    }
    typealias Output = Decisions

    let domain: Domain
    let decider: AnyDecider
    let log: any EventLog
    /// Only for timers and retention; decisions go by the commands' own time.
    let clock: @Sendable () -> Timestamp
    /// Whether a command that can neither be decided nor be answered may be parked.
    let canPark: Bool
    /// Nil counts nothing.
    var counting: CommandCounting?
    /// Among how many partitions the domain's keys are spread.
    private var spread = 1

    init(
        _ domain: Domain, _ decider: AnyDecider, log: any EventLog, clock: @escaping @Sendable () -> Timestamp,
        canPark: Bool
    ) {
        (self.domain, self.decider, self.log, self.clock, self.canPark) = (domain, decider, log, clock, canPark)
    }

    var worker: String { Handler.group(of: domain) }
    var topics: [String] { [domain.commandsTopic] }
    var handling: String { "decided" }
    var missed: String { "these commands are never decided" }
    var rows: CheckpointRows {
        CheckpointRows(worker, version: decider.stateVersion, remembersIDs: true)
    }
    var cutoff: Timestamp? {
        domain.topics.first { $0.name == domain.outcomesTopic }?.retention.map { clock() - $0 }
    }

    mutating func begin(on log: any EventLog, _ book: TopicBook?) async throws {
        spread = try await log.spread(of: domain, worker, book)
    }

    func blank() -> State { State(aggregates: decider.aggregates()) }

    func events(_ number: Partition) -> TopicPartition { TopicPartition(domain.eventsTopic, number) }
    func outcomes(_ number: Partition) -> TopicPartition { TopicPartition(domain.outcomesTopic, number) }
    private func commands(_ number: Partition) -> TopicPartition { TopicPartition(domain.commandsTopic, number) }
    func home(_ number: Partition) -> KeyedPartition { KeyedPartition(commands(number), among: spread) }

    func folded(_ number: Partition, _ assigned: [TopicPartition]) -> [TopicPartition] {
        [events(number), outcomes(number)]
    }

    /// A command waits behind the events of its key that cannot be folded.
    func line(of source: TopicPartition) -> [TopicPartition] { [events(source.partition), commands(source.partition)] }

    // MARK: Handling commands

    func lookUp(_ records: [Record], in source: TopicPartition, _ partition: RestoredPartition<State>) async throws
        -> Found
    {
        let number = source.partition
        let ids = records.map { KeyedID($0.key, $0.commandID(in: source)) }
        let kept = try await recalled(partition.checkpoint?.load(records.map(\.key), ids: ids), number)
        let (cutoff, outcomes) = (cutoff, outcomes(number))
        var entries: [KeyedID: Remembered.Entry] = [:]
        for id in ids where entries[id] == nil {
            entries[id] =
                partition.state.ids[id]
                ?? kept[id].flatMap { entry in cutoff.map { entry.time >= $0 } ?? true ? entry : nil }
        }
        return Found(
            ids: ids, earlier: try await said(entries, in: outcomes), home: home(number), events: events(number),
            outcomes: outcomes)
    }

    static let worksInline = true

    func lookUpNow(
        _ records: [Record], in source: TopicPartition, _ partition: RestoredPartition<State>
    ) throws -> Found? {
        let number = source.partition
        let ids = records.map { KeyedID($0.key, $0.commandID(in: source)) }
        if ids.contains(where: { partition.state.ids[$0] != nil }) { return nil }
        if let checkpoint = partition.checkpoint {
            guard let kept = try checkpoint.loadNow(records.map(\.key), ids: ids), kept.isEmpty else { return nil }
        }
        return Found(ids: ids, earlier: [:], home: home(number), events: events(number), outcomes: outcomes(number))
    }

    /// How far apart outcomes may stand that are read with all between them: to begin a read anew costs more than so many records.
    private static let near: Int64 = 2000
    /// How many are read at once with all between them.
    private static let far: Int64 = 100_000

    /// What was answered to commands, without those that the log has dropped already, for they are past its retention. Who sends many
    /// again sends what stands together, and a read for each would hold up the partition.
    private func said(
        _ entries: [KeyedID: Remembered.Entry], in source: TopicPartition
    ) async throws -> [KeyedID: Outcome] {
        var stored: [Offset: Record] = [:]
        var run: Set<Offset> = []
        var last: Offset?
        for offset in Set(entries.values.map(\.outcome)).sorted() {
            let isFar = last.map { offset.rawValue - $0.rawValue > Self.near } ?? false
            if isFar || run.min().map({ offset.rawValue - $0.rawValue > Self.far }) ?? false {
                try await read(run, of: source, into: &stored)
                run = []
            }
            run.insert(offset)
            last = offset
        }
        try await read(run, of: source, into: &stored)
        var earlier: [KeyedID: Outcome] = [:]
        for (id, entry) in entries {
            guard let record = stored[entry.outcome] else { continue }
            let outcome = try Outcome(record.value)
            guard KeyedID(record.key, outcome.id) == id else { throw otherCommand(id, entry, in: source) }
            earlier[id] = outcome
        }
        return earlier
    }

    /// What lies between them may be damaged, where they are not.
    private func read(
        _ offsets: Set<Offset>, of source: TopicPartition, into stored: inout [Offset: Record]
    ) async throws {
        if offsets.isEmpty { return }
        do {
            try await log.records(at: offsets, in: source) { stored[$0.offset] = $0 }
        } catch let error as LogError where error.kind == .damaged && offsets.count > 1 {
            for offset in offsets where stored[offset] == nil {
                stored[offset] = try await log.record(at: offset, in: source)
            }
        }
    }

    private func otherCommand(_ id: KeyedID, _ entry: Remembered.Entry, in source: TopicPartition) -> LogError {
        LogError(
            .damaged,
            """
            the checkpoint of \(worker) has the outcome of \(id.id) at \(source)@\(entry.outcome), which is another \
            command's: it is damaged. Delete it, and it will be folded again
            """)
    }

    /// A command that is refused whatever the state need not wait behind others of its key.
    func mayWait(_ record: Record, in source: TopicPartition) -> Bool {
        home(source.partition).other(for: record.key) == nil
    }

    /// A command whose key and id were answered before is answered the same, or refused where its body is another.
    func repeats(
        _ record: Record, _ number: Int, in batch: BatchInHand<Self>, into output: inout Decisions
    ) -> Bool {
        let id = batch.found.ids[number]
        let at = output.index(of: batch.found.events, batch.found.outcomes)
        var command: DecidedCommand
        if let decided = output.all[at].decided(id) {
            // Its events' places are told by the same offsets.
            command = decided
        } else if let outcome = batch.found.earlier[id] {
            command = DecidedCommand(
                key: record.key, time: record.timestamp, outcome: outcome, events: 0..<0, types: [])
        } else {
            return false
        }
        (command.isRepeated, command.trace) = (true, record.trace)
        let digest = digest(of: record.value, isFact: record.isFact)
        let isOther = command.outcome.digest != digest
        if isOther { command.refuse(id, digest) }
        if let counting {
            let number = counting.number(of: record)
            if isOther {
                output.tally.refused(number, Refused.idReused)
            } else {
                output.tally.repeated(number)
            }
        }
        output.all[at].commands.append(command)
        return true
    }

    func handle(
        _ record: Record, _ number: Int, in batch: BatchInHand<Self>, into output: inout Decisions
    ) -> String? {
        if let why = unanswerable(record, in: batch.found.home) { return why }
        let id = batch.found.ids[number]
        let decision = batch.state.aggregates.decide(record, id: id.id, in: batch.found.home)
        counting?.note(decision, of: record, in: &output.tally)
        let at = output.index(of: batch.found.events, batch.found.outcomes)
        let first = output.all[at].made.count
        let trace = record.trace
        var types: [String] = []
        if case .accepted(let decided) = decision {
            let time = record.decisionTime
            let carried = trace.map { [$0.header] } ?? []
            for event in decided {
                types.append(event.type)
                output.all[at].made.append(
                    NewRecord(
                        key: event.key, value: event.value, timestamp: time,
                        headers: [
                            Header(HeaderName.cause, Bytes(id.id)), Header(HeaderName.type, Bytes(event.type)),
                        ] + carried))
            }
        }
        let outcome = Outcome(
            id: id.id, decision: decision, digest: digest(of: record.value, isFact: record.isFact),
            commandOffset: record.offset, rules: decider.rules)
        output.all[at].add(
            DecidedCommand(
                key: record.key, time: record.timestamp, outcome: outcome,
                events: first..<output.all[at].made.count, types: types, trace: trace),
            under: id)
        return nil
    }

    /// Why a command can neither be decided here nor be told so: it lies in a wrong partition, and names no id for an answer.
    private func unanswerable(_ record: Record, in home: KeyedPartition) -> String? {
        if !canPark || record.namesItself { return nil }
        return home.refusal(of: record.key)?.message
    }
}

extension DecidedCommand {
    /// Its id was used before for another body.
    fileprivate mutating func refuse(_ id: KeyedID, _ digest: UInt64) {
        // The key may be one that nobody has given, such as the bucket of a link.
        let message =
            "the id \(id.id) was used before for another command of the same key; give this one an id of its own"
        let no = Refused(reason: Refused.idReused, message: message)
        outcome = Outcome(
            id: id.id, decision: .refused(no), digest: digest, commandOffset: outcome.commandOffset,
            rules: outcome.rules)
        (events, types) = (0..<0, [])
    }
}
