public import EventModel

/// How many partitions a topic of telemetry has, for who writes it by key for a long time: a broker lets anyone add some
/// meanwhile. It asks again now and then.
public struct PartitionCount: Sendable {
    /// How long a count is taken for true, as brokers' own clients take it.
    public static let pause = Duration.seconds(30)

    public let topic: String
    private let log: any EventLog
    private let pause: Duration
    private var count: Int
    private var asked = ContinuousClock.now

    /// - Parameters:
    ///   - count: What the log has just said.
    ///   - isFixed: It is never asked again: keys of a deciding domain stay where they are.
    public init(
        of topic: String, on log: any EventLog, _ count: Int, isFixed: Bool = false, pause: Duration = Self.pause
    ) {
        (self.topic, self.log, self.count) = (topic, log, count)
        self.pause = isFixed ? .seconds(Int64.max / 2) : pause
    }

    /// The count, at most ``pause`` old.
    public mutating func now() async throws -> Int {
        if ContinuousClock.now - asked < pause { return count }
        // Where nobody answers now, the write itself will tell.
        if let fresh = try? await log.partitionCounts()[topic] { count = fresh }
        asked = .now
        return count
    }
}

/// Partitions that are added to topics while somebody follows them.
public struct Growth: Sendable {
    private let topics: [String]
    private let log: any EventLog
    private let pause: Duration
    private var positions: [TopicPartition: Offset]
    private var asked = ContinuousClock.now

    /// - Parameter positions: Where each partition that is read begins.
    public init(
        of topics: [String], on log: any EventLog, from positions: [TopicPartition: Offset],
        pause: Duration = PartitionCount.pause
    ) {
        (self.topics, self.log, self.positions, self.pause) = (topics, log, positions, pause)
    }

    /// A batch was read.
    public mutating func advance(past batch: Batch) { positions[batch.source] = batch.next }

    /// Where to read on, the new partitions from their start; nil where there are none, or it is not yet time to ask.
    public mutating func look() async throws -> [TopicPartition: Offset]? {
        if ContinuousClock.now - asked < pause { return nil }
        let fresh = try await log.partitions(of: topics).filter { positions[$0] == nil }
        asked = .now
        if fresh.isEmpty { return nil }
        positions.merge(try await log.bounds(of: fresh).mapValues(\.lowerBound)) { old, _ in old }
        return positions
    }
}
