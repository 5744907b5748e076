/// A name and a value that travel with a record, as in Kafka.
public struct Header: Hashable, Sendable {
    /// The header's name; several may have the same.
    public var name: String
    /// Its value, of at most ``Limits/headerBytes``.
    public var value: Bytes
    /// A header of that name.
    public init(_ name: String, _ value: Bytes) {
        self.name = name
        self.value = value
    }
}

/// The header names that Millrace writes.
public enum HeaderName {
    /// A command's id.
    public static let id = "id"
    /// The id of the command that caused an event.
    public static let cause = "cause"
    /// Set to `fact` on a record of a commands topic whose value is an event to be admitted.
    public static let kind = "kind"
    /// A command's own time in milliseconds, where it is not the moment that the log took it.
    public static let time = "time"
    /// The event's or command's name, for readers that do not decode.
    public static let type = "type"
    /// The trace that a record belongs to, as W3C's Trace Context says it. What follows from the record carries it on.
    public static let trace = "traceparent"
}

/// A record on its way to the log.
public struct NewRecord: Hashable, Sendable {
    /// What decides its partition, of at most ``Limits/keyBytes``.
    public var key: Bytes
    /// Its content, of at most ``Limits/valueBytes``.
    public var value: Bytes
    /// When it happened, as the writer says. A topic with the log's clock puts its own in place of it.
    public var timestamp: Timestamp
    /// What travels with it, at most ``Limits/headers``.
    public var headers: [Header]
    /// A record that has no offset yet.
    public init(key: Bytes, value: Bytes, timestamp: Timestamp, headers: [Header] = []) {
        self.key = key
        self.value = value
        self.timestamp = timestamp
        self.headers = headers
    }
}

/// A record as the log keeps it.
public struct Record: Hashable, Sendable {
    /// Its place in its partition.
    public var offset: Offset
    /// When it happened, or where the topic has the log's clock, when the log took it.
    public var timestamp: Timestamp
    /// What decided its partition; empty where it belongs to no order.
    public var key: Bytes
    /// Its content; empty where it removes its key from a compacted topic.
    public var value: Bytes
    /// What travels with it, in the writer's order.
    public var headers: [Header]
    /// A record as a log has read it.
    public init(offset: Offset, timestamp: Timestamp, key: Bytes, value: Bytes, headers: [Header] = []) {
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }
    /// The moment that deciders go by: what the command says of itself, else the record's timestamp.
    public var decisionTime: Timestamp {
        self[header: HeaderName.time].flatMap { Int64($0) }.map { Timestamp($0) } ?? timestamp
    }
    /// The value of the first header of that name.
    public subscript(header name: String) -> String? { headers.first { $0.name == name }?.value.text }
}

/// What any record, key or name may be at most.
public enum Limits {
    /// Bytes of a record's key.
    public static let keyBytes = 512
    /// Bytes of a record's value: 1 MiB of what somebody keeps, and the event around it.
    public static let valueBytes = 1_100_000
    /// Headers of a record.
    public static let headers = 16
    /// Bytes of one header's value.
    public static let headerBytes = 4096
    /// Bytes of the largest record with its key, its headers and what Kafka puts around it: what topics on Kafka are declared to
    /// take (`max.message.bytes`, whose default there is 1,048,588) and producers send (`message.max.bytes`).
    public static let messageBytes = 1_200_000
    /// Characters of a command id.
    public static let commandID = 128
    /// Characters of a topic's name (Kafka's own limit).
    public static let topicName = 249
    /// Partitions of a topic.
    public static let partitions = 1024
    /// Bytes of one line of input. Any value fits as JSON, also where each of its characters is an escape of six bytes.
    public static let lineBytes = 6_700_000
    /// Rows of one page of a query.
    public static let pageRows = 10_000
}
