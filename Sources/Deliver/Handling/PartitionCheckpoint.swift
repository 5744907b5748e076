internal import EventLog
internal import EventModel
internal import Logging
internal import Quarantining
internal import Synchronization

/// The checkpoint of one partition number of a worker: states are loaded from it, and changes are written to it
/// concurrently with the worker. One task owns it.
final class PartitionCheckpoint {
    let sources: [TopicPartition]
    private let rows: CheckpointRows
    private let partition: Partition
    private let checkpoint: any Checkpoint
    private let states: any StateCache
    private let remembered: Remembered?
    private let limits: Checkpointing
    private let logger: Logger

    private var next: [TopicPartition: Offset]
    private var marks: [TopicPartition: LogFingerprint] = [:]
    /// Up to this offset of the quarantine's topic, released records are in the states.
    private(set) var heeded = Offset(0)
    private var heeding: TopicPartition { TopicPartition(QuarantineLog.topic.name, partition) }
    /// Records since the last checkpoint.
    private var since = 0
    private var began = ContinuousClock.now
    /// From the beginning of one checkpoint to that of the next, at least.
    private var pause = Duration.zero
    private var hasFailed = false
    /// Whether a checkpoint was written since states were last let go, and how many were left then.
    private var hasSettled = false
    private var left = 0
    private var writing: Writing?
    /// Another owner has claimed the checkpoint and written to it.
    private var fenced: LogError?
    /// Whether the checkpoint may have rows.
    private var hasRows: Bool
    private let ids: RememberedIDs
    /// Timers of the checkpoint that are due by then are known, beside those of later ones of the row `after`.
    private var horizon = Timestamp(.min)
    private var from = Int64.min
    private var after: Row?

    /// A checkpoint that is being written. Its task writes only the copies it was given.
    private final class Writing: Sendable {
        let isOver = Atomic(false)
        let task: Mutex<Task<Result<Duration, any Error>, Never>?> = Mutex(nil)
        let ids: Int
        let records: Int
        init(ids: Int, records: Int) { (self.ids, self.records) = (ids, records) }
    }

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
    static func claim(
        _ store: any CheckpointStore, _ rows: CheckpointRows, _ sources: [TopicPartition], states: any StateCache,
        remembered: Remembered? = nil, log: any EventLog, ends: [TopicPartition: Offset], limits: Checkpointing,
        logger: Logger
    ) async throws -> PartitionCheckpoint {
        let checkpoint = try await store.claim(rows.kept, sources)
        let keeper = PartitionCheckpoint(rows, sources, checkpoint, states, remembered, limits, logger)
        if let why = try await keeper.contradiction(to: log, ends) {
            logger.warning("the checkpoint of \(rows.kept.name) is of another log, and is folded again: \(why)")
            keeper.next = [:]
        }
        if keeper.next.isEmpty { try await keeper.wipe() }
        if remembered != nil { try await keeper.lookForPlainIDs() }
        states.keepInCheckpoint()
        return keeper
    }

