/// A name and a value that travel with a message.
public struct MessageHeader: Sendable, Hashable {
    public var name: String
    public var value: ArraySlice<UInt8>?
    public init(_ name: String, _ value: ArraySlice<UInt8>?) {
        self.name = name
        self.value = value
    }
}

/// A message on its way to a partition.
public struct OutgoingMessage: Sendable, Hashable {
    public var key: ArraySlice<UInt8>?
    public var value: ArraySlice<UInt8>?
    /// Milliseconds since 1970; nil takes the time at which it is produced.
    public var timestamp: Int64?
    public var headers: [MessageHeader]
    public init(
        key: ArraySlice<UInt8>?, value: ArraySlice<UInt8>?, timestamp: Int64? = nil, headers: [MessageHeader] = []
    ) {
        self.key = key
        self.value = value
        self.timestamp = timestamp
        self.headers = headers
    }
}

/// Messages for one topic, in order.
public struct OutgoingBatch: Sendable, Hashable {
    public var topic: String
    /// Nil lets each message's key decide.
    public var partition: Int32?
    public var messages: [OutgoingMessage]
    public init(topic: String, partition: Int32? = nil, _ messages: [OutgoingMessage]) {
        self.topic = topic
        self.partition = partition
        self.messages = messages
    }
}

/// Where a message was written.
public struct Written: Sendable, Hashable {
    public var partition: Int32
    public var offset: Int64
    public init(partition: Int32, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }
}

/// A message as it was read. Its bytes are slices of one arena that the whole poll shares.
public struct KafkaMessage: Sendable, Hashable {
    public var offset: Int64
    /// Milliseconds since 1970, or -1 where there is none.
    public var timestamp: Int64
    public var key: ArraySlice<UInt8>?
    public var value: ArraySlice<UInt8>?
    public var headers: [MessageHeader]
    public init(
        offset: Int64, timestamp: Int64, key: ArraySlice<UInt8>?, value: ArraySlice<UInt8>?,
        headers: [MessageHeader] = []
    ) {
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }
}

/// Messages of one partition, in order.
public struct MessageBatch: Sendable, Hashable {
    public var source: KafkaPartition
    public var messages: [KafkaMessage]
    /// Past the last message, and past control and aborted records where the partition's end was reached.
    public var next: Int64
}
