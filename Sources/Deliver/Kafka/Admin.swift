internal import CRdkafka
internal import Synchronization

/// Looks after topics and asks brokers where their offsets are. Every call blocks a thread of this client's own.
///
/// Offsets are seen as `read_uncommitted` does: transactions still open count. Who made it closes it.
public final class Admin: Sendable {
    private let client: Client
    private let calls = Calls("kafka.admin")
    let news: ClientStatus
    private let closing = Atomic(false)
    /// The latest answer about all topics, and when it was asked for.
    let seen = Mutex<(asked: ContinuousClock.Instant, answer: Result<[TopicDescription], KafkaError>)?>(nil)
    /// How long a call may take.
    public let limit: Duration

    /// - Parameters:
    ///   - properties: librdkafka's, by name; `bootstrap.servers` at least.
    ///   - limit: How long a call may take.
    ///   - credentials: Where a password is that may change.
    public init(
        _ properties: [String: String], limit: Duration = .seconds(10), credentials: CredentialSource? = nil
    ) throws(KafkaError) {
        // Without a group's name, a moved coordinator would crash librdkafka 2.0 when it lists a group's offsets.
        var settings = try Settings(["group.id": "admin"].merging(properties) { $1 })
        try settings.set("isolation.level", "read_uncommitted")
        self.limit = limit
        news = ClientStatus()
        client = try Client(
            settings, RD_KAFKA_CONSUMER, events: RD_KAFKA_EVENT_ERROR, news: news, credentials: credentials)
    }

    /// The latest trouble with brokers, for people.
    public var lastError: KafkaError? { news.lastError }
    /// Why brokers take no connection of this client just now; librdkafka goes on trying.
    public var refusal: Refusing? { news.refusal }
    /// How much quotas have held it back since this was asked last.
    public func takeThrottling() -> Throttling? { news.takeThrottling() }

    /// Ends the client, once the calls that are under way have ended.
    public func close() async {
        if closing.exchange(true, ordering: .acquiringAndReleasing) { return }
        let client = client
        calls.start { client.destroy() }
        await calls.finish()
    }

    /// - Parameter time: How long the call may take, where that is less than the limit.
    func run<Value: Sendable>(
        within time: Duration? = nil,
        _ body: @escaping @Sendable (Client, _ milliseconds: Int32) throws(KafkaError) -> Value
    ) async throws(KafkaError) -> Value {
        let time = min(time ?? limit, limit)
        return try await calls.run { [self] () throws(KafkaError) -> Value in
            if closing.load(ordering: .acquiring) { throw .closed }
            defer { hearNews() }
            return try body(client, time.milliseconds)
        }
    }

    func hearNews() {
        while let event = client.poll(0) {
            news.take(event)
            rd_kafka_event_destroy(event)
        }
    }

    /// Sends an admin request and reads its answer.
    func ask<Value: Sendable>(
        _ operation: rd_kafka_admin_op_t, within time: Duration? = nil,
        prepare: @escaping @Sendable (OpaquePointer) -> Void = { _ in },
        send:
            @escaping @Sendable (_ rk: OpaquePointer, _ options: OpaquePointer, _ queue: OpaquePointer)
            throws(KafkaError) -> Void,
        read: @escaping @Sendable (_ event: OpaquePointer) throws(KafkaError) -> Value
    ) async throws(KafkaError) -> Value {
        try await run(within: time) { client, milliseconds throws(KafkaError) in
            guard let options = rd_kafka_AdminOptions_new(client.rk, operation),
                let queue = rd_kafka_queue_new(client.rk)
            else { throw KafkaError(.invalidSetting, "librdkafka has no such request") }
            defer {
                rd_kafka_AdminOptions_destroy(options)
                rd_kafka_queue_destroy(queue)
            }
            var text = [CChar](repeating: 0, count: 512)
            rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, &text, text.count)
            prepare(options)
            try send(client.rk, options, queue)
            guard let event = rd_kafka_queue_poll(queue, milliseconds + 1000) else {
                throw KafkaError(.timedOut, "the broker does not answer")
            }
            defer { rd_kafka_event_destroy(event) }
            if rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(event: event) }
            return try read(event)
        }
    }
}
