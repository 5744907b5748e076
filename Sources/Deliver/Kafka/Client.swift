internal import CRdkafka

/// One librdkafka client and its event queue.
///
/// It is unchecked because librdkafka's handles may be used from any thread. Its owner calls `destroy` once, after the
/// last call that uses it has returned.
final class Client: @unchecked Sendable {
    let rk: OpaquePointer
    private let events: OpaquePointer

    init(_ settings: consuming Settings, _ type: rd_kafka_type_t, events mask: Int32) throws(KafkaError) {
        rk = try settings.makeClient(type, events: mask)
        // Of a consumer, what else there is comes over the consumer's queue; without a group it has none.
        if type == RD_KAFKA_CONSUMER, let consumer = rd_kafka_queue_get_consumer(rk) {
            rd_kafka_poll_set_consumer(rk)
            events = consumer
        } else {
            events = rd_kafka_queue_get_main(rk)
        }
    }

    /// The next event, which the caller destroys.
    func poll(_ milliseconds: Int32) -> OpaquePointer? { rd_kafka_queue_poll(events, milliseconds) }
    /// Makes a poll that waits return.
    func wake() { rd_kafka_queue_yield(events) }

    /// What made the client unusable, if it is.
    var fatalError: KafkaError? {
        var text = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(rk, &text, text.count)
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
        return KafkaError(KafkaError.Code(code), string(text), isFatal: true)
    }

    /// - Parameter leave: a consumer leaves its group.
    func destroy(leave: Bool = false) {
        rd_kafka_queue_destroy(events)
        if leave { rd_kafka_consumer_close(rk) }
        rd_kafka_destroy_flags(rk, leave ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
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
