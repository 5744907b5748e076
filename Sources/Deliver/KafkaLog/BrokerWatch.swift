internal import EventLog
internal import Kafka
internal import Synchronization

/// Tells a quiet log from one that cannot be reached: librdkafka's consumer keeps trying in silence.
final class BrokerWatch: Sendable {
    private let log: KafkaLog
    private let downSince = Mutex<ContinuousClock.Instant?>(nil)

    init(_ log: KafkaLog) { self.log = log }

    /// Throws `unreachable` when no broker could be reached for as long as an answer may take.
    func saw(_ polled: Polled, _ consumer: Consumer) async throws(LogError) {
        let since = downSince.withLock { since in
            if !polled.batches.isEmpty || polled.rebalance != nil {
                since = nil
            } else if polled.allBrokersDown && since == nil {
                since = .now
            }
            return since
        }
        guard let since, ContinuousClock.now - since > log.admin.limit else { return }
        // It answers: the consumer just had nothing to read.
        try await log.learn()
        downSince.withLock { $0 = nil }
    }
}
