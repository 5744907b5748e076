public import EventLog
public import EventModel
internal import Foundation
internal import GRDB
internal import GRDBSQLite
public import Projecting
internal import Synchronization

extension FileWatch: ViewWatch {}

/// Views as tables with real columns: one SQLite database for each version of a projection, in one folder.
///
/// `sqlite3 FOLDER/tickets.seatmap@1.sqlite` shows them to anyone. Commits are `synchronous=NORMAL`: after a loss of power
/// a view may be some commits behind, with rows and offsets still in agreement, and is folded on from there.
public final class SQLiteViews: ViewStore {
    let directory: String
    let pools = Mutex<[String: any DatabaseWriter]>([:])
    /// As many as GRDB opens connections of one pool for.
    let readers = BlockingPool("millrace.views.reader", count: 5)
    let versions = LiveVersions()
    let catchingUp = Mutex<[String: CatchingUp]>([:])
    /// Databases whose lock another process has not let go since it was waited for in vain.
    private let stuck = Mutex<Set<String>>([])
    private let patience: Duration

    public convenience init(directory: String) throws { try self.init(directory: directory, patience: Self.patience) }

    init(directory: String, patience: Duration) throws {
        self.directory = directory
        self.patience = patience
        if let code = PrivateFiles.makeFolder(directory) {
            throw ViewError(.denied, "the folder \(directory) cannot be made: \(String(cString: strerror(code)))")
        }
    }

    /// Where a projection's database is.
    public func path(of tables: any StoredTables) -> String {
        "\(directory)/\(tables.storage).sqlite"
    }

    public func open(_ tables: any StoredTables) async throws {
        _ = try await pool(tables)
    }

    /// Every commit writes to the file of the log that SQLite keeps beside a database.
    public func watch(_ tables: any StoredTables, telling signal: Signal) -> (any ViewWatch)? {
        let log = "\(tables.storage).sqlite-wal"
        return FileWatch(directory) { if $0 == nil || $0 == log { signal.notify() } }
    }

    private func pool(_ tables: any StoredTables) async throws -> any DatabaseWriter {
        let path = path(of: tables)
        if let pool = pools.withLock({ $0[path] }) { return pool }
        return try await Self.blocking { [self] in try opened(tables) }
    }

    /// The same for who may block.
    func opened(_ tables: any StoredTables) throws -> any DatabaseWriter {
        let path = path(of: tables)
        return try pools.withLock { pools in
            if let pool = pools[path] { return pool }
            let pool = try open(path, tables)
            pools[path] = pool
            return pool
        }
    }

