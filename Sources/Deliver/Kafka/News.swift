internal import CRdkafka
internal import Synchronization

/// What a client's events last said about itself.
final class News: Sendable {
    private struct State {
        var statistics: String?
        var lastError: KafkaError?
    }
    private let state = Mutex(State())

    var statistics: String? { state.withLock(\.statistics) }
    var lastError: KafkaError? { state.withLock(\.lastError) }

    func take(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_STATS:
            let statistics = rd_kafka_event_stats(event).map { String(cString: $0) }
            state.withLock { $0.statistics = statistics }
        case RD_KAFKA_EVENT_ERROR:
            let error = KafkaError(event: event)
            // That all are down says less than why each is.
            state.withLock { state in
                if error.code != .allBrokersDown || state.lastError == nil { state.lastError = error }
            }
        default: break
        }
    }
}
