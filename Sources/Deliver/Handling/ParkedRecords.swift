internal import EventLog
internal import EventModel
internal import Logging
internal import Quarantining

/// The records of a worker's partitions that wait. What happens to them is committed with the offsets that go past them.
struct ParkedRecords {
    let worker: String
    let logger: Logger
    private var quarantines: [TopicPartition: Quarantine] = [:]

    init(worker: String, logger: Logger) { (self.worker, self.logger) = (worker, logger) }

    /// Loads the waiting records of partitions that this worker was just given, as the quarantine's topic has them.
    mutating func begin(_ sources: [TopicPartition], _ said: QuarantineState?) {
        for source in sources { quarantines[source] = said?.workers[worker]?[source] }
    }

    /// Adopts the waiting records of some partitions from another value.
    mutating func adopt(from other: ParkedRecords, _ sources: [TopicPartition]) {
        for source in sources { quarantines[source] = other.quarantines[source] }
    }

    mutating func stop(_ sources: [TopicPartition]) { for source in sources { quarantines[source] = nil } }

    /// Whether nothing waits or was dropped, so that no record needs a look.
    var isEmpty: Bool { quarantines.isEmpty }

    subscript(source: TopicPartition) -> Quarantine { quarantines[source] ?? Quarantine() }

    /// Whether a record waits behind others of its key in the same partition.
    func mustWait(_ record: Record, in source: TopicPartition) -> Bool {
        !quarantines.isEmpty && quarantines[source]?.isWaiting(record.key, before: record.offset) ?? false
    }

    /// Whether any record of a key waits.
    func isWaiting(_ key: Bytes, in source: TopicPartition) -> Bool {
        !quarantines.isEmpty && quarantines[source]?.isWaiting(key, before: Offset(.max)) ?? false
    }

    func leavesOut(_ offset: Offset, in source: TopicPartition) -> Bool {
        !quarantines.isEmpty && quarantines[source]?.leavesOut(offset) ?? false
    }

    /// Makes a record wait; returns the entry for the quarantine's topic.
    ///
    /// - Parameter why: Why it cannot be handled, nil where it waits behind another of its key.
    mutating func park(_ record: Record, in source: TopicPartition, _ why: String?) throws -> QuarantineEntry {
        try park(Quarantine.Parked(record, failed: why), in: source)
    }

    mutating func park(_ parked: Quarantine.Parked, in source: TopicPartition) throws -> QuarantineEntry {
        quarantines[source, default: Quarantine()].park(parked)
        if quarantines[source]?.count ?? 0 > Quarantine.limit {
            throw LogError(
                .failed,
                """
                \(Quarantine.limit) records of \(source) wait that \(worker) could not handle, and it stops rather than \
                keep more. See what they are with: quarantine list; then redrive or drop them
                """)
        }
        if !parked.reason.isEmpty {
            logger.warning(
                "a record waits: \(parked.reason)",
                metadata: ["place": "\(source)@\(parked.offset)", "key": "\(parked.key.text)"])
        }
        return .parked(worker: worker, source, parked)
    }

    /// Takes note that a record waits no more: it was handled, or dropped for good. Returns the entry for the quarantine's topic.
    mutating func unpark(_ offset: Offset, in source: TopicPartition, dropped: Bool) -> QuarantineEntry {
        quarantines[source]?.unpark(offset, dropping: dropped)
        return .unparked(worker: worker, source, offset, dropped: dropped)
    }
}
