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

    let pool: DatabasePool
    let writer: Writer
    let changed: Signal
    let recent: Recent
    let members: MemberFiles
    let path: String
    private let doorbell: Doorbell

    private init(
        pool: DatabasePool, writer: Writer, changed: Signal, recent: Recent, members: MemberFiles, path: String,
        doorbell: Doorbell
    ) {
        self.pool = pool
        self.writer = writer
        self.changed = changed
        self.recent = recent
        self.members = members
        self.path = path
        self.doorbell = doorbell
    }

    /// Opens the log in a folder, which is made where it is missing.
    public static func open(directory: String) async throws -> LocalLog {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try openNow(directory: directory) })
            }
        }
    }

    private static func openNow(directory: String) throws -> LocalLog {
        let path = directory + "/log.sqlite"
        do {
            try FileManager.default.createDirectory(atPath: directory + "/members", withIntermediateDirectories: true)
        } catch {
            throw LogError(
                .denied, "the folder \(directory) cannot be made: \((error as NSError).localizedDescription)")
        }
        let lock = try FairLock(directory: directory)
        do {
            let pool = try lock.withLock { try openPool(path) }
            let changed = Signal()
            let recent = Recent()
            let doorbell = try Doorbell(directory: directory) {
                recent.forget()
                changed.notify()
            }
            let writer = Writer(pool: pool, lock: lock, path: path) { done in
                if !done.isAlone { recent.forget() }
                recent.add(done.commit, bytes: done.bytes)
                changed.notify(done.isAlone ? done.commit.map(\.partition) : nil)
                doorbell.ring()
            }
            return LocalLog(
                pool: pool, writer: writer, changed: changed, recent: recent,
                members: try MemberFiles(directory: directory + "/members"),
                path: path, doorbell: doorbell)
        } catch {
            throw LogError(error, path)
        }
    }

    private static func openPool(_ path: String) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 8
        configuration.label = "millrace.log"
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.inTransaction(.immediate) {
                try Store.create(db)
                return .commit
            }
        }
        return pool
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
        try await writer.write { round in
            for topic in topics { try Store.create(round.db, topic) }
        }
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
        if sharing == .together { try await checkCopartitioned(topics, group) }
        return try await LocalMember.join(self, group: group, topics: topics, sharing: sharing)
    }

    public func committed(_ group: String, _ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        try await read { try Store.committed($0, group) }.filter { partitions.contains($0.key) }
    }

    public func maintain(at now: Timestamp) async throws {
        for topic in try await topics() {
            try await writer.write { round in
                round.changesPartitions()
                for p in 0..<topic.partitions {
                    let partition = TopicPartition(topic.name, Partition(p))
                    switch topic.cleanup {
                    case .delete:
                        if let retention = topic.retention {
                            try Retention.drop(round.db, partition, before: now - retention)
                        }
                    case .compact: try Retention.compact(round.db, partition)
                    }
                }
            }
        }
    }

    public func close() async {
        await writer.close()
        members.close()
        changed.notify()
        // What is in the write-ahead log goes into the database as far as nobody else is using it; where this fails, the
        // next who opens the log does it.
        _ = try? await pool.writeWithoutTransaction { db in try db.checkpoint(.passive) }
        try? pool.close()
    }
}

/// Reads partitions without a group.
private final class LocalReader: LogReader {
    private let log: LocalLog
    private let times: ClosedRange<Timestamp>?
    private let following: Mutex<Following>
    /// What tells how far it has gone before it read anything.
    private let passed: Mutex<[Batch]>

    /// - Parameters:
    ///   - times: Of which the records are, nil for any.
    ///   - asked: Where it was to begin, where that is not where it does.
    init(
        log: LocalLog, positions: [TopicPartition: Offset], _ times: ClosedRange<Timestamp>? = nil,
        past asked: [TopicPartition: Offset] = [:]
    ) {
        (self.log, self.times) = (log, times)
        following = Mutex(Following(positions))
        passed = Mutex(
            positions.filter { $0.value > asked[$0.key] ?? $0.value }.sorted { $0.key < $1.key }
                .map { Batch(source: $0.key, records: [], next: $0.value) })
    }

    func next(max: Int, wait: Duration) async throws -> [Batch] {
        let passed = passed.withLock { passed in
            defer { passed = [] }
            return passed
        }
        if !passed.isEmpty { return passed }
        return try await log.changed.first(within: wait, in: { following.withLock(\.partitions) }) {
            let batches = try await log.next(of: following, \.self, max: max, within: times)
            return batches.isEmpty ? nil : batches
        } ?? []
    }

    func close() {}
}

extension LocalLog {
    /// What is next for a reader: from memory where it is there, else from the database.
    func next<State>(
        of reader: borrowing Mutex<State>, _ following: any WritableKeyPath<State, Following> & Sendable, max: Int,
        within times: ClosedRange<Timestamp>? = nil
    ) async throws -> [Batch] {
        if let batches = reader.withLock({ $0[keyPath: following].take(recent, max: max) }) {
            return times.map { times in batches.map { $0.within(times) } } ?? batches
        }
        let version = recent.version
        let (batches, isAll) = try await read(
            reader.withLock { $0[keyPath: following].inTurn() }, max: max, within: times)
        reader.withLock { $0[keyPath: following].advance(past: batches, version: isAll ? version : nil) }
        return batches
    }

    /// Up to about `max` records of these partitions, in this order, and whether that is all there is.
    private func read(
        _ positions: [(partition: TopicPartition, from: Offset)], max: Int, within times: ClosedRange<Timestamp>?
    ) async throws -> (batches: [Batch], isAll: Bool) {
        if positions.isEmpty { return ([], true) }
        return try await read { db in
            var left = max
            var isAll = true
            var batches: [Batch] = []
            for (partition, from) in positions {
                if left <= 0 { return (batches, false) }
                guard let reading = try Store.read(db, partition, from: from, max: left, within: times) else {
                    continue
                }
                left -= reading.batch.records.count
                isAll = isAll && reading.isWhole
                batches.append(reading.batch)
            }
            return (batches, isAll)
        }
    }
}
