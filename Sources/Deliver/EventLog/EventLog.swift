public import EventModel

/// Where events are kept: topics of partitions of records, with Kafka's meanings.
///
/// **Order.** Records of a partition have ascending offsets in the order they were appended; compaction and transactions
/// may leave gaps. **Durability.** When `append` or `transact` returns, what it wrote survives the loss of the process, and
/// of the machine's power where the log says so in ``promises``. **Atomicity.** A transaction's records and consumed
/// offsets become visible together or not at all; readers never see a part. **Threads.** Everything may be called from any
/// task at once, but a reader or a member is one task's. **Closing.** Who opened a log closes it, after its readers and
/// members.
public protocol EventLog: Sendable {
    var promises: Promises { get }
    /// How long workers wait for it where it does not answer. ``Patience/none`` unless told.
    var patience: Patience { get }

    /// Makes the topics that are missing. One that exists with another partition count is an error, thrown once the others are
    /// made.
    func create(_ topics: [Topic]) async throws
    /// The topics there are. A log that does not keep a topic's key, schema or owner leaves them empty.
    func topics() async throws -> [Topic]
    /// How many partitions each topic has: what most want to know of topics, and some logs tell sooner.
    func partitionCounts() async throws -> [String: Int]

    /// Appends to each partition in the order given; returns each record's offset.
    func append(_ appends: [Append]) async throws -> [[Offset]]

    /// The first offset kept, and the one that the next record will get.
    func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>]
    /// The first offset whose record's timestamp is at or after a moment; the end where there is none. Times need not
    /// ascend: what comes after it may be of an earlier moment. What is before it is.
    func offsets(of partitions: [TopicPartition], at time: Timestamp) async throws -> [TopicPartition: Offset]
    /// Another after every commit, of whichever process, before who asked for the commit is told of it. It is told without a wait; nil by
    /// a log that cannot do so.
    var version: LogVersion? { get }
    /// A time that no record before an offset is later than, also of those that are no longer kept. A log that would have to
    /// read them all to know it leaves the partition out.
    func reached(before ends: [TopicPartition: Offset]) async throws -> [TopicPartition: Timestamp]

    /// Reads partitions of its own choice, outside any group, from the offsets given.
    func reader(from positions: [TopicPartition: Offset]) async throws -> any LogReader
    /// The same, of the records of some times. Batches go on past the others, and may have no records.
    func reader(
        from positions: [TopicPartition: Offset], within times: ClosedRange<Timestamp>
    ) async throws -> any LogReader
    /// Joins a consumer group, which shares the topics' partitions among its members. All members of a group join alike.
    func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember
    /// Where a group will go on, for the partitions it has committed.
    func committed(_ group: String, _ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset]

    func close() async
}

/// What tells one state of a log from another.
public struct LogVersion: Hashable, Sendable {
    /// A checksum, or whatever else differs.
    public var counter: UInt64
    /// How many changes there were, as far as the log counts them.
    public var count: Int64
    public init(counter: UInt64, count: Int64) { (self.counter, self.count) = (counter, count) }
}

/// How a group's topics are shared.
public enum Sharing: Sendable, Hashable {
    /// Each partition by itself.
    case apart
    /// Co-partitioned: who has a partition of the first topic has that of the same number of all the others. The topics
    /// must have the same partition count.
    case together
}

extension EventLog {
    public var patience: Patience { .none }
    public var version: LogVersion? { nil }

    /// Does something with the log, and closes it.
    package func closed<R>(after body: (Self) async throws -> R) async throws -> R {
        do {
            let result = try await body(self)
            await close()
            return result
        } catch {
            await close()
            throw error
        }
    }

    public func join(_ group: String, topics: [String]) async throws -> any GroupMember {
        try await join(group, topics: topics, sharing: .apart)
    }

    /// The topics of a group that shares them together, where their partition counts allow it.
    public func checkCopartitioned(_ topics: [String], _ group: String) async throws {
        try await partitionCounts().checkCopartitioned(topics, group)
    }
}

extension [String: Int] {
    /// Throws where topics do not have the same partition count, these being the counts.
    public func checkCopartitioned(_ topics: [String], _ group: String) throws {
        for topic in topics {
            guard let count = self[topic] else { throw LogError.unknown(topic) }
            if count != self[topics[0]] {
                throw LogError(
                    .mismatch,
                    """
                    \(group) needs \(topics.joined(separator: ", ")) with the same partition count, but \(topics[0]) has \
                    \(self[topics[0]] ?? 0) and \(topic) has \(count)
                    """)
            }
        }
    }
}

extension Sequence<TopicPartition> {
    /// These, and the partitions of the same numbers of other topics.
    public func with(_ topics: some Sequence<String>) -> Set<TopicPartition> {
        reduce(into: []) { all, lead in
            all.insert(lead)
            for topic in topics { all.insert(TopicPartition(topic, lead.partition)) }
        }
    }
}

/// Records for one partition.
public struct Append: Sendable, Hashable {
    public var target: TopicPartition
    public var records: [NewRecord]
    public init(_ target: TopicPartition, _ records: [NewRecord]) {
        self.target = target
        self.records = records
    }