    /// Runs what blocks on a thread of its own.
    package static func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
        }
    }

    /// Opens, and opens again where another process is just making the database or closing it: SQLite then says that it is
    /// locked without waiting.
    private func open(_ path: String, _ tables: any StoredTables) throws -> any DatabaseWriter {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try openOnce(path, tables)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && .now < deadline {
                usleep(5000)
            } catch {
                throw ViewError(error, path)
            }
        }
    }

    /// How long another's lock is waited for, and how long once that was in vain: one who was frozen in the middle of a commit keeps it.
    static let patience = Duration.seconds(30)
    private static let glance = Duration.seconds(1)

    private func openOnce(_ path: String, _ tables: any StoredTables) throws -> any DatabaseWriter {
        if let reading = try Self.openForReading(path) { return reading }
        // SQLite gives the files beside it the same mode.
        if let code = PrivateFiles.makeFile(path) {
            throw ViewError(
                code == ENOSPC ? .full : .denied, "\(path) cannot be made: \(String(cString: strerror(code)))")
        }
        var configuration = Configuration()
        configuration.busyMode = .timeout(TimeInterval(patience.components.seconds))
        configuration.label = "millrace.views"
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { db in
            // A batch's rows lie all over a table. Pages that do not fit are written before their time, and again.
            try db.execute(sql: "PRAGMA cache_size = -\(Self.cache >> 10); PRAGMA journal_size_limit = \(Self.keptLog)")
            try db.inTransaction(.immediate) {
                try Self.prepare(db, tables)
                return .commit
            }
            // A statement of many rows keeps the pages as they were, to take itself back: up to a page for each row and tree. An index
            // that has just been made of a large table was sorted in files.
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        return pool
    }

    /// Makes the tables that are missing.
    static func prepare(_ db: Database, _ tables: any StoredTables) throws {
        try db.execute(sql: Checkpoints.create)
        for table in tables.allTables {
            for statement in SQL.create(table) { try db.execute(sql: statement) }
        }
    }

    public func claim(
        _ tables: any StoredTables, _ partitions: [TopicPartition], owner: String
    ) async throws -> [TopicPartition: Claim] {
        try await write(tables) { db in
            try partitions.reduce(into: [:]) { claims, partition in
                claims[partition] = try Checkpoints.claim(partition, owner: owner, db)
            }
        }
    }

    public func commit(
        _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        try await write(tables) { db in
            let move = try db.cachedStatement(
                sql: "UPDATE _checkpoints SET next = ? WHERE topic = ? AND partition = ? AND epoch = ?")
            for (partition, next) in offsets {
                try move.execute(arguments: [
                    next.rawValue, partition.topic, partition.partition.rawValue, epochs[partition]?.rawValue,
                ])
                if db.changesCount != 1 { throw ViewError.fenced(tables, partition) }
            }
            let batch = ViewBatch { table, key in
                let statement = try db.cachedStatement(sql: SQL.load(table))
                return try statement.rows(key, of: table).first
            }
            try fold(batch)
            sched_yield()
            try SQL.write(batch, db)
        }
    }

    public func read<R: Sendable>(
        _ tables: any StoredTables,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R {
        try await read(tables, Checkpoints.offsets, body)
    }

    public func read<R: Sendable>(
        _ tables: any StoredTables, showing partitions: [TopicPartition],
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R {
        try await read(tables, { try Checkpoints.offsets($0, of: partitions) }, body)
    }

    private func read<R: Sendable>(
        _ tables: any StoredTables, _ offsets: @escaping @Sendable (Database) throws -> [TopicPartition: Offset],
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R {
        let path = path(of: tables)
        let pool = try await pool(tables)
        do {
            return try await readers.run {
                try pool.read { db in try body(SQLiteReader(db: db), offsets(db)) }
            }
        } catch {
            throw Self.own(error, path)
        }
    }

    public func snapshot(_ projection: AnyProjection) async throws -> any ViewSnapshot {
        let path = path(of: projection)
        let pool = try await pool(projection)
        return try await Self.blocking {
            do {
                let held = try pool.makeViewSnapshot()
                return Snapshot(path: path, held: held, asOf: try held.unsafeRead(Checkpoints.offsets))
            } catch {
                throw Self.own(error, path)
            }
        }
    }

    /// A read transaction of a connection of its own. SQLite keeps in its write-ahead log what is committed meanwhile.
    struct Snapshot: ViewSnapshot {
        let path: String
        let held: any DatabaseReader
        let asOf: [TopicPartition: Offset]

        func read<R: Sendable>(_ body: @escaping @Sendable (any ViewReader) throws -> R) async throws -> R {
            do {
                return try await SQLiteViews.blocking { [held] in try held.unsafeRead { try body(SQLiteReader(db: $0)) }
                }
            } catch {
                throw SQLiteViews.own(error, path)
            }
        }

        func close() async { try? held.close() }
    }

    private func write<R: Sendable>(
        _ tables: any StoredTables, _ body: @escaping @Sendable (Database) throws -> R
    ) async throws -> R {
        let path = path(of: tables)
        let pool = try await pool(tables)
        do {
            return try await pool.writeWithoutTransaction { [self] db in
                try waiting(for: path, db) {
                    var result: R?
                    try db.inTransaction(.immediate) {
                        result = try body(db)
                        return .commit
                    }
                    guard let result else { throw ViewError(.failed, "\(path): a commit gave no result") }
                    return result
                }
            }
        } catch {
            throw Self.own(error, path)
        }
    }

    /// Writes wait one after another: where another process does not let go of a lock, only the first of them waits long.
    private func waiting<R>(for path: String, _ db: Database, _ body: () throws -> R) throws -> R {
        let isStuck = stuck.withLock { $0.contains(path) }
        if isStuck { sqlite3_busy_timeout(db.sqliteConnection, Int32(min(Self.glance, patience).milliseconds)) }
        defer { if isStuck { sqlite3_busy_timeout(db.sqliteConnection, Int32(patience.milliseconds)) } }
        do {
            let result = try body()
            if isStuck { stuck.withLock { _ = $0.remove(path) } }
            return result
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            stuck.withLock { _ = $0.insert(path) }
            throw error
        }
    }

    /// An error of the database in our words; an error of a fold or a query stays what it is.
    static func own(_ error: any Error, _ path: String) -> any Error {
        error is DatabaseError ? ViewError(error, path) : error
    }

    /// Closes a projection's database, if it is open.
    func close(_ tables: any StoredTables) {
        versions.close(path(of: tables))
        catchingUp.withLock { $0[path(of: tables)] = nil }
        try? pools.withLock { $0.removeValue(forKey: path(of: tables)) }?.close()
    }

    public func close() async {
        versions.closeAll()
        catchingUp.withLock { $0 = [:] }
        let open = pools.withLock { pools in
            defer { pools = [:] }
            return pools.values.map { $0 }
        }
        for pool in open { try? pool.close() }
    }
}

struct SQLiteReader: ViewReader {
    let db: Database
    private let scans = ScanStatements()

    init(db: Database) { self.db = db }

    func rows(_ scan: Scan) throws -> [EventModel.Row] {
        if scan.after == nil {
            return try scans.statement(of: scan, db).rows(SQL.arguments(scan), of: scan.table)
        }
        let (sql, arguments) = SQL.select(scan)
        let statement = try db.cachedStatement(sql: sql)
        let rows = try statement.rows(arguments, of: scan.table)
        try scan.checkProgress(rows)
        return rows
    }

    func rows(_ table: Table, keys: [EventModel.Row]) throws -> [EventModel.Row] {
        let statement = try db.cachedStatement(sql: SQL.load(table))
        return try keys.compactMap { try statement.rows($0, of: table).first }
    }

    func sums(_ columns: [Int], over scan: Scan) throws -> [Int64] {
        let (sql, arguments) = SQL.sum(columns, scan)
        let statement = try db.cachedStatement(sql: sql)
        let sums = try statement.rows(arguments).first
        return columns.indices.map { sums?[$0].integer ?? 0 }
    }
}

extension Scan {
    /// Checks that rows go on after the place that the scan began at: who takes page after page of a damaged table would
    /// otherwise never come to its end.
    func checkProgress(_ rows: [EventModel.Row]) throws {
        guard let after else { return }
        if after.count != order.count {
            throw ViewError(.failed, "a page of \(table.name) begins after \(order.count) values, not \(after.count)")
        }
        guard let last = rows.last else { return }
        let place = order.map { last[$0] }
        if descending ? precedes(place, after) : precedes(after, place) { return }
        throw DatabaseError(
            resultCode: .SQLITE_CORRUPT, message: "the rows of \(table.name) are not in the order of their keys")
    }
}

extension ViewError {
    fileprivate static func damaged(_ path: String, _ why: String) -> ViewError {
        ViewError(
            .damaged,
            """
            the database \(path) is damaged (\(why)). It holds nothing that is not on the log: delete it, and its worker will \
            build it again
            """)
    }

    /// What SQLite said, in words of what to do.
    init(_ error: any Error, _ path: String) {
        guard let database = error as? DatabaseError else {
            self = error as? ViewError ?? ViewError(.failed, "\(path): \(error)")
            return
        }
        let why = database.message ?? "error \(database.resultCode.rawValue)"
        switch database.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_FORMAT:
            self = .damaged(path, why)
        // Of tables that are not there, and of sums that are beyond 64 bits: neither was ever written.
        case .SQLITE_ERROR: self = .damaged(path, why)
        case .SQLITE_FULL:
            self.init(
                .full, "no room is left on the device for \(path); the view stays where it was. Free some and restart")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
            self.init(.denied, "\(path) cannot be opened for writing (\(why))")
        case .SQLITE_BUSY:
            self.init(
                .busy,
                "\(path): another process does not let go of it (\(why)); one that is frozen keeps it until it goes on or is killed"
            )
        default: self.init(.failed, "\(path): \(why)")
        }
    }
}
