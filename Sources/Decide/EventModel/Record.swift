/// A name and a value that travel with a record, as in Kafka.
public struct Header: Hashable, Sendable {
    public var name: String
    public var value: Bytes
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
}

/// A record on its way to the log.
public struct NewRecord: Hashable, Sendable {
    public var key: Bytes
    public var value: Bytes
    public var timestamp: Timestamp
    public var headers: [Header]
    public init(key: Bytes, value: Bytes, timestamp: Timestamp, headers: [Header] = []) {
        self.key = key
        self.value = value
        self.timestamp = timestamp
        self.headers = headers
    }
}

/// A record as the log keeps it.
public struct Record: Hashable, Sendable {
    public var offset: Offset
    public var timestamp: Timestamp
    public var key: Bytes
    public var value: Bytes
    public var headers: [Header]
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

/// What any record, key or name may be at most. Kafka's own default for a whole message is 1,000,012 bytes.
public enum Limits {
    public static let keyBytes = 512
    public static let valueBytes = 900_000
    public static let headers = 16
    public static let headerBytes = 4096
    /// Characters of a command id.
    public static let commandID = 128
    /// Characters of a topic's name (Kafka's own limit).
    public static let topicName = 249
    public static let partitions = 1024
    /// Bytes of one line of input. Any value fits as JSON, also where each of its characters is an escape of six bytes.
    public static let lineBytes = 6_000_000
    /// Rows of one page of a query.
    public static let pageRows = 10_000
}
