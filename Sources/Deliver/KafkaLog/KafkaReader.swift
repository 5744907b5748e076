internal import EventLog
internal import EventModel
internal import Kafka
internal import Synchronization

/// Reads partitions on its own account: no group knows of it, and it commits nothing.
final class KafkaReader: LogReader {
    private let consumer: Consumer
    private let positions: Mutex<[TopicPartition: Offset]>
    private let watch: BrokerWatch

    init(_ log: KafkaLog, _ positions: [TopicPartition: Offset]) async throws(LogError) {
        consumer = try await telling("a reader could not be made") { () throws(KafkaError) in
            try Consumer(
                .consumer(log.tuning.reader), credentials: log.tuning.credentials,
                onStatistics: log.tuning.statistics?.listener(of: "reader"))
        }
        self.positions = Mutex(positions)
        watch = BrokerWatch(log, "a reader", Array(Set(positions.keys.map(\.topic))).sorted())
        let consumer = consumer
        do {
            let offsets = positions.reduce(into: [:]) { $0[KafkaPartition($1.key)] = $1.value.rawValue }
            try await telling("a reader could not be started") { () throws(KafkaError) in
                try await consumer.assign(offsets)
            }
        } catch {
            await consumer.close()
            throw error
        }
    }

    func next(max: Int, wait: Duration) async throws -> [Batch] {
        let deadline = ContinuousClock.now + wait
        while true {
            let left = Swift.max(deadline - .now, .zero)
            let polled = try await telling("reading failed") { () throws(KafkaError) in
                try await consumer.poll(max: max, wait: left)
            }
            let batches = try polled.batches.compactMap { try advance(Batch($0)) }
            try await watch.saw(polled, of: consumer)
            if !batches.isEmpty { return batches }
            if Task.isCancelled || ContinuousClock.now >= deadline { return [] }
        }
    }

    /// Notes a batch's position; nil where the batch says nothing new.
    private func advance(_ batch: Batch) throws(LogError) -> Batch? {
        let before = positions.withLock { positions in
            defer { positions[batch.source] = batch.next }
            return positions[batch.source] ?? batch.next
        }
        if let first = batch.records.first, first.offset < before { throw LogError.truncated(batch.source, before) }
        return batch.records.isEmpty && batch.next <= before ? nil : batch
    }

    func close() async { await consumer.close() }
}

extension LogError {
    /// Kafka starts from the beginning where the offset asked for lies past the end.
    static func truncated(_ partition: TopicPartition, _ offset: Offset) -> LogError {
        LogError(
            .damaged,
            "\(partition) ends before offset \(offset), from where it was to be read; was the topic made anew?")
    }
}
