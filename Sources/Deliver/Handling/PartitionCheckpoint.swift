internal import EventLog
internal import EventModel
internal import Logging
internal import Quarantining
internal import Synchronization

/// The checkpoint of one partition number of a worker: states are loaded from it, and changes are written to it
/// concurrently with the worker. One task owns it.
final class PartitionCheckpoint {
    let sources: [TopicPartition]
    let rows: CheckpointRows
    let partition: Partition
    let checkpoint: any Checkpoint
    let states: any StateCache
    let remembered: Remembered?
    let limits: Checkpointing
    let logger: Logger

    var next: [TopicPartition: Offset]
    var marks: [TopicPartition: LogFingerprint] = [:]
    /// Up to this offset of the quarantine's topic, released records are in the states.
    private(set) var redrivenTo = Offset(0)
    private var redriving: TopicPartition { TopicPartition(QuarantineLog.topic.name, partition) }
    /// Records since the last checkpoint.
    var since = 0
    var began = ContinuousClock.now
    /// From the beginning of one checkpoint to that of the next, at least.
    var pause = Duration.zero
    var hasFailed = false
    /// Whether a checkpoint was written since states were last let go, and how many were left then.
    var hasSettled = false
    var left = 0
    var writing: Writing?
    /// Another owner has claimed the checkpoint and written to it.
    var fenced: LogError?
    /// Whether the checkpoint may have rows.
    var hasRows: Bool
    let ids: RememberedIDs
    /// Timers of the checkpoint that are due by then are known, beside those of later ones of the row `after`.
    var horizon = Timestamp(.min)
    var from = Int64.min
    var after: Row?

    private init(
        _ rows: CheckpointRows, _ sources: [TopicPartition], _ checkpoint: any Checkpoint, _ states: any StateCache,
        _ remembered: Remembered?, _ limits: Checkpointing, _ logger: Logger
    ) {
        (self.rows, self.sources, self.checkpoint, self.states) = (rows, sources, checkpoint, states)
        (self.remembered, self.limits, self.logger) = (remembered, limits, logger)
        partition = sources[0].partition
        // A checkpoint at offset 0 was being wiped, and the wipe may not have finished.
        next = checkpoint.next.filter { $0.value > 0 }
        hasRows = !checkpoint.next.isEmpty
        ids = RememberedIDs(rows, partition, checkpoint, isEmpty: !hasRows, patience: limits.asked)
    }

    /// Claims the checkpoint of some partitions of one number.
    ///
    /// - Parameter ends: Up to where each partition may have been folded. A checkpoint that is further, or whose last
    ///   record is not on the log, was folded from another log: it is wiped, and all is folded again.
    /// - Returns: nil where another process does not let go of the store.
    static func claim(
        _ store: any CheckpointStore, _ rows: CheckpointRows, _ sources: [TopicPartition], states: any StateCache,
        remembered: Remembered? = nil, log: any EventLog, ends: [TopicPartition: Offset], limits: Checkpointing,
        logger: Logger
    ) async throws -> PartitionCheckpoint? {
        let checkpoint: any Checkpoint
        do {
            checkpoint = try await store.claim(rows.kept, sources)
        } catch let error as LogError where error.kind == .busy {
            logger.warning(
                "the checkpoint of \(rows.kept.name) cannot be had, and all is folded from the log: \(error)",
                metadata: ["partition": "\(sources[0].partition)"])
            return nil
        }
        let claimed = PartitionCheckpoint(rows, sources, checkpoint, states, remembered, limits, logger)
        if let why = try await claimed.contradiction(to: log, ends) {
            logger.warning("the checkpoint of \(rows.kept.name) is of another log, and is folded again: \(why)")
            claimed.next = [:]
        }
        if claimed.next.isEmpty { try await claimed.wipe() }
        if remembered != nil { try await claimed.lookForPlainIDs() }
        states.keepInCheckpoint()
        return claimed
    }

    private func contradiction(to log: any EventLog, _ ends: [TopicPartition: Offset]) async throws -> String? {
        if next.isEmpty { return nil }
        let (table, keys) = (rows.marks, (sources + [redriving]).map { [Value($0.partition), .text($0.topic)] })
        let marks = try await checkpoint.read { try $0.rows(table, keys: keys) }
        let redrivenTo = marks.first { $0[1] == .text(redriving.topic) }.flatMap { LogFingerprint($0) }
        let bounds = try await log.bounds(of: sources)
        for source in sources {
            guard let next = next[source], let kept = bounds[source] else { continue }
            let end = ends[source] ?? kept.lowerBound
            if next > end { return "\(source) ends at \(end), the checkpoint at \(next)" }
            guard let row = marks.first(where: { $0[1] == .text(source.topic) }), let mark = LogFingerprint(row),
                kept.contains(mark.last)
            else { continue }
            if let why = try await mark.contradiction(to: log, in: source) { return why }
            self.marks[source] = mark
        }
        if let redrivenTo { noteRedriven(to: redrivenTo.last) }
        return nil
    }

    /// Whether ids stand in the checkpoint without their keys.
    private func lookForPlainIDs() async throws {
        let (ids, partition, bounds) = (rows.ids, Value(partition), KeyedID.bounds)
        self.ids.hasPlain = try await checkpoint.read { reader in
            let before = Scan(ids, equal: [partition], through: .text(bounds.0), limit: 1)
            let after = Scan(ids, equal: [partition], from: .text(bounds.1), limit: 1)
            return try !reader.rows(before).isEmpty || !reader.rows(after).isEmpty
        }
    }

    private func wipe() async throws {
        var first: [Row?] = []
        let (rows, partition, zeros) = (
            rows, partition, Dictionary(uniqueKeysWithValues: sources.map { ($0, Offset(0)) })
        )
        while true {
            let old = try await checkpoint.read { reader in
                try rows.kept.allTables.map {
                    ($0, try reader.rows(Scan($0, equal: [Value(partition)], limit: 10_000)))
                }
            }
            if old.allSatisfy(\.1.isEmpty) { return }
            let now = old.map(\.1.first)
            if now == first { throw damaged("rows of it cannot be deleted") }
            first = now
            try await checkpoint.write(to: zeros) { batch in
                for (table, old) in old { for row in old { batch.delete(table, Array(row.prefix(table.key))) } }
            }
        }
    }

    /// Where folding goes on with a partition, nil for its start.
    func start(of source: TopicPartition) -> Offset? { next[source] }

    /// Notes that records of a source are folded, and committed.
    func advance(_ source: TopicPartition, to offset: Offset, last: LogFingerprint?, records: Int) {
        next[source] = offset
        if let last { marks[source] = last }
        since += records
    }

    /// Notes that what was released of the quarantine up to there is in the states.
    func noteRedriven(to next: Offset, records: Int = 0) {
        redrivenTo = next
        marks[redriving] = LogFingerprint(last: next, key: Bytes(), value: Bytes())
        since += records
    }

    /// Notes that a batch is folded, and committed.
    func advance(past batch: Batch) {
        advance(
            batch.source, to: batch.next, last: batch.records.last.map { LogFingerprint($0) },
            records: batch.records.count)
    }

    func damaged(_ why: String) -> LogError {
        LogError(
            .damaged,
            """
            the checkpoint of \(rows.kept.name) (\(rows.kept.storage)) is damaged: \(why). Delete it, and it will be folded \
            again
            """)
    }
}
