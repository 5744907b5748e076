public import EventLog
public import EventModel
public import Logging
public import ServiceLifecycle

/// Runs one reaction: reads events, and commits what follows from them together with their offsets.
public struct Reactor: Service, CustomStringConvertible {
    /// Events reacted to in one commit.
    public static let batch = 4096
    /// What follows from events is committed as soon as it is so much, for one event may have thousands of consequences.
    public static let emissions = 20_000
    /// The same in bytes.
    public static let emittedBytes = 8 << 20

    private let reaction: AnyReaction
    private let log: any EventLog
    private let logger: Logger
    /// Where a reaction that remembers keeps checkpoints; nil folds all, and holds all in memory.
    public var checkpoints: (any CheckpointStore)?
    public var checkpointing = Checkpointing()
    /// Called when the worker has taken its first partitions.
    public var ready: @Sendable () -> Void = {}

    public init(_ reaction: AnyReaction, log: any EventLog, logger: Logger) {
        self.reaction = reaction
        self.log = log
        self.logger = logger
    }

    /// The reaction's name, and its consumer group.
    public var name: String { reaction.name }
    public var description: String { name }

    public func run() async throws {
        var work = Reacting(reaction: reaction, log: log, logger: logger)
        (work.checkpoints, work.checkpointing) = (checkpoints, checkpointing)
        let loop = GroupLoop(
            log: log, group: name, topics: reaction.topics, sharing: .together, batch: Self.batch, ready: ready)
        try await loop.run(&work, until: { Task.isShuttingDownGracefully })
    }
}

private struct Reacting: GroupWork {
    let reaction: AnyReaction
    let log: any EventLog
    let logger: Logger
    var checkpoints: (any CheckpointStore)?
    var checkpointing = Checkpointing()
    private var counts: [String: Int] = [:]
    /// What is known of the partitions of each number.
    private var memories: [Partition: any ReactionMemory] = [:]
    private var keepers: [Partition: Keeper] = [:]
    /// Whether what is known is what is committed, so that it may be kept.
    private var isCommitted = true

    init(reaction: AnyReaction, log: any EventLog, logger: Logger) {
        self.reaction = reaction
        self.log = log
        self.logger = logger
    }

    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        counts = try await log.partitionCounts()
        isCommitted = true
        for (number, sources) in Dictionary(grouping: partitions, by: \.partition) {
            let memory = reaction.memory()
            memories[number] = memory
            if reaction.remembers { try await take(number, sources.sorted(), memory) }
        }
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) })
    }

    /// Folds what the group has reacted to before and a checkpoint does not have.
    private mutating func take(
        _ number: Partition, _ sources: [TopicPartition], _ memory: any ReactionMemory
    ) async throws {
        let began = ContinuousClock.now
        let committed = try await log.committed(reaction.name, sources)
        let bounds = try await log.bounds(of: sources)
        var keeper: Keeper?
        if let checkpoints, let states = memory.states {
            let rows = CheckpointRows(
                reaction.name, version: reaction.stateVersion, topics: reaction.topics, remembersIDs: false)
            keeper = try await Keeper.claim(
                checkpoints, rows, sources, states: states, log: log, ends: committed, limits: checkpointing,
                logger: logger)
            keepers[number] = keeper
        }
        var folded = 0
        for source in sources {
            guard let end = committed[source], let first = bounds[source]?.lowerBound else { continue }
            let start = keeper?.start(of: source) ?? first
            if start < first {
                logger.warning("\(source) begins at \(first): what \(reaction.name) had not kept before that is gone")
            }
            try await log.scan(source, from: max(start, first), to: end) { batch in
                _ = try await keeper?.load(batch.records.map(\.key))
                for record in batch.records {
                    try Self.telling("folded", record, batch.source) {
                        try memory.evolve(with: record, from: batch.source)
                    }
                }
                folded += batch.records.count
                keeper?.advance(
                    source, to: min(batch.next, end), last: batch.records.last.map { Mark($0) },
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
    }

    mutating func dropped(_ partitions: [TopicPartition]) async {
        for number in Set(partitions.map(\.partition)) {
            if let keeper = keepers[number] {
                // After a transaction that failed, what is known is ahead of the log.
                if isCommitted { await keeper.finish(cutoff: nil) } else { await keeper.settle(waiting: true) }
            }
            (keepers[number], memories[number]) = (nil, nil)
        }
    }

    func tick(_ member: any GroupMember) async -> Duration {
        for keeper in keepers.values { await keeper.turn(cutoff: nil) }
        return GroupLoop.heed
    }

    mutating func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        var pending = Pending()
        isCommitted = false
        for batch in batches {
            guard let memory = memories[batch.source.partition] else {
                throw LogError(.fenced, "\(batch.source) was delivered but is not assigned")
            }
            _ = try await keepers[batch.source.partition]?.load(batch.records.map(\.key))
            for record in batch.records {
                let emissions = try Self.telling("reacted to", record, batch.source) {
                    try memory.react(to: record, from: batch.source)
                }
                for emission in emissions {
                    guard let count = counts[emission.topic] else { throw LogError.unknown(emission.topic) }
                    for (partition, key, value) in emission.records(among: count) {
                        pending.appends[TopicPartition(emission.topic, partition), default: []].append(
                            Self.record(emission, key, value, at: record.timestamp))
                        pending.size += 1
                        pending.bytes += value.count
                    }
                }
                pending.consumed[batch.source] = record.offset + 1
                if pending.size >= Reactor.emissions || pending.bytes >= Reactor.emittedBytes {
                    try await pending.commit(as: member)
                }
            }
            pending.consumed[batch.source] = batch.next
        }
        try await pending.commit(as: member)
        for batch in batches {
            keepers[batch.source.partition]?.advance(
                batch.source, to: batch.next, last: batch.records.last.map { Mark($0) }, records: batch.records.count)
        }
        isCommitted = true
        for batch in batches { await keepers[batch.source.partition]?.turn(cutoff: nil) }
    }

    /// What is to be committed next.
    private struct Pending {
        var appends: [TopicPartition: [NewRecord]] = [:]
        var consumed: [TopicPartition: Offset] = [:]
        var size = 0
        var bytes = 0

        mutating func commit(as member: any GroupMember) async throws {
            if consumed.isEmpty { return }
            try await member.transact(
                Transaction(
                    appends: appends.sorted { $0.key < $1.key }.map { Append($0.key, $0.value) }, consumed: consumed))
            self = Pending()
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
