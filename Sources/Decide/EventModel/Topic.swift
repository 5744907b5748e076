/// What a topic is: its shape, how long it keeps what it is given, and who may write it.
public struct Topic: Hashable, Sendable {
    /// What goes when a topic grows old.
    public enum Cleanup: String, Hashable, Sendable {
        /// Records older than the retention go.
        case delete
        /// Of each key only the newest record stays; an empty value removes the key.
        case compact
    }
    /// Whose clock a record's timestamp is.
    public enum Clock: String, Hashable, Sendable {
        /// The writer's: the time of the event.
        case event
        /// The log's own, at the moment it takes the record (Kafka's `LogAppendTime`).
        case log
    }
    /// At most ``Limits/topicName`` characters: letters, digits, `.`, `_` and `-`.
    public var name: String
    /// From 1 to ``Limits/partitions``. A topic that a decider owns keeps its count, for its keys stay where they are.
    public var partitions: Int
    /// On how many brokers each partition is kept; a log on this machine has one copy.
    public var replication: Int
    /// How long records are kept; nil keeps them for ever.
    public var retention: Duration?
    /// What goes: what is old, or what a newer record of its key replaces.
    public var cleanup: Cleanup
    /// Whose clock its records' timestamps are.
    public var clock: Clock
    /// What the key is, for people: `event:section`.
    public var key: String
    /// The protobuf message of the value.
    public var schema: String
    /// Who writes it: `tickets.handler`, or `producers` where anyone may.
    public var owner: String
    /// Which workers of other domains read it by name: `social.reactor`, `maps.projector`. A log does not keep them.
    package var readers: [String] = []
    /// How many replicas must have a record before it is acknowledged (Kafka's `min.insync.replicas`); nil is the broker's own.
    public var minInSync: Int?
    /// The largest batch of records that the broker takes (Kafka's `max.message.bytes`); nil is ``Limits/messageBytes``, so that
    /// any record fits.
    public var maxMessageBytes: Int?

    /// Declares a topic; what is left out is what most topics have.
    public init(
        _ name: String, partitions: Int, replication: Int = 1, retention: Duration? = nil, cleanup: Cleanup = .delete,
        clock: Clock = .event, key: String, schema: String, owner: String, minInSync: Int? = nil,
        maxMessageBytes: Int? = nil
    ) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.retention = retention
        self.cleanup = cleanup
        self.clock = clock
        self.key = key
        self.schema = schema
        self.owner = owner
        self.minInSync = minInSync
        self.maxMessageBytes = maxMessageBytes
    }

    /// Throws where a name or a count is over Kafka's limits.
    public func check() throws(Malformed) {
        let legal = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) && byte != 0x40 && byte != 0x60
                || byte == 0x2e || byte == 0x5f || byte == 0x2d
        }
        if name.isEmpty || name == "." || name == ".." || name.utf8.count > Limits.topicName || !legal {
            throw Malformed(
                "topic \(name.prefix(300))", "a name has 1 to \(Limits.topicName) letters, digits, '.', '_' or '-'")
        }
        try Check.range(partitions, "the partitions of \(name)", 1...Limits.partitions)
    }

    /// The partition of a key: see ``Partitioner/partition(of:among:)``.
    public func partition(of key: Bytes) -> Partition { Partitioner.partition(of: key, among: partitions) }
}