    /// Records of a topic with so many partitions, each for that of its key, in their order.
    public static func byKey(_ records: some Sequence<NewRecord>, to topic: String, among partitions: Int) -> [Append] {
        var appends: [TopicPartition: [NewRecord]] = [:]
        for record in records {
            let target = TopicPartition(topic, Partitioner.partition(of: record.key, among: partitions))
            appends[target, default: []].append(record)
        }
        return appends.map { Append($0.key, $0.value) }
    }
}

/// Records of one partition, in order.
public struct Batch: Sendable, Hashable {
    public var source: TopicPartition
    public var records: [Record]
    /// Where reading goes on: past the last record, and past offsets that hold none.
    public var next: Offset
    public init(source: TopicPartition, records: [Record], next: Offset) {
        self.source = source
        self.records = records
        self.next = next
    }

    /// The records before an offset.
    public func records(before end: Offset) -> ArraySlice<Record> {
        if next <= end { return records[...] }
        return records[..<(records.firstIndex { $0.offset >= end } ?? records.endIndex)]
    }
}

/// What a log guarantees beyond the port's text; the contract suite checks each that is declared.
public struct Promises: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// What was appended is there after the log is closed and opened again.
    public static let durable = Promises(rawValue: 1)
    /// `transact` is all or nothing, offsets included.
    public static let transactions = Promises(rawValue: 2)
    /// A member whose partition went to another cannot commit any more.
    public static let fencing = Promises(rawValue: 4)
    /// `offsets(of:at:)` goes by timestamps.
    public static let timeIndex = Promises(rawValue: 8)
    /// One `append` call over several partitions is all or nothing.
    public static let atomicAppend = Promises(rawValue: 16)
    /// Several processes may use it at once.
    public static let shared = Promises(rawValue: 32)
    /// Every offset of a topic that is not compacted has a record, from the first that is kept to the end.
    public static let contiguous = Promises(rawValue: 64)
}

/// Reads partitions from given offsets onwards.
public protocol LogReader: Sendable {
    /// Up to about `max` records, at once where there are any, else when some come; empty after `wait` without any.
    func next(max: Int, wait: Duration) async throws -> [Batch]
    func close() async
}

/// One of the readers that share a group's partitions.
public protocol GroupMember: Sendable {
    /// The next thing that happened to this member.
    func next(max: Int, wait: Duration) async throws -> Delivery
    /// The same of a member whose work may also be done within the commits that bring its records: those are not delivered then. When it
    /// returns, or throws, the log has let go of the work. A log that cannot do so delivers all.
    func next(max: Int, wait: Duration, inline work: any InlineWork) async throws -> Delivery
    /// Makes a `next` that waits, or else the one after, return at once. It may be called from any task.
    func wake()
    /// Begins to deliver assigned partitions: from the offset given, or where that is nil, from where the group has
    /// committed, or else from the partition's start.
    func start(_ positions: [TopicPartition: Offset?]) async throws
    /// Lets revoked partitions go to others. What was to be committed for them has been committed.
    func release(_ partitions: [TopicPartition]) async throws
    /// Commits where the group goes on.
    func commit(_ consumed: [TopicPartition: Offset]) async throws
    /// Reports the offsets of a member that keeps them elsewhere, for tools that look at the group. It does not wait,
    /// and the report may get lost. By default it does nothing.
    func show(_ positions: [TopicPartition: Offset]) async
    /// Writes records and consumed offsets in one transaction. It throws ``LogError/Kind/fenced`` where a partition
    /// of `consumed` is no longer this member's; nothing is written then.
    /// - Returns: the offsets of the records of `appends`, then of those of `replies`.
    @discardableResult
    func transact(_ transaction: Transaction) async throws -> [[Offset]]
    /// Commits nothing; partitions in hand go to others at once.
    func leave() async
}

extension GroupMember {
    public func show(_ positions: [TopicPartition: Offset]) async {}
}

/// What happened to a member.
public enum Delivery: Sendable {
    /// These are this member's now: it must `start` them.
    case assigned([TopicPartition])
    /// These are to go to another: finish, commit, then `release` them.
    case revoked([TopicPartition])
    /// These have gone to another already: forget them.
    case lost([TopicPartition])
    case records([Batch])
    /// Nothing happened for as long as was asked.
    case idle
}

/// Records and consumed offsets that belong together.
public struct Transaction: Sendable {
    public var appends: [Append]
    /// Further records that tell where the first ones went.
    public var replies: @Sendable (_ offsets: [[Offset]]) -> [Append]
    public var consumed: [TopicPartition: Offset]
    public init(
        appends: [Append], consumed: [TopicPartition: Offset],
        replies: @escaping @Sendable (_ offsets: [[Offset]]) -> [Append] = { _ in [] }
    ) {
        self.appends = appends
        self.consumed = consumed
        self.replies = replies
    }
}

/// A log that looks after itself, having no broker that would.
public protocol Maintained: EventLog {
    /// Drops what is past its topic's retention, and of compacted topics all but the newest record of each key. An empty value that removes
    /// its key goes too, but an hour later (``RemovalHorizon``), so that who reads on learns of it.
    func maintain(at now: Timestamp) async throws
    /// Gives topics that are there another retention or cleanup. Their partitions and clock stay.
    func configure(_ topics: [Topic]) async throws
}
