internal import CRdkafka
internal import Dispatch

/// One librdkafka client and its event queue.
///
/// It is unchecked because librdkafka's handles may be used from any thread. Its owner calls `destroy` once, after the
/// last call that uses it has returned.
final class Client: @unchecked Sendable {
    let rk: OpaquePointer
    let news: ClientStatus
    private let events: OpaquePointer

    init(
        _ settings: consuming Settings, _ type: rd_kafka_type_t, events mask: Int32, news: ClientStatus,
        credentials: CredentialSource? = nil
    ) throws(KafkaError) {
        self.news = news
        rk = try settings.makeClient(type, events: mask, news: news)
        // Of a consumer, what else there is comes over the consumer's queue; without a group it has none.
        if type == RD_KAFKA_CONSUMER, let consumer = rd_kafka_queue_get_consumer(rk) {
            rd_kafka_poll_set_consumer(rk)
            events = consumer
        } else {
            events = rd_kafka_queue_get_main(rk)
        }
        if let credentials { renew(from: credentials) }
    }

    /// The next event, which the caller destroys.
    func poll(_ milliseconds: Int32) -> OpaquePointer? { rd_kafka_queue_poll(events, milliseconds) }
    /// Makes a poll that waits return.
    func wake() { rd_kafka_queue_yield(events) }

    /// Learns which partitions a topic has by now.
    func ask(of topic: OpaquePointer?) {
        var answer: UnsafePointer<rd_kafka_metadata>?
        _ = rd_kafka_metadata(rk, 0, topic, &answer, Self.asking)
        if let answer { rd_kafka_metadata_destroy(answer) }
    }

    /// How long it waits for that, in milliseconds.
    private static let asking: Int32 = 5000

    /// What made the client unusable, if it is.
    var fatalError: KafkaError? {
        var text = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(rk, &text, text.count)
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
        return KafkaError(KafkaError.Code(code), string(text), isFatal: true)
    }

    /// - Parameters:
    ///   - leave: a consumer leaves its group.
    ///   - isJoining: it may be in the middle of joining, without ever having been given partitions.
    func destroy(leave: Bool = false, isJoining: Bool = false) {
        // A rebalance that was told and not answered would be waited for when closing.
        if leave { rd_kafka_assign(rk, nil) }
        rd_kafka_queue_destroy(events)
        // librdkafka 2.0.2 was seen to wait without end for a group that could not be left. Such a client is given up:
        // its threads end with the process, and the group misses its member after the session.
        if leave && !leaveGroup() { return keepNews() }
        // Before 2.3 it aborts the process where a member's first assignment has not come, so that one is given up too.
        if isJoining && rd_kafka_version() < 0x0203_00ff { return keepNews() }
        end()
    }

    /// How long a consumer that closes waits for its group.
    private static let leaving = Duration.seconds(15)
    /// How long the threads of a client that ends are waited for.
    private static let ending = DispatchTimeInterval.seconds(5)

    /// Ends the client's threads. Where one of them waits for what does not come, as of a topic that was deleted, the client is
    /// given up: its threads end with the process.
    private func end() {
        let (client, ended) = (self, DispatchSemaphore(value: 0))
        DispatchQueue(label: "kafka.end").async {
            rd_kafka_destroy_flags(client.rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            ended.signal()
        }
        _ = ended.wait(timeout: .now() + Self.ending)
    }

    /// Threads that go on may still tell it something.
    private func keepNews() { _ = Unmanaged.passRetained(news) }

    /// Closes the consumer while answering every rebalance that comes of it, which `rd_kafka_consumer_close` would not:
    /// with rebalances as events there is no callback that answers them. Says whether it closed in time.
    private func leaveGroup() -> Bool {
        guard let queue = rd_kafka_queue_new(rk) else { return false }
        defer { rd_kafka_queue_destroy(queue) }
        if let error = rd_kafka_consumer_close_queue(rk, queue) {
            rd_kafka_error_destroy(error)
            return rd_kafka_consumer_closed(rk) != 0
        }
        let deadline = ContinuousClock.now + Self.leaving
        while rd_kafka_consumer_closed(rk) == 0, ContinuousClock.now < deadline {
            guard let event = rd_kafka_queue_poll(queue, 100) else { continue }
            // While it closes, librdkafka takes any assignment for none.
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE { rd_kafka_assign(rk, nil) }
            rd_kafka_event_destroy(event)
        }
        return rd_kafka_consumer_closed(rk) != 0
    }
}

extension KafkaError {
    /// What an error event says.
    init(event: OpaquePointer) {
        let code = rd_kafka_event_error(event)
        self.init(
            Code(code), rd_kafka_event_error_string(event).map { String(cString: $0) } ?? "",
            isFatal: rd_kafka_event_error_is_fatal(event) != 0)
    }
}
