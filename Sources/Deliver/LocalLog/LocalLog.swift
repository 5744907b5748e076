public import EventLog
public import EventModel
internal import Foundation
internal import GRDB
internal import Synchronization

/// The embedded durable log: one SQLite database in a folder, used by any number of processes of one machine at once.
///
/// A commit is on the disk when the call returns (WAL, `synchronous=FULL`), appends that come together share one, and a
/// transaction's records and offsets are one commit. A reader learns of other processes' commits within a millisecond.
public final class LocalLog: Maintained {
    public let promises: Promises = [
        .durable, .transactions, .fencing, .timeIndex, .atomicAppend, .shared, .contiguous,
    ]

    let pool: any DatabaseWriter
    let writer: Writer
    let changed: Signal
    let groups: GroupChanges
    let recent: CommitCache
    let lending: Lending
    /// Nil where the log may only be read.
    let members: MemberFiles?
    let path: String
    let complain: @Sendable (String) -> Void
    private let clock: LogClock
    /// Nil where nobody can be writing.
    private let listener: Listener?
    private let hasReaders: Flag
    let head = LogHead()
    private let isClosed = Atomic(false)

    init(
        pool: any DatabaseWriter, path: String, settings: LocalSettings, clock: LogClock, lock: FairLock?,
        doorbell: ((@escaping @Sendable () -> Void) throws -> CommitNotifier)?, members: String?,
        isChanging: Bool = true
    ) throws {
        let (changed, groups, recent, hasReaders) = (Signal(), GroupChanges(), CommitCache(), Flag())
        let heard: @Sendable () -> Void = {
            recent.forget()
            groups.note(nil)
            changed.notify()
        }
        let doorbell = try doorbell?(heard)
        (self.pool, self.path, self.clock, self.complain) = (pool, path, clock, settings.complain)
        (self.changed, self.groups, self.recent, self.hasReaders) = (changed, groups, recent, hasReaders)
        lending = Lending(changed)
        writer = Writer(
            pool: pool, lock: lock, path: path, clock: clock, metrics: settings.metrics, lending: lending,
            complain: settings.complain
        ) { done in
            if !done.isAlone { recent.forget() }
            recent.add(done.commit, bytes: done.bytes)
            for group in done.groups { groups.note(group) }
            if !done.isAlone { groups.note(nil) }
            let marks = done.groups.map { GroupChanges.mark(of: $0) }
            changed.notify(done.isAlone ? done.commit.map(\.partition) + marks : nil)
            doorbell?.ring()
        }
        self.members = members.map { folder in
            MemberFiles(directory: folder, clock: clock) { group in
                groups.note(group)
                changed.notify([GroupChanges.mark(of: group)])
            }
        }
        listener =
            isChanging
            ? Listener(
                doorbell, version: { Self.version(pool) },
                isAwaited: { hasReaders.isSet.load(ordering: .relaxed) }, heard: heard) : nil
    }

    final class Flag: Sendable { let isSet = Atomic(false) }

    /// SQLite's count of others' commits: others than this connection, which makes all of this log's.
    private static func version(_ pool: any DatabaseWriter) -> Int64? {
        try? pool.writeWithoutTransaction { db in
            try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA data_version"))
        }
    }

    /// Whether it may only be read, for its folder cannot be written to.
    public var isReadOnly: Bool { members == nil }
    var readOnly: LogError {
        LogError(.denied, "the log \(path) may only be read here: its folder cannot be written to")
    }

    /// What is to be added to this process's clock to have the log's time: zero where the machine's clock is not kept
    /// from this process.
    public var clockCorrection: Duration { clock.correction }

    /// Opens the log in a folder, which is made where it is missing. One whose folder cannot be written to is opened for
    /// reading.
    ///
    /// - Parameter complain: Is given what a person should know and no call returns, one sentence or two.
    public static func open(
        directory: String, complain: @escaping @Sendable (String) -> Void = LocalSettings.standardError
    ) async throws -> LocalLog {
        try await open(directory: directory, LocalSettings(complain: complain))
    }