    private func contradiction(to log: any EventLog, _ ends: [TopicPartition: Offset]) async throws -> String? {
        if next.isEmpty { return nil }
        let (table, keys) = (rows.marks, (sources + [heeding]).map { [Value($0.partition), .text($0.topic)] })
        let marks = try await checkpoint.read { try $0.rows(table, keys: keys) }
        let heeded = marks.first { $0[1] == .text(heeding.topic) }.flatMap { LogFingerprint($0) }
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
        if let heeded { heed(to: heeded.last) }
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
                try rows.kept.tables.map { ($0, try reader.rows(Scan($0, equal: [Value(partition)], limit: 10_000))) }
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

    // MARK: Where folding goes on, and what has been folded

    /// Where to go on with a partition, nil for its start.
    func start(of source: TopicPartition) -> Offset? { next[source] }

    /// Notes that records of a source are folded, and committed.
    func advance(_ source: TopicPartition, to offset: Offset, last: LogFingerprint?, records: Int) {
        next[source] = offset
        if let last { marks[source] = last }
        since += records
    }

    /// Notes that what was released of the quarantine up to there is in the states.
    func heed(to next: Offset, records: Int = 0) {
        heeded = next
        marks[heeding] = LogFingerprint(last: next, key: Bytes(), value: Bytes())
        since += records
    }

    // MARK: What the checkpoint has

    /// What a checkpoint remembers of some commands.
    struct Found {
        var entries: [KeyedID: Remembered.Entry] = [:]
        /// Of ids that stand there by themselves: they may be those of another key's commands.
        var unsure: [KeyedID: Remembered.Entry] = [:]
    }

    /// Loads the states of some keys; gives what the checkpoint remembers of some commands.
    ///
    /// - Throws: ``LogError/Kind/fenced`` where the checkpoint is another's now.
    @discardableResult
    func load(_ keys: [Bytes], ids: [KeyedID] = []) async throws -> Found {
        if let fenced { throw fenced }
        let missing = states.missing(keys)
        let sought = hasRows ? self.ids.sought(ids.filter { remembered?[$0] == nil }) : []
        var jsons: [String: String] = [:]
        var result = Found()
        if hasRows && !(missing.isEmpty && sought.isEmpty) {
            let (rows, partition) = (rows, Value(partition))
            let texts = missing.map { $0.storable }
            let names = Dictionary(sought.map { ($0.storable, [$0]) }) { a, _ in a }
                .merging(self.ids.hasPlain ? sought.map { (Bytes($0.id).storable, [$0]) } : []) { $0 + $1 }
            let (found, known) = try await checkpoint.read { reader in
                (
                    try reader.rows(rows.states, keys: texts.map { [partition, .text($0)] }),
                    names.isEmpty ? [] : try reader.rows(rows.ids, keys: names.keys.map { [partition, .text($0)] })
                )
            }
            for row in found {
                guard let key = row[1].text, let text = row[3].text else { continue }
                guard let json = StateEncoding.json(of: text, key: key) else {
                    throw damaged("a state of \(Bytes(storable: key).text) is not as it was written")
                }
                jsons[key] = json
            }
            for row in known {
                guard let text = row[1].text, let entry = Remembered.Entry(row) else { continue }
                for id in names[text] ?? [] {
                    if KeyedID.isPlain(text) { result.unsure[id] = entry } else { result.entries[id] = entry }
                }
            }
        }
        for key in missing {
            do {
                try states.load(key, jsons[key.storable])
            } catch {
                throw damaged(
                    """
                    a state of \(key.text) cannot be read (\(error)). Raise the stateVersion where the state's shape has changed
                    """)
            }
        }
        return result
    }

    private func damaged(_ why: String) -> LogError {
        LogError(
            .damaged,
            """
            the checkpoint of \(rows.kept.name) (\(rows.kept.storage)) is damaged: \(why). Delete it, and it will be folded \
            again
            """)
    }

    /// Reads ahead which timers the checkpoint has, up to a moment and some more.
    func readTimers(by now: Timestamp) async throws {
        while hasRows && horizon <= now {
            let (ahead, limit) = (now + limits.lookahead, limits.timers)
            let scan = Scan(
                rows.states, by: "due", equal: [Value(partition)], from: .integer(from), through: Value(ahead),
                after: after, limit: limit)
            let page = try await checkpoint.read { try $0.rows(scan) }
            for row in page {
                if let key = row[1].text, let due = row[2].integer {
                    states.wait(for: Bytes(storable: key), due: Timestamp(due))
                }
            }
            if page.count == limit, let last = page.last, let due = last[2].integer {
                (after, horizon) = (scan.order.map { last[$0] }, Timestamp(due))
            } else {
                (after, horizon, from) = (nil, ahead, (ahead + .milliseconds(1)).rawValue)
            }
        }
    }

    /// When timers are to be read again.
    var nextReading: Timestamp? { hasRows ? horizon : nil }

    // MARK: What goes to it

    /// Begins a checkpoint where one is due, takes note of one that is over, and lets go of states above the limit.
    ///
    /// - Parameter cutoff: Ids from before that are past their retention.
    func turn(cutoff: Timestamp?) async {
        await settle(waiting: false)
        let passed = ContinuousClock.now - began
        let isFull = states.count > limits.held
        if passed >= pause || (isFull && !hasFailed), passed >= limits.pause || since >= limits.records {
            begin(cutoff: cutoff)
        }
        if !isFull { return }
        // More than twice as many are waited for, unless they cannot be kept at all.
        await settle(waiting: states.count > 2 * limits.held && !hasFailed)
        // All are looked through, which is of use once more can be let go.
        if hasSettled || states.count > left + limits.held / 10 {
            states.evict(above: limits.held, horizon: horizon)
            (hasSettled, left) = (false, states.count)
        }
    }

    /// Writes all that has changed and waits for it.
    func finish(cutoff: Timestamp?) async {
        await settle(waiting: true)
        begin(cutoff: cutoff)
        await settle(waiting: true)
    }

    private func begin(cutoff: Timestamp?) {
        if since == 0 || writing != nil { return }
        let ids = remembered?.all ?? []
        self.ids.add(ids.lazy.map(\.id))
        let change = CheckpointChange(
            rows: rows, partition: partition, states: states.changes(), ids: ids, marks: marks, next: next,
            cutoff: cutoff, forgotten: limits.forgotten)
        let writing = Writing(ids: remembered?.count ?? 0, records: since)
        (self.writing, since, began, hasRows) = (writing, 0, .now, true)
        let checkpoint = checkpoint
        writing.task.withLock {
            $0 = Task {
                defer { writing.isOver.store(true, ordering: .releasing) }
                do {
                    let start = ContinuousClock.now
                    try await change.write(to: checkpoint)
                    return .success(.now - start)
                } catch {
                    return .failure(error)
                }
            }
        }
    }

    /// Takes note of a checkpoint that is over.
    func settle(waiting: Bool) async {
        guard let writing, waiting || writing.isOver.load(ordering: .acquiring) else { return }
        self.writing = nil
        switch await writing.task.withLock({ $0 })?.value {
        case nil: break
        case .success(let took):
            states.settle(kept: true)
            remembered?.forget(writing.ids)
            (hasFailed, pause, hasSettled) = (false, took * limits.rest, true)
        case .failure(let error):
            states.settle(kept: false)
            since += writing.records
            (hasFailed, pause) = (true, limits.retry)
            if let error = error as? LogError, error.kind == .fenced { fenced = error }
            logger.warning(
                "a checkpoint of \(rows.kept.name) was not written; until one is, a start folds from the one before: \(error)",
                metadata: ["partition": "\(partition)"])
        }
    }
}
