public import EventLog
public import EventModel
public import Logging
public import ServiceLifecycle

/// Runs one reaction: reads events, and commits what follows from them together with their offsets.
public struct Reactor: Service, CustomStringConvertible {
    /// Events reacted to in one commit.
    public static let batch = 4096

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
        var work = Reacting(reaction: reaction, log: log)
        let loop = GroupLoop(log: log, group: name, topics: [reaction.topic], batch: Self.batch, ready: ready)
        try await loop.run(&work, until: { Task.isShuttingDownGracefully })
    }
}

private struct Reacting: GroupWork {
    let reaction: AnyReaction
    let log: any EventLog
    private var counts: [String: Int] = [:]

    init(reaction: AnyReaction, log: any EventLog) {
        self.reaction = reaction
        self.log = log
    }

    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        counts = try await log.partitionCounts()
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) })
    }

    func dropped(_ partitions: [TopicPartition]) {}

    func tick(_ member: any GroupMember) -> Duration { GroupLoop.heed }

    func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        var appends: [TopicPartition: [NewRecord]] = [:]
        for batch in batches {
            for record in batch.records {
                let emissions: [Emission]
                do {
                    emissions = try reaction.react(record, batch.source)
                } catch {
                    throw LogError(.damaged, "\(batch.source)@\(record.offset) cannot be reacted to: \(error)")
                }
                for emission in emissions {
                    guard let count = counts[emission.topic] else { throw LogError.unknown(emission.topic) }
                    let target = TopicPartition(
                        emission.topic, Partitioner.partition(of: emission.key, among: count))
                    appends[target, default: []].append(Self.record(emission, at: record.timestamp))
                }
            }
        }
        try await member.transact(
            Transaction(
                appends: appends.sorted { $0.key < $1.key }.map { Append($0.key, $0.value) },
                consumed: Dictionary(batches.map { ($0.source, $0.next) }) { max($0, $1) }))
    }

    /// A command goes by the time of the event it follows from; a derived event has that time.
    private static func record(_ emission: Emission, at time: Timestamp) -> NewRecord {
        if let id = emission.commandID {
            return EncodedCommand(type: emission.type, key: emission.key, value: emission.value, id: id, time: time)
                .record(now: time)
        }
        return NewRecord(
            key: emission.key, value: emission.value, timestamp: time,
            headers: [Header(HeaderName.type, Bytes(emission.type))])
    }
}
