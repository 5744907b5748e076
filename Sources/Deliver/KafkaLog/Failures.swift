internal import EventLog
internal import EventModel
internal import Kafka

extension KafkaPartition {
    init(_ partition: TopicPartition) { self.init(partition.topic, partition.partition.rawValue) }
}

extension TopicPartition {
    init(_ partition: KafkaPartition) { self.init(partition.topic, Partition(rawValue: partition.partition)) }
}

extension LogError {
    /// What an error of Kafka's means to those who use a log.
    init(_ error: KafkaError, doing what: String) {
        self.init(Kind(error), "\(what): \(error)")
    }

    /// A broker that answers takes no connection.
    static func refused(_ refusal: BrokerRefusal, _ tuning: Tuning) -> LogError {
        let mechanism = tuning.properties["sasl.mechanism"] ?? tuning.properties["sasl.mechanisms"]
        return LogError(
            .refused, "the broker takes no connection: \(refusal.advice(mechanism: mechanism)): \(refusal.words)")
    }

    static func unreachable(_ brokers: String, _ limit: Duration, _ last: KafkaError?) -> LogError {
        let reason = last.map { ": \($0.message)" } ?? ""
        return LogError(
            .unreachable,
            "no Kafka broker answers at \(brokers) within \(limit.milliseconds / 1000) s\(reason); is it running, and is the address right?"
        )
    }
}

extension LogError.Kind {
    init(_ error: KafkaError) {
        switch error.code {
        case .timedOut, .messageTimedOut, .transport, .allBrokersDown, .unresolved: self = .unreachable
        case .illegalGeneration, .unknownMember: self = .fenced
        case .fencedInstance: self = .replaced
        case .unknownTopic, .unknownTopicLocally, .unknownPartitionLocally: self = .unknownTopic
        case .tooLarge: self = .tooLarge
        case .invalidSetting: self = .setting
        case .corrupt: self = .damaged
        case .topicDenied, .groupDenied, .clusterDenied, .transactionDenied: self = .denied
        case .authentication, .saslFailed, .ssl, .unsupportedMechanism, .illegalState: self = .refused
        case .closed, .purgedFromQueue, .purgedInFlight: self = .closed
        default: self = .failed
        }
    }
}

/// Calls Kafka and tells its errors as the log's.
func telling<Value>(
    _ what: @autoclosure () -> String, _ body: () async throws(KafkaError) -> Value
) async throws(LogError) -> Value {
    do {
        return try await body()
    } catch {
        if error.code == .closed { throw LogError.wasClosed }
        throw LogError(error, doing: what())
    }
}
