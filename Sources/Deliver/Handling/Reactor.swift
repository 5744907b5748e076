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
        let loop = GroupLoop(
            log: log, group: name, topics: reaction.topics, sharing: .together, batch: Self.batch, ready: ready)
        try await loop.run(&work, until: { Task.isShuttingDownGracefully })
    }
}

private struct Reacting: GroupWork {
    let reaction: AnyReaction
    let log: any EventLog
    let logger: Logger
    private var counts: [String: Int] = [:]
    /// What is known of the partitions of each number.
    private var memories: [Partition: any ReactionMemory] = [:]

    init(reaction: AnyReaction, log: any EventLog, logger: Logger) {
        self.reaction = reaction
        self.log = log
        self.logger = logger
    }

    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        counts = try await log.partitionCounts()
        for partition in Set(partitions.map(\.partition)) { memories[partition] = reaction.memory() }
        if reaction.remembers { try await fold(partitions) }
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) })
    }

    /// Folds what the group has reacted to before.
    private func fold(_ partitions: [TopicPartition]) async throws {
        let committed = try await log.committed(reaction.name, partitions)
        let bounds = try await log.bounds(of: partitions)
        for partition in partitions {
            guard let end = committed[partition], let start = bounds[partition]?.lowerBound,
                let memory = memories[partition.partition]
            else { continue }
            try await log.scan(partition, from: start, to: end) { batch in
                for record in batch.records {
                    try Self.telling("folded", record, batch.source) {
                        try memory.evolve(with: record, from: batch.source)
                    }
                }
            }
            logger.info("partition taken", metadata: ["partition": "\(partition)", "next": "\(end)"])
        }
    }

    mutating func dropped(_ partitions: [TopicPartition]) {
        for partition in partitions { memories[partition.partition] = nil }
    }

    func tick(_ member: any GroupMember) -> Duration { GroupLoop.heed }

    func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        var pending = Pending()
        for batch in batches {
            guard let memory = memories[batch.source.partition] else {
                throw LogError(.fenced, "\(batch.source) was delivered but is not assigned")
            }
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
