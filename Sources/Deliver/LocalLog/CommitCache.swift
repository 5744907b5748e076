internal import Dispatch
internal import EventLog
internal import EventModel
internal import Synchronization

/// What this process has committed last, so that its readers need not fetch from the database what has only just gone there.
final class CommitCache: Sendable {
    /// Records of one partition that one commit wrote.
    struct Run: Sendable {
        var base: Offset
        var end: Offset
        /// Nil where they are too many to keep.
        var records: [NewRecord]?
    }
    typealias Commit = [(partition: TopicPartition, run: Run)]

    /// Bytes kept, and commits. What one reader is behind by more, it reads from the database.
    static let bytes = 4 << 20
    static let commits = 4096
    /// Bytes of one commit above which it is not kept: who reads so much at once gains nothing by it.
    static let large = 256 << 10

    private struct State {
        var commits: [(commit: Commit, bytes: Int)] = []
        /// The version before the first of them.
        var first: UInt64 = 0
        var bytes = 0
        var version: UInt64 { first + UInt64(commits.count) }

        /// Half at a time: what moves an array to its front is shared by many commits.
        mutating func dropHalf() -> [(commit: Commit, bytes: Int)] {
            let dropped = Array(commits.prefix((commits.count + 1) / 2))
            for entry in dropped { bytes -= entry.bytes }
            first += UInt64(dropped.count)
            commits.removeFirst(dropped.count)
            return dropped
        }
    }
    private let state = Mutex(State())

    /// Counts commits. All that are counted are in the database too.
    var version: UInt64 { state.withLock(\.version) }

    /// - Parameter bytes: About what the records take.
    func add(_ commit: Commit, bytes: Int) {
        var (commit, bytes) = (commit, bytes)
        if bytes > Self.large {
            for i in commit.indices { commit[i].run.records = nil }
            bytes = 0
        }
        let dropped = state.withLock { state in
            defer {
                state.commits.append((commit, bytes))
                state.bytes += bytes
            }
            return state.bytes + bytes > Self.bytes || state.commits.count == Self.commits ? state.dropHalf() : []
        }
        // To let go of thousands of records takes longer than a commit.
        if !dropped.isEmpty { DispatchQueue.global(qos: .utility).async { withExtendedLifetime(dropped) {} } }
    }

    /// Others may have committed: what there is, only the database knows.
    func forget() {
        state.withLock { state in
            state.first = state.version + 1
            (state.commits, state.bytes) = ([], 0)
        }
    }

    /// The commits after the first `version`; nil where they are not known.
    func commits(since version: UInt64) -> [Commit]? {
        state.withLock { state in
            if version < state.first { return nil }
            return state.commits[Int(version - state.first)...].map(\.commit)
        }
    }
}

/// Where a reader stands, and whether what is new to it can be had from memory.
struct Following {
    private var cursors: Cursors
    /// Up to that version of what is recent, there is nothing in the partitions that it has not read. Nil is not known.
    private var seen: UInt64?
    /// What a wait is for: the partitions, and what else was given.
    private(set) var partitions: Set<TopicPartition>

    init(_ positions: [TopicPartition: Offset] = [:], besides other: TopicPartition? = nil) {
        cursors = Cursors(positions)
        partitions = Set(positions.keys)
        if let other { partitions.insert(other) }
    }

    /// Where the partition is read on; nil stops reading it.
    subscript(partition: TopicPartition) -> Offset? {
        get { cursors[partition] }
        set {
            cursors[partition] = newValue
            if newValue == nil {
                partitions.remove(partition)
            } else {
                partitions.insert(partition)
                seen = nil
            }
        }
    }

    /// What is new, from memory; nil where the database is to be asked.
    mutating func take(_ recent: CommitCache, max: Int) -> [Batch]? {
        guard let seen, let commits = recent.commits(since: seen) else { return nil }
        var version = seen
        var batches: [Batch] = []
        var places: [TopicPartition: Int] = [:]
        var left = max
        scanning: for commit in commits {
            for (partition, run) in commit {
                guard let cursor = cursors[partition] else { continue }
                let at = places[partition].map { batches[$0].next } ?? cursor
                if run.end <= at { continue }
                guard let records = run.records, run.base <= at else { return nil }
                if left == 0 { break scanning }
                let end = min(run.end, at + left)
                left -= Int(end - at)
                let place = places[partition] ?? batches.count
                if place == batches.count {
                    places[partition] = place
                    batches.append(Batch(source: partition, records: [], next: at))
                }
                for i in Int(at - run.base)..<Int(end - run.base) {
                    batches[place].records.append(Record(records[i], at: run.base + i))
                }
                batches[place].next = end
                if end < run.end { break scanning }
            }
            version += 1
        }
        self.seen = version
        cursors.advance(past: batches)
        return batches
    }

    /// Goes past records of a partition that need not be read. What else is new is not affected.
    mutating func pass(_ partition: TopicPartition, to next: Offset) {
        if let cursor = cursors[partition], cursor < next { cursors[partition] = next }
    }

    /// Where each partition is read on.
    var positions: [TopicPartition: Offset] { cursors.positions }

    /// The partitions to read from the database, in turn.
    mutating func inTurn() -> [(partition: TopicPartition, from: Offset)] { cursors.inTurn() }

    /// Goes past what the database gave.
    ///
    /// - Parameter version: of what is recent, from before the database was asked; nil where it has more.
    mutating func advance(past batches: [Batch], version: UInt64?) {
        cursors.advance(past: batches)
        seen = version
    }
}

extension Record {
    init(_ record: NewRecord, at offset: Offset) {
        self.init(
            offset: offset, timestamp: record.timestamp, key: record.key, value: record.value, headers: record.headers)
    }
}
