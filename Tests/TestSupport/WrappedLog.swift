public import EventLog
public import EventModel

/// A log that is another, but for what whoever conforms does otherwise.
public protocol WrappedLog: EventLog {
    var log: any EventLog { get }
}

extension WrappedLog {
    public var promises: Promises { log.promises }

    public func create(_ topics: [Topic]) async throws { try await log.create(topics) }
    public func topics() async throws -> [Topic] { try await log.topics() }
    public func append(_ appends: [Append]) async throws -> [[Offset]] { try await log.append(appends) }
    public func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>] {
        try await log.bounds(of: partitions)
    }
    public func offsets(of partitions: [TopicPartition], at time: Timestamp) async throws -> [TopicPartition: Offset] {
        try await log.offsets(of: partitions, at: time)
    }
    public func reader(from positions: [TopicPartition: Offset]) async throws -> any LogReader {
        try await log.reader(from: positions)
    }
    public func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember {
        try await log.join(group, topics: topics, sharing: sharing)
    }
    public func committed(_ group: String, _ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        try await log.committed(group, partitions)
    }
    /// Whoever opened the other closes it.
    public func close() async {}
}
