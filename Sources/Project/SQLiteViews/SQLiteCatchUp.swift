public import EventModel
internal import Foundation
internal import GRDB
internal import GRDBSQLite
internal import Projecting
internal import Synchronization

/// A view that is far behind is committed to with more pages in memory and a longer write-ahead log.
///
/// Rows whose keys come in no order lie all over a tree. Each commit writes the pages that its rows lie on to the log, and each time the log
/// is copied into the database they are written once more, however often they are in it: the longer the log, the fewer are
/// written twice. Near the end of the topic this would only make commits wait longer for the copying.
extension SQLiteViews {
    /// Bytes of a database's pages that its writer keeps. It takes them as it needs them.
    static let cache = 16 << 20
    /// The same of one that is far behind.
    public static let longCache = 256 << 20
    /// What all that are far behind have together: an eighth of the machine's memory.
    private static let caches = MemoryBudget(Int(ProcessInfo.processInfo.physicalMemory / 8))
    /// Pages of the log after which a commit copies it into the database: SQLite's own number.
    static let log = 1000
    /// The same of one that is far behind, 256 MiB. A commit may be longer by itself.
    public static let longLog = 65_536
    /// Bytes of the log's file that stay once all of it was copied, for the next commits to write to.
    public static let keptLog = 16 << 20

    /// A database with a long log.
    struct CatchingUp: Sendable {
        /// How many workers have said so.
        var workers = 1
        /// Nil where others have all the memory.
        var share: MemoryBudget.Share?
    }

    public func catchUp(_ tables: any StoredTables, _ isBehind: Bool, tidies: Bool) async throws {
        let path = path(of: tables)
        // One that was closed or removed is not opened for that.
        guard let pool = pools.withLock({ $0[path] }) else {
            catchingUp.withLock { $0[path] = nil }
            return
        }
        let share = catchingUp.withLock { isBehind ? $0.begin(path) : $0.end(path) }
        do {
            switch share {
            case .same: return
            case .changed(let cache):
                // In a task of its own: a task that was cancelled would leave the database as it is.
                try await Task {
                    try await pool.writeWithoutTransaction { db in
                        try db.execute(sql: "PRAGMA cache_size = -\((cache ?? Self.cache) >> 10)")
                        try db.execute(sql: "PRAGMA wal_autocheckpoint = \(isBehind ? Self.longLog : Self.log)")
                        if !isBehind, tidies { Self.shorten(db) }
                    }
                }.value
            }
        } catch {
            throw Self.own(error, path)
        }
    }

    /// Copies the log into the database and cuts its file. Where others still read what is in it, later commits do.
    private static func shorten(_ db: Database) {
        let connection = db.sqliteConnection
        // First without keeping anyone from writing.
        _ = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        sqlite3_busy_timeout(connection, 0)
        _ = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        sqlite3_busy_timeout(connection, Int32(patience.milliseconds))
        sqlite3_db_release_memory(connection)
    }

    enum CatchUpChange {
        case same
        /// Bytes of pages it may keep now; nil for as many as near the end.
        case changed(cache: Int?)
    }

    static func share() -> MemoryBudget.Share? { caches.take(atMost: longCache, least: cache) }
}

extension [String: SQLiteViews.CatchingUp] {
    fileprivate mutating func begin(_ path: String) -> SQLiteViews.CatchUpChange {
        if self[path] != nil {
            self[path]?.workers += 1
            return .same
        }
        let share = SQLiteViews.share()
        self[path] = SQLiteViews.CatchingUp(share: share)
        return .changed(cache: share?.bytes)
    }

    fileprivate mutating func end(_ path: String) -> SQLiteViews.CatchUpChange {
        // Its database was closed and opened meanwhile.
        guard var entry = self[path] else { return .changed(cache: nil) }
        entry.workers -= 1
        self[path] = entry.workers > 0 ? entry : nil
        return entry.workers > 0 ? .same : .changed(cache: nil)
    }
}
