internal import CRdkafka
internal import Synchronization

extension Settings {
    /// A consumer's settings: nothing is committed unless asked for, only committed records are read, and a partition's
    /// end is told.
    ///
    /// A full queue is looked at again only after a second (librdkafka before 2.2), so it holds what is read in about
    /// that time: with librdkafka's own 100,000 messages a replay stood still for four seconds of five. Its bytes have a
    /// limit of their own, `queued.max.messages.kbytes`.
    public static func consumer(_ properties: [String: String]) throws(KafkaError) -> Settings {
        let defaults = [
            "enable.auto.commit": "false", "enable.auto.offset.store": "false", "enable.partition.eof": "true",
            "isolation.level": "read_committed", "auto.offset.reset": "earliest", "allow.auto.create.topics": "false",
            "partition.assignment.strategy": "cooperative-sticky", "check.crcs": "true",
            "queued.min.messages": "1000000", "fetch.message.max.bytes": "4194304",
        ]
        return try Settings(defaults.merging(properties) { $1 })
    }
}

/// A change of what a group gives to this consumer. Nothing is done about it until the application does.
public enum Rebalance: Sendable, Hashable {
    /// Answer with ``Consumer/add(_:)``, even where it is empty.
    case assigned([KafkaPartition])
    /// Answer with ``Consumer/remove(_:)`` once they are finished with, even where it is empty.
    case revoked([KafkaPartition])
    /// They have gone to others already; answer with ``Consumer/remove(_:)``.
    case lost([KafkaPartition])
}

/// What one poll brought: messages first, then what came after them.
public struct Polled: Sendable {
    /// What was read, a batch for each partition.
    public var batches: [MessageBatch] = []
    /// What the group changed after those messages; nil where it changed nothing.
    public var rebalance: Rebalance?
    /// A poll that brought nothing.
    public init() {}
}

/// Reads messages in batches, of partitions of its own choice or as a member of a group.
///
/// Its settings need a `group.id` either way; without a subscription that group is never joined. It is one task's. Every
/// call runs on a thread of this consumer's own, one after another. Who made it closes it.
public final class Consumer: Sendable {
    private let client: Client
    private let calls = Calls("kafka.consumer")
    private let news: ClientStatus
    private let postponed = Mutex<KafkaError?>(nil)
    private let closing = Atomic(false)
    /// Held by who asks for something on a thread other than this consumer's.
    private let isDestroyed = Mutex(false)
    /// Whether it has subscribed and was not told yet what the group gives it.
    private let joining = Atomic(false)

    private let readsHeaders: Bool

    /// - Parameters:
    ///   - settings: `bootstrap.servers` at least, and `group.id` for a member of a group.
    ///   - headers: Whether messages come with their headers. librdkafka takes them apart for each message even
    ///   where there are none, which is a fifth of what a poll costs.
    ///   - credentials: Where a password is that may change.
    ///   - onStatistics: Told librdkafka's statistics as JSON each time they come, where `statistics.interval.ms` is set. It is
    ///   called by a poll, which waits for it.
    public init(
        _ settings: consuming Settings, headers: Bool = true, credentials: CredentialSource? = nil,
        onStatistics: (@Sendable (_ json: String) -> Void)? = nil
    ) throws(KafkaError) {
        readsHeaders = headers
        news = ClientStatus(onStatistics: onStatistics)
        client = try Client(
            settings, RD_KAFKA_CONSUMER,
            events: RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS,
            news: news, credentials: credentials)
    }

    /// librdkafka's latest statistics as JSON, where `statistics.interval.ms` is set.
    public var statistics: String? { news.statistics }
    /// The latest trouble with brokers, for people; librdkafka goes on by itself.
    public var lastError: KafkaError? { news.lastError }
    /// Why brokers take no connection of this client just now; librdkafka goes on trying.
    public var refusal: Refusing? { news.refusal }
    /// How much quotas have held it back since this was asked last.
    public func takeThrottling() -> Throttling? { news.takeThrottling() }
    /// What made this consumer of no more use, as another of the same `group.instance.id` that has taken its place.
    public var fatalError: KafkaError? { closing.load(ordering: .acquiring) ? .closed : client.fatalError }

    /// Up to `max` messages: at once where there are any, else when some come; nothing after `wait` or on cancellation.
    ///
    /// It returns early with a rebalance. What is wrong with a partition is thrown once what came before was returned.
    public func poll(max: Int, wait: Duration) async throws(KafkaError) -> Polled {
        let client = client
        let result = await withTaskCancellationHandler {
            await outcome { [self] () throws(KafkaError) in
                if let error = postponed.withLock({ $0.take() }) { throw error }
                let (polled, error) = gather(
                    client, news: news, max: max, wait: wait, headers: readsHeaders)
                if case .assigned = polled.rebalance { joining.store(false, ordering: .releasing) }
                guard let error else { return polled }
                if polled.batches.isEmpty && polled.rebalance == nil { throw error }
                postponed.withLock { $0 = error }
                return polled
            }
        } onCancel: {
            client.wake()
        }
        return try result.get()
    }

