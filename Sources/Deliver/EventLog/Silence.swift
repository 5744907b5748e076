public import EventModel

/// How long a reader waits for what the log has said that it has.
///
/// A stretch that is read was there when its end was asked for. Where nothing comes of it, the log is asked again: it may have
/// lost its end meanwhile, or dropped what was left by retention. So no read of a stretch waits for ever.
public struct Silence {
    /// How long one look for records waits.
    public static let look = Duration.seconds(1)
    /// The most that nothing may come where the log promises a record for each offset: then they are missing.
    static let missing = Duration.seconds(10)
    /// The most that nothing may come of another log, whose transactions may still be open.
    static let longest = Duration.seconds(60)

    private var since: ContinuousClock.Instant?

    public init() {}

    /// How long nothing has come, without the time that the log took to answer.
    package var length: Duration { since.map { .now - $0 } ?? .zero }

    /// Some records came.
    public mutating func broke() { since = nil }

    /// Nothing came for one look.
    ///
    /// - Returns: whether to wait on; false where what was left is past its retention.
    /// - Throws: ``LogError/Kind/damaged`` where the log ends before the stretch does, or has nothing where it should.
    public mutating func lasts(
        in partition: TopicPartition, from at: Offset, to end: Offset, of log: any EventLog
    ) async throws -> Bool {
        let asked = ContinuousClock.now
        guard let bounds = try await log.bounds(of: [partition])[partition] else { throw LogError.unknown(partition) }
        if bounds.upperBound < end { throw LogError.ends(partition, at: bounds.upperBound, before: end) }
        if bounds.lowerBound >= end { return false }
        // While the log could not even say so much, as where a leader is away, nothing could come.
        let began = (since ?? asked - Self.look) + (.now - asked)
        since = began
        if .now - began < (log.promises.contains(.contiguous) ? Self.missing : Self.longest) { return true }
        throw LogError(
            .damaged,
            """
            \(partition) has nothing between \(at) and \(end), though it says that it goes up to \(bounds.upperBound): \
            records are missing. See where with: verify --topic \(partition.topic)
            """)
    }
}

extension LogError {
    /// The log ends before what is to be read of it.
    public static func ends(_ partition: TopicPartition, at end: Offset, before wanted: Offset) -> LogError {
        LogError(
            .damaged,
            """
            \(partition) ends at \(end), but is to be read up to \(wanted): what asks for it has seen another log, or the \
            log is an older copy
            """)
    }
}
