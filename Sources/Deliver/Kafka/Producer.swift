internal import CRdkafka
internal import Dispatch
internal import Synchronization

extension Settings {
    /// A producer's settings: idempotent, every in-sync replica acknowledges, and keys go where Java clients put them.
    public static func producer(_ properties: [String: String]) throws(KafkaError) -> Settings {
        let defaults = [
            "enable.idempotence": "true", "acks": "all", "partitioner": "murmur2_random",
            "queue.buffering.max.messages": "500000",
        ]
        return try Settings(defaults.merging(properties) { $1 })
    }
}

/// Writes messages in batches.
///
/// Each batch costs one hop to a thread of its own, which waits while librdkafka's queue is full, and one back when the
/// last delivery report is in. Who made it closes it.
public final class Producer: Sendable {
    let client: Client
    let calls = Calls("kafka.producer.calls")
    private let reports = Calls("kafka.producer.reports")
    private let deliveries = Deliveries()
    private let topics = TopicHandles()
    private let news: ClientStatus
    private let closing = Atomic(false)
    private let stopped = Atomic(false)

    /// - Parameters:
    ///   - settings: `bootstrap.servers` at least, and `transactional.id` for transactions.
    ///   - credentials: Where a password is that may change.
    ///   - onStatistics: Told librdkafka's statistics as JSON each time they come, where `statistics.interval.ms` is set. It is
    ///   called on the thread of delivery reports, which wait for it.
    public init(
        _ settings: consuming Settings, credentials: CredentialSource? = nil,
        onStatistics: (@Sendable (_ json: String) -> Void)? = nil
    ) throws(KafkaError) {
        news = ClientStatus(onStatistics: onStatistics)
        client = try Client(
            settings, RD_KAFKA_PRODUCER, events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS,
            news: news, credentials: credentials)
        reports.start { [self] in
            while !stopped.load(ordering: .acquiring) {
                guard let event = client.poll(1000) else { continue }
                if rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR {
                    deliveries.report(event)
                } else {
                    news.take(event)
                }
                rd_kafka_event_destroy(event)
            }
        }
    }

    /// librdkafka's latest statistics as JSON, where `statistics.interval.ms` is set.
    public var statistics: String? { news.statistics }
    /// The latest trouble with brokers, for people; librdkafka goes on by itself.
    public var lastError: KafkaError? { news.lastError }
    /// Why brokers take no connection of this client just now; librdkafka goes on trying.
    public var refusal: Refusing? { news.refusal }
    /// How much quotas have held it back since this was asked last.
    public func takeThrottling() -> Throttling? { news.takeThrottling() }
    /// Set when this producer is of no more use and must be replaced.
    public var fatalError: KafkaError? { closing.load(ordering: .acquiring) ? .closed : client.fatalError }

    /// Writes the messages of each batch in their order and returns where each went, once all are acknowledged.
    ///
    /// Where some failed it throws the first error after the last report; others may have been written.
    public func produce(_ batches: [OutgoingBatch]) async throws(KafkaError) -> [[Written]] {
        try await produce(batches) {}
    }

    /// - Parameter next: Called on the thread of calls once all are in librdkafka's queue.
    func produce(
        _ batches: [OutgoingBatch], then next: @escaping @Sendable () -> Void
    ) async throws(KafkaError) -> [[Written]] {
        let outcome = await withCheckedContinuation { continuation in
            calls.start { [self] in
                if closing.load(ordering: .acquiring) {
                    return continuation.resume(returning: Deliveries.Outcome.failure(.closed))
                }
                enqueue(batches) { continuation.resume(returning: $0) }
                next()
            }
        }
        return try outcome.get().places(of: batches)
    }

    /// The same on the thread of calls, which waits for the reports.
    ///
    /// - Parameter next: Called once all are in librdkafka's queue.
    func write(_ batches: [OutgoingBatch], then next: () -> Void) throws(KafkaError) -> [[Written]] {
        let (ended, outcome) = (DispatchSemaphore(value: 0), Reported())
        enqueue(batches) { all in
            outcome.all.withLock { $0 = all }
            ended.signal()
        }
        next()
        ended.wait()
        return try (outcome.all.withLock(\.self) ?? .failure(.closed)).get().places(of: batches)
    }

    private final class Reported: Sendable { let all = Mutex<Deliveries.Outcome?>(nil) }

    private func enqueue(_ batches: [OutgoingBatch], _ end: @escaping @Sendable (Deliveries.Outcome) -> Void) {
        let count = batches.reduce(0) { $0 + $1.messages.count }
        if count == 0 { return end(.success([])) }
        enqueue(batches, count: count, as: deliveries.begin(count, end))
    }

    private func enqueue(_ batches: [OutgoingBatch], count: Int, as number: UInt32) {
        var index = 0
        for batch in batches {
            let topic = topics.handle(batch.topic, client.rk)
            var hasAsked = false
            for message in batch.messages {
                let failure: KafkaError?
                if closing.load(ordering: .relaxed) {
                    failure = .closed
                } else {
                    let (partition, tag) = (batch.partition ?? -1, Deliveries.tag(number, index))
                    var code = message.enqueue(client.rk, topic, partition, tag: tag)
                    if code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, !hasAsked {
                        // It may have been added since this client last asked.
                        hasAsked = true
                        client.ask(of: topic)
                        code = message.enqueue(client.rk, topic, partition, tag: tag)
                    }
                    failure = KafkaError(code)
                }
                if let failure { return deliveries.give(up: number, count: count - index, failure) }
                index += 1
            }
        }
    }

    /// Throws away what is not acknowledged yet, whose callers get an error, and ends. To lose nothing, await it first.
    public func close() async {
        if closing.exchange(true, ordering: .acquiringAndReleasing) { return }
        // From here: the thread of calls may be waiting for room in the queue, and this makes room.
        rd_kafka_purge(client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        let client = client
        await calls.finish()
        calls.start {
            rd_kafka_purge(client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            rd_kafka_flush(client.rk, 1000)
        }
        await calls.finish()
        stopped.store(true, ordering: .releasing)
        client.wake()
        await reports.finish()
        deliveries.close()
        let topics = topics
        calls.start {
            topics.close()
            client.destroy()
        }
        await calls.finish()
    }

    /// A call that blocks, on this producer's thread.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (Client) throws(KafkaError) -> Value
    ) async throws(KafkaError) -> Value {
        try await calls.run { [self] () throws(KafkaError) -> Value in
            if closing.load(ordering: .acquiring) { throw .closed }
            return try body(client)
        }
    }
}

extension [Written] {
    /// Of the messages of each batch.
    fileprivate func places(of batches: [OutgoingBatch]) -> [[Written]] {
        var rest = self[...]
        return batches.map { batch in
            defer { rest = rest.dropFirst(batch.messages.count) }
            return Array(rest.prefix(batch.messages.count))
        }
    }
}

/// librdkafka's handles of topics, by name. Unchecked because only the producer's thread of calls uses it.
private final class TopicHandles: @unchecked Sendable {
    private var handles: [String: OpaquePointer] = [:]

    func handle(_ topic: String, _ rk: OpaquePointer) -> OpaquePointer? {
        if let handle = handles[topic] { return handle }
        let handle = rd_kafka_topic_new(rk, topic, nil)
        handles[topic] = handle
        return handle
    }

    func close() {
        for handle in handles.values { rd_kafka_topic_destroy(handle) }
        handles = [:]
    }
}