    /// Makes a poll that waits, or else the next, return. Not after it was closed.
    public func wake() { client.wake() }

    /// Joins the group for these topics.
    public func subscribe(_ topics: [String]) async throws(KafkaError) {
        joining.store(true, ordering: .releasing)
        try await run { client throws(KafkaError) in
            let list = PartitionList(topics: topics)
            try KafkaError.check(rd_kafka_subscribe(client.rk, list.list))
        }
    }

    /// Reads exactly these partitions, from these offsets, outside any group.
    public func assign(_ offsets: [KafkaPartition: Int64]) async throws(KafkaError) {
        try await run { client throws(KafkaError) in
            let list = PartitionList(offsets)
            try KafkaError.check(rd_kafka_assign(client.rk, list.list))
        }
    }

    /// Reads these partitions too; part of the answer to ``Rebalance/assigned(_:)``.
    public func add(_ offsets: [KafkaPartition: Int64]) async throws(KafkaError) {
        try await run { client throws(KafkaError) in
            let list = PartitionList(offsets)
            try KafkaError.check(rd_kafka_incremental_assign(client.rk, list.list))
        }
    }

    /// Reads these partitions no more; the answer to ``Rebalance/revoked(_:)`` and ``Rebalance/lost(_:)``.
    public func remove(_ partitions: [KafkaPartition]) async throws(KafkaError) {
        try await run { client throws(KafkaError) in
            let list = PartitionList(partitions)
            try KafkaError.check(rd_kafka_incremental_unassign(client.rk, list.list))
        }
    }

    /// Commits the group's offsets and waits for the broker's word.
    public func commit(_ offsets: [KafkaPartition: Int64]) async throws(KafkaError) {
        try await run { client throws(KafkaError) in
            let list = PartitionList(offsets)
            try KafkaError.check(rd_kafka_commit(client.rk, list.list, 0))
            _ = try list.offsets()
        }
    }

    /// Commits the group's offsets without waiting for the broker's word. Where the group is being rebalanced, or does not
    /// know this consumer, nothing comes of it.
    public func note(_ offsets: [KafkaPartition: Int64]) async {
        if offsets.isEmpty { return }
        try? await run { client throws(KafkaError) in
            let list = PartitionList(offsets)
            try KafkaError.check(rd_kafka_commit(client.rk, list.list, 1))
        }
    }

    /// This consumer's present place in its group; nil where it has none, for instance because it was expelled.
    public func groupMetadata() async throws(KafkaError) -> GroupMetadata? {
        try await run { client in client.groupMetadata }
    }

    /// The same from any thread, which waits some microseconds for it, and also while a poll waits.
    public func groupMetadataAtOnce() throws(KafkaError) -> GroupMetadata? {
        try isDestroyed.withLock { isDestroyed throws(KafkaError) in
            if isDestroyed || closing.load(ordering: .acquiring) { throw .closed }
            return client.groupMetadata
        }
    }

    /// Leaves the group, where it joined one, and ends.
    public func close() async {
        if closing.exchange(true, ordering: .acquiringAndReleasing) { return }
        client.wake()
        let client = client
        calls.start { [self] in
            isDestroyed.withLock { $0 = true }
            client.destroy(leave: true, isJoining: joining.load(ordering: .acquiring))
        }
        await calls.finish()
    }

    private func run<Value: Sendable>(
        _ body: @escaping @Sendable (Client) throws(KafkaError) -> Value
    ) async throws(KafkaError) -> Value {
        let client = client
        return try await outcome { () throws(KafkaError) in try body(client) }.get()
    }

    private func outcome<Value: Sendable>(
        _ body: @escaping @Sendable () throws(KafkaError) -> Value
    ) async -> Result<Value, KafkaError> {
        await calls.outcome { [self] () throws(KafkaError) -> Value in
            if closing.load(ordering: .acquiring) { throw .closed }
            return try body()
        }
    }
}

extension Client {
    fileprivate var groupMetadata: GroupMetadata? {
        if rd_kafka_assignment_lost(rk) != 0 { return nil }
        guard let metadata = GroupMetadata(taking: rd_kafka_consumer_group_metadata(rk)) else { return nil }
        return metadata.generation < 0 ? nil : metadata
    }
}
