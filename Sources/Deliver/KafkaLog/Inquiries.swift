internal import EventLog
public import EventModel
internal import Kafka

extension KafkaLog {
    /// The end includes transactions still open, so that who has read up to it has seen how they ended.
    public func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>] {
        try await check(partitions)
        let bounds = try await telling("the partitions' offsets could not be read") { () throws(KafkaError) in
            try await admin.bounds(of: partitions.map(KafkaPartition.init))
        }
        return bounds.reduce(into: [:]) { result, bound in
            result[TopicPartition(bound.key)] = Offset(bound.value.lowerBound)..<Offset(bound.value.upperBound)
        }
    }

    public func offsets(of partitions: [TopicPartition], at time: Timestamp) async throws -> [TopicPartition: Offset] {
        let bounds = try await bounds(of: partitions)
        let found = try await telling("the partitions' offsets could not be read") { () throws(KafkaError) in
            try await admin.offsets(of: partitions.map(KafkaPartition.init), at: time.rawValue)
        }
        return bounds.reduce(into: [:]) { result, bound in
            result[bound.key] = found[KafkaPartition(bound.key)].map { Offset($0) } ?? bound.value.upperBound
        }
    }

    public func committed(_ group: String, _ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        let asked = partitions.map(KafkaPartition.init)
        // A transaction in its last moments is waited for: its offsets will be there, or they will not.
        let deadline = ContinuousClock.now + KafkaLog.transactionLimit * 2
        while true {
            do {
                let offsets = try await admin.committed(group, asked)
                return offsets.reduce(into: [:]) { $0[TopicPartition($1.key)] = Offset($1.value) }
            } catch let error where error.code == .unstableOffset && ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(5))
            } catch let error where error.code == .unknownGroup {
                return [:]
            } catch let error where error.code == .closed {
                throw LogError.wasClosed
            } catch {
                throw LogError(error, doing: "the offsets of group \(group) could not be read")
            }
        }
    }
}
