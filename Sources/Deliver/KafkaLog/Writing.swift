internal import EventLog
internal import EventModel
internal import Kafka

extension Producer {
    func write(_ appends: [Append]) async throws(LogError) -> [[Offset]] {
        let batches = appends.map(OutgoingBatch.init)
        return try await telling("the records could not be appended") { () throws(KafkaError) in
            try await produce(batches).map { written in written.map { Offset($0.offset) } }
        }
    }
}

extension OutgoingBatch {
    init(_ append: Append) {
        self.init(
            topic: append.target.topic, partition: append.target.partition.rawValue,
            append.records.map { record in
                OutgoingMessage(
                    key: record.key.isEmpty ? nil : record.key.slice,
                    value: record.value.isEmpty ? nil : record.value.slice,
                    timestamp: record.timestamp.rawValue == 0 ? 1 : record.timestamp.rawValue,
                    headers: record.headers.map { MessageHeader($0.name, $0.value.slice) })
            })
    }
}

extension Batch {
    init(_ batch: MessageBatch) {
        self.init(
            source: TopicPartition(batch.source), records: batch.messages.map(Record.init), next: Offset(batch.next))
    }
}

extension Record {
    init(_ message: KafkaMessage) {
        self.init(
            offset: Offset(message.offset), timestamp: Timestamp(message.timestamp),
            key: message.key.map(Bytes.init) ?? Bytes(),
            value: message.value.map(Bytes.init) ?? Bytes(),
            headers: message.headers.map { Header($0.name, $0.value.map(Bytes.init) ?? Bytes()) })
    }
}
