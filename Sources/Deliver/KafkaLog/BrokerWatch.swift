internal import EventLog
internal import Kafka
internal import Synchronization

/// Tells a quiet log from one that cannot be reached: librdkafka's consumer keeps trying in silence.
///
/// When nothing was heard for as long as an answer may take, it asks.
final class BrokerWatch: Sendable {
    private let log: KafkaLog
    private let heard = Mutex(ContinuousClock.now)

    init(_ log: KafkaLog) { self.log = log }

    /// Throws `unreachable` where no broker answers.
    func saw(_ polled: Polled) async throws(LogError) {
        let silence = heard.withLock { heard in
            if !polled.batches.isEmpty || polled.rebalance != nil { heard = .now }
            return ContinuousClock.now - heard
        }
        if silence < log.admin.limit { return }
        try await log.learn()
        heard.withLock { $0 = .now }
    }
}
