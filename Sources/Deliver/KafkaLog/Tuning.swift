internal import EventModel
internal import Kafka

/// The properties that each kind of client gets; what the log's owner gave goes over them.
struct Tuning: Sendable {
    var brokers: String
    var properties: [String: String]
    var membership = Membership()
    /// Where the user and the password are, which may be others by now.
    var credentials: CredentialSource?
    /// Whom clients tell how they do; nil has them tell nobody.
    var statistics: ClientStatistics?

    private func over(_ defaults: [String: String]) -> [String: String] {
        let telling =
            statistics == nil ? [:] : ["statistics.interval.ms": "\(ClientStatistics.interval.milliseconds)"]
        var all = defaults.merging(telling) { $1 }.merging(properties) { $1 }.merging(["bootstrap.servers": brokers]) {
            $1
        }
        if let now = credentials?.read() { (all["sasl.username"], all["sasl.password"]) = (now.username, now.password) }
        return all
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
        "batch.num.messages": "10000", "compression.type": "lz4", "message.max.bytes": "\(Limits.messageBytes)",
    ]) { $1 }

    /// How long an append is tried.
    var deliveryLimit: Duration {
        properties["message.timeout.ms"].flatMap { Int64($0) }.map { .milliseconds($0) } ?? KafkaLog.deliveryLimit
    }
    var admin: [String: String] { over(Tuning.connection.merging(["group.id": Tuning.readerGroup]) { $1 }) }
    var producer: [String: String] { over(Tuning.writing) }

    /// Not part of any group: the name is only one that librdkafka wants.
    var reader: [String: String] { over(reading.merging(["group.id": Tuning.readerGroup]) { $1 }) }
    /// The group's name of all that reads outside of groups, for which brokers want the right to read it.
    static let readerGroup = "millrace-reader"

    private var reading: [String: String] {
        guard let rack = membership.rack else { return Tuning.reading }
        return Tuning.reading.merging(["client.rack": rack]) { $1 }
    }

    /// A heartbeat tells of a rebalance, so it is short; a member that died is missed after the session. One with a name of its
    /// own is to come back under that name before it is missed.
    func member(_ group: String) -> [String: String] {
        let session = membership.instance == nil ? Tuning.session : Membership.session
        let defaults = reading.merging([
            "session.timeout.ms": "\(session.milliseconds)", "heartbeat.interval.ms": "500",
        ]) { $1 }
        let instance = membership.instance.map { ["group.instance.id": $0] } ?? [:]
        return over(defaults.merging(instance) { $1 }).merging(["group.id": group]) { $1 }
    }

    private static let session = Duration.seconds(10)

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
