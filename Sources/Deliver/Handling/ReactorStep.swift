internal import EventLog
internal import EventModel
internal import Logging

/// What a reactor does with an event: it writes what follows from it, knowing what it remembers of the event's key.
struct ReactorStep: PartitionStep {
    struct State: PartitionState {
        let memory: any ReactionMemory
        var states: (any StateCache)? { memory.states }
        var remembered: Remembered? { nil }
    }
    typealias Found = Void
    typealias Output = Emissions

    let reaction: AnyReaction
    let log: any EventLog
    let logger: Logger
    private var counts: [String: Int] = [:]
    /// Topics that have another count than they had: nothing can be written to them by key.
    private var changed: [String: LogError] = [:]

    init(_ reaction: AnyReaction, log: any EventLog, logger: Logger) {
        (self.reaction, self.log, self.logger) = (reaction, log, logger)
    }

    var worker: String { reaction.name }
    var topics: [String] { reaction.topics }
    var handling: String { "reacted to" }
    var missed: String { "nothing follows from them" }
    var rows: CheckpointRows {
        CheckpointRows(worker, version: reaction.stateVersion, remembersIDs: false)
    }
    var cutoff: Timestamp? { nil }

    /// Learns how many partitions topics have, and compares those that it reads with what they had.
    mutating func begin(on log: any EventLog, _ book: TopicBook?) async throws {
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

    func blank() -> State { State(memory: reaction.memory()) }

    func folded(_ number: Partition, _ assigned: [TopicPartition]) -> [TopicPartition] {
        reaction.remembers ? assigned : []
    }
    func line(of source: TopicPartition) -> [TopicPartition] { [source] }

    // MARK: Restoring what is remembered

    func checkBeginning(of source: TopicPartition, at first: Offset, goingOnAt start: Offset?) {
        guard let start, start < first else { return }
        logger.warning("\(source) begins at \(first): what \(reaction.name) had not kept before that is gone")
    }

    func recall(_ batch: Batch, into partition: RestoredPartition<State>) -> Bool { false }

    func fold(_ record: Record, from source: TopicPartition, into state: State) throws {
        try state.memory.evolve(with: record, from: source)
    }

    func foresee(
        _ source: TopicPartition, from next: Offset?, in bounds: Range<Offset>, into partition: RestoredPartition<State>
    ) async throws {
        let memory = partition.state.memory
        if !memory.ahead.contains(source.topic) { return }
        try await log.scan(source, from: max(next ?? 0, bounds.lowerBound), to: bounds.upperBound) { batch in
            for record in batch.records where (try? memory.foresee(record, in: source, isLoaded: false)) ?? false {
                _ = try await partition.checkpoint?.load([record.key])
                do {
                    _ = try memory.foresee(record, in: source, isLoaded: true)
                } catch {
                    throw LogError(.damaged, "\(source)@\(record.offset) cannot be foreseen: \(error)")
                }
            }
        }
    }

    func restored(_ source: TopicPartition, to end: Offset, _ state: State) -> [String: String]? {
        ["partition": "\(source)", "next": "\(end)"]
    }

    // MARK: Handling events

    func lookUp(_ records: [Record], in source: TopicPartition, _ partition: RestoredPartition<State>) async throws {
        if let checkpoint = partition.checkpoint { _ = try await checkpoint.load(records.map(\.key)) }
    }

    func repeats(
        _ record: Record, _ number: Int, in batch: BatchInHand<Self>, into output: inout Emissions
    ) -> Bool { false }

    func mayWait(_ record: Record, in source: TopicPartition) -> Bool { true }

    func handle(
        _ record: Record, _ number: Int, in batch: BatchInHand<Self>, into output: inout Emissions
    ) throws -> String? {
        if let stray = stray(record, in: batch.source) { return stray.message }
        let emissions: [Emission]
        do {
            emissions = try batch.state.memory.react(to: record, from: batch.source)
        } catch {
            return String(describing: error)
        }
        for emission in emissions {
            guard let count = counts[emission.topic] else {
                throw changed[emission.topic] ?? LogError.unknown(emission.topic)
            }
            output.add(emission, among: count, following: record)
        }
        return nil
    }

    /// Why a reaction that remembers does not react to a record of a partition that its key does not belong into: what is
    /// remembered of the key is elsewhere. One that remembers nothing makes the same of it anywhere.
    private func stray(_ record: Record, in source: TopicPartition) -> Refused? {
        guard reaction.remembers, let count = counts[source.topic] else { return nil }
        return KeyedPartition(source, among: count).refusal(of: record.key)
    }

    /// The worker's checkpoint follows what is read; nothing else changes.
    func committed(
        _ output: Emissions, written: ArraySlice<[Offset]>, replied: ArraySlice<[Offset]>,
        _ partitions: [Partition: RestoredPartition<State>]
    ) {}

    func tick(_ partitions: [Partition: RestoredPartition<State>]) -> Duration { GroupLoop.heed }
}
