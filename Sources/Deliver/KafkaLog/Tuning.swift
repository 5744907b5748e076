internal import EventModel
internal import Kafka

/// The properties that each kind of client gets; what the log's owner gave goes over them.
struct Tuning: Sendable {
    var brokers: String
    var properties: [String: String]

    private func over(_ defaults: [String: String]) -> [String: String] {
        defaults.merging(properties) { $1 }.merging(["bootstrap.servers": brokers]) { $1 }
    }

    /// Finds a broker again soon after it was away.
    private static let connection = [
        "client.id": "millrace", "reconnect.backoff.ms": "50", "reconnect.backoff.max.ms": "1000",
        "topic.metadata.refresh.interval.ms": "30000",
    ]
    /// A long poll wakes on new data; its limit is how long a partition just started waits for the poll before.
    private static let reading = connection.merging([
        "fetch.wait.max.ms": "100", "fetch.error.backoff.ms": "50",
    ]) { $1 }
    private static let writing = connection.merging([
        "message.timeout.ms": "\(KafkaLog.deliveryLimit.milliseconds)", "linger.ms": "1", "batch.size": "1000000",
        "batch.num.messages": "10000", "compression.type": "lz4",
    ]) { $1 }

    /// How long an append is tried.
    var deliveryLimit: Duration {
        properties["message.timeout.ms"].flatMap { Int64($0) }.map { .milliseconds($0) } ?? KafkaLog.deliveryLimit
    }
    var admin: [String: String] { over(Tuning.connection) }
    var producer: [String: String] { over(Tuning.writing) }

    /// Not part of any group: the name is only one that librdkafka wants.
    var reader: [String: String] { over(Tuning.reading.merging(["group.id": "millrace-reader"]) { $1 }) }

    /// A heartbeat tells of a rebalance, so it is short; a member that died is missed after the session.
    func member(_ group: String) -> [String: String] {
        over(
            Tuning.reading.merging([
                "session.timeout.ms": "10000", "heartbeat.interval.ms": "500",
            ]) { $1 }
        ).merging(["group.id": group]) { $1 }
    }

    /// The broker answers CONCURRENT_TRANSACTIONS until the markers of the last transaction are written, and the client
    /// asks again after `retry.backoff.ms`.
    func transactions(_ id: String) -> [String: String] {
        var defaults = Tuning.writing
        defaults["message.timeout.ms"] = nil
        return over(
            defaults.merging([
                "retry.backoff.ms": "5", "linger.ms": "0",
                "transaction.timeout.ms": "\(KafkaLog.transactionLimit.milliseconds)",
            ]) { $1 }
        ).merging(["transactional.id": id]) { $1 }
    }
}
