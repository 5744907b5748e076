/// A name and a value that travel with a message.
public struct MessageHeader: Sendable, Hashable {
    /// The header's name; several may have the same.
    public var name: String
    /// Its bytes; nil is Kafka's null.
    public var value: ArraySlice<UInt8>?
    /// A header of that name.
    public init(_ name: String, _ value: ArraySlice<UInt8>?) {
        self.name = name
        self.value = value
    }
}

/// A message on its way to a partition.
public struct OutgoingMessage: Sendable, Hashable {
    /// What decides the partition; nil is Kafka's null, and any partition.
    public var key: ArraySlice<UInt8>?
    /// The content; nil is Kafka's null, which removes the key from a compacted topic.
    public var value: ArraySlice<UInt8>?
    /// Milliseconds since 1970; nil takes the time at which it is produced.
    public var timestamp: Int64?
    /// What travels with it, in order.
    public var headers: [MessageHeader]
    /// A message that has no offset yet.
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
    /// The topic that they go to.
    public var topic: String
    /// Nil lets each message's key decide.
    public var partition: Int32?
    /// In the order in which they are written; of different partitions any may come first.
    public var messages: [OutgoingMessage]
    /// Messages for a topic, or for one partition of it.
    public init(topic: String, partition: Int32? = nil, _ messages: [OutgoingMessage]) {
        self.topic = topic
        self.partition = partition
        self.messages = messages
    }
}

/// Where a message was written.
public struct Written: Sendable, Hashable {
    /// The partition that its key, or the batch, chose.
    public var partition: Int32
    /// Its offset there.
    public var offset: Int64
    /// A place in a topic.
    public init(partition: Int32, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }
}

/// A message as it was read. Its bytes are slices of one arena that the whole poll shares.
public struct KafkaMessage: Sendable, Hashable {
    /// Its place in its partition.
    public var offset: Int64
    /// Milliseconds since 1970, or -1 where there is none.
    public var timestamp: Int64
    /// What decided the partition; nil is Kafka's null.
    public var key: ArraySlice<UInt8>?
    /// The content; nil is Kafka's null.
    public var value: ArraySlice<UInt8>?
    /// What travels with it, in order.
    public var headers: [MessageHeader]
    /// A message as a test makes it.
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
    /// The partition that they were read from.
    public var source: KafkaPartition
    /// In the order of their offsets, which may have gaps.
    public var messages: [KafkaMessage]
    /// Past the last message, and past control and aborted records where the partition's end was reached.
    public var next: Int64
}
