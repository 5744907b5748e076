internal import EventLog
public import EventModel
internal import Kafka

extension KafkaLog {
    /// The end includes transactions still open, so that who has read up to it has seen how they ended.
    public func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>] {
        let bounds = try await asking(partitions) { partitions throws(KafkaError) in
            try await admin.bounds(of: partitions)
        }
        return bounds.reduce(into: [:]) { result, bound in
            result[TopicPartition(bound.key)] = Offset(bound.value.lowerBound)..<Offset(bound.value.upperBound)
        }
    }

    public func offsets(of partitions: [TopicPartition], at time: Timestamp) async throws -> [TopicPartition: Offset] {
        let bounds = try await bounds(of: partitions)
        let found = try await asking(partitions) { partitions throws(KafkaError) in
            // Negative numbers mean other things to a broker, and no record of Kafka is from before 1970.
            try await admin.offsets(of: partitions, at: max(0, time.rawValue))
        }
        return bounds.reduce(into: [:]) { result, bound in
            result[bound.key] = found[KafkaPartition(bound.key)].map { Offset($0) } ?? bound.value.upperBound
        }
    }

    public func committed(_ group: String, _ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        let asked = partitions.map(KafkaPartition.init)
        // A transaction in its last moments is waited for: its offsets will be there, or they will not.
        let began = ContinuousClock.now
        while true {
            do {
                let offsets = try await admin.committed(group, asked)
                return offsets.reduce(into: [:]) { $0[TopicPartition($1.key)] = Offset($1.value) }
            } catch let error where error.code == .unknownGroup {
                return [:]
            } catch let error where error.code == .closed {
                throw LogError.wasClosed
            } catch {
                let patience =
                    error.code == .unstableOffset
                    ? KafkaLog.transactionLimit * 2 : error.code.passes ? admin.limit : .zero
                if ContinuousClock.now - began >= patience {
                    throw LogError(error, doing: "the offsets of group \(group) could not be read")
                }
                try await Task.sleep(for: KafkaLog.pause)
            }
        }
    }

    /// How long to wait before a broker that was not ready is asked again.
    static let pause: Duration = .milliseconds(20)

    /// Asks partitions' leaders, again where they are new or move. Topics are there before all leaders know it.
    private func asking<Answer>(
        _ partitions: [TopicPartition], _ ask: ([KafkaPartition]) async throws(KafkaError) -> Answer
    ) async throws -> Answer {
        let deadline = ContinuousClock.now + admin.limit
        while true {
            try await check(partitions)
            do {
                return try await ask(partitions.map(KafkaPartition.init))
            } catch let error where error.code == .closed {
                throw LogError.wasClosed
            } catch {
                let isMoving = error.code.passes || LogError.Kind(error) == .unknownTopic
                if !isMoving || ContinuousClock.now >= deadline {
                    throw LogError(error, doing: "the partitions' offsets could not be read")
                }
            }
            try await Task.sleep(for: KafkaLog.pause)
            try await learn()
        }
    }
}