    package static func open(directory: String, _ settings: LocalSettings) async throws -> LocalLog {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try openNow(directory: directory, settings) })
            }
        }
    }

    func read<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        do {
            return try await pool.read(body)
        } catch let cancelled as CancellationError {
            throw cancelled
        } catch {
            throw LogError(error, path)
        }
    }

    public func create(_ topics: [Topic]) async throws {
        let known = Set(try await self.topics().map { "\($0.name) \($0.partitions)" })
        if topics.allSatisfy({ known.contains("\($0.name) \($0.partitions)") }) { return }
        // What can be made stays made, so the others are told of behind it.
        let mismatch = try await writer.write { round in
            var mismatch: LogError?
            for topic in topics {
                do {
                    try Store.create(round.db, topic)
                } catch let error as LogError where error.kind == .mismatch {
                    mismatch = mismatch ?? error
                }
            }
            return mismatch
        }
        if let mismatch { throw mismatch }
    }

    public func configure(_ topics: [Topic]) async throws {
        try await writer.write { round in
            for topic in topics { try Store.configure(round.db, topic) }
        }
    }

    public func topics() async throws -> [Topic] { try await read { try Store.topics($0) } }

    public func append(_ appends: [Append]) async throws -> [[Offset]] {
        try await writer.write { round in
            try round.check(appends)
            let offsets = try round.plan(appends)
            round.append(appends)
            return offsets
        }
    }

    public func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>] {
        try await read { db in
            try partitions.reduce(into: [:]) { bounds, partition in
                let place = try Store.place(db, partition)
                bounds[partition] = place.first..<place.next
            }
        }
    }

    public func offsets(of partitions: [TopicPartition], at time: Timestamp) async throws -> [TopicPartition: Offset] {
        try await read { db in
            try partitions.reduce(into: [:]) { $0[$1] = try Store.offset(db, $1, at: time) }
        }
    }

    public func reached(before ends: [TopicPartition: Offset]) async throws -> [TopicPartition: Timestamp] {
        try await read { db in
            try ends.reduce(into: [:]) { $0[$1.key] = try Store.reached(db, $1.key, before: $1.value) }
        }
    }

    public func reader(from positions: [TopicPartition: Offset]) async throws -> any LogReader {
        hasReaders.isSet.store(true, ordering: .relaxed)
        _ = try await bounds(of: Array(positions.keys))
        return LocalReader(log: self, positions: positions)
    }

    /// It begins at the first record that is not before these times, and leaves batches alone that have none of them.
    public func reader(
        from positions: [TopicPartition: Offset], within times: ClosedRange<Timestamp>
    ) async throws -> any LogReader {
        let first = try await offsets(of: Array(positions.keys), at: times.lowerBound)
        return LocalReader(
            log: self, positions: positions.merging(first, uniquingKeysWith: max), times, past: positions)
    }

    public func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember {
        hasReaders.isSet.store(true, ordering: .relaxed)
        if sharing == .together { try await checkCopartitioned(topics, group) }
        return try await LocalMember.join(self, group: group, topics: topics, sharing: sharing)
    }

    public func committed(_ group: String, _ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        let wanted = Set(partitions)
        return try await read { try Store.committed($0, group) }.filter { wanted.contains($0.key) }
    }

    public func maintain(at now: Timestamp) async throws {
        for topic in try await topics() {
            try Task.checkCancellation()
            let partitions = (0..<topic.partitions).map { TopicPartition(topic.name, Partition($0)) }
            switch topic.cleanup {
            case .compact:
                for partition in partitions {
                    do {
                        try await compact(partition, at: now)
                    } catch let error as LogError where error.kind == .damaged {
                        leave(partition, error)
                    }
                }
            case .delete:
                if let retention = topic.retention { try await drop(partitions, of: topic, before: now - retention) }
            }
        }
    }

    /// A partition that is damaged is left as it is; the others are looked after.
    private func leave(_ partition: TopicPartition, _ error: LogError) {
        complain("\(partition) is not looked after: \(error)")
    }

    private func drop(_ partitions: [TopicPartition], of topic: Topic, before cutoff: Timestamp) async throws {
        do {
            try await writer.write { [self] round in
                round.changesPartitions()
                for partition in partitions {
                    do {
                        try Retention.drop(round.db, partition, before: cutoff)
                    } catch let error where !(error is DatabaseError) {
                        let error = LogError(error, path)
                        if error.kind != .damaged { throw error }
                        leave(partition, error)
                    }
                }
            }
        } catch let error as LogError where error.kind == .damaged {
            complain("\(topic.name) is not looked after: \(error)")
        }
    }

    public func close() async {
        if isClosed.exchange(true, ordering: .relaxed) { return }
        await writer.close()
        members?.close()
        changed.notify()
        listener?.close()
        head.close()
        if isReadOnly {
            try? pool.close()
            return
        }
        // What is in the write-ahead log goes into the database as far as nobody else is using it; where this fails, the
        // next who opens the log does it.
        _ = try? await pool.writeWithoutTransaction { db in try db.checkpoint(.passive) }
        try? pool.close()
    }
}
