public import EventModel
internal import Foundation
internal import GRDB
internal import GRDBSQLite
public import Projecting
internal import Synchronization

extension SQLiteViews {
    /// The build that is live, and what `PRAGMA data_version` says of it: SQLite changes that for a connection with every commit of
    /// another. It reads shared memory alone, so nobody waits for a disk.
    public func version(liveOf projection: AnyProjection) -> ViewVersion? {
        versions.version(of: projection, in: directory)
    }

    /// Reads over a connection of its own, so that no long query is waited for.
    public func readNow<R>(liveOf projection: AnyProjection, _ body: (any ViewReader) throws -> R) throws -> R? {
        guard let connection = versions.connection(to: projection, in: directory) else { return nil }
        return try connection.read(body)
    }
}

/// Connections that count commits, one for each view that is asked for, to the build that is live.
final class LiveVersions: Sendable {
    private struct Name: Hashable {
        var name: String
        var version: Int
    }
    /// The file that names the live build, as it was last read: another is in its place where it differs.
    private struct Pointer: Equatable {
        var file: UInt64
        var seconds: Int
        var nanoseconds: Int
        var size: Int64

        struct Unknown: Error {}

        /// Nil where there is no such file.
        static func find(_ path: String) -> Result<Pointer?, Unknown> {
            var status = stat()
            if stat(path, &status) != 0 { return errno == ENOENT ? .success(nil) : .failure(Unknown()) }
            let modified = status.modified
            return .success(
                Pointer(
                    file: UInt64(status.st_ino), seconds: modified.tv_sec, nanoseconds: modified.tv_nsec,
                    size: Int64(status.st_size)))
        }

        static func build(_ path: String) -> Int? {
            let text = try? String(contentsOfFile: path, encoding: .utf8)
            return text?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
        }
    }
    private struct View {
        let pointer: String
        var seen: Pointer?
        var build = 0
        var path: String
        var counter: CommitCounter?
        var connection: QuickConnection?
    }
    private struct State {
        var opened: UInt64 = 0
        var views: [Name: View] = [:]

        /// Sees which build is live, and opens what counts its commits.
        ///
        /// - Returns: nil where that cannot be told at once.
        mutating func follow(_ projection: AnyProjection, in directory: String) -> Name? {
            let name = Name(name: projection.name, version: projection.version)
            var view: View
            if let known = views[name] {
                view = known
            } else {
                let first = "\(directory)/\(projection.build(0).storage)"
                view = View(pointer: "\(first).live", path: "\(first).sqlite")
            }
            guard case .success(let pointer) = Pointer.find(view.pointer) else { return nil }
            if view.seen == pointer, view.counter != nil { return name }
            if view.seen != pointer {
                guard let build = pointer == nil ? 0 : Pointer.build(view.pointer) else { return nil }
                // One that came in between is noticed the next time: what is kept is of the one before.
                (view.seen, view.build) = (pointer, build)
                view.path = "\(directory)/\(projection.build(build).storage).sqlite"
                (view.counter, view.connection) = (nil, nil)
            }
            if view.counter == nil {
                opened += 1
                view.counter = CommitCounter(view.path, number: opened)
            }
            views[name] = view
            return name
        }
    }
    private let state = Mutex(State())

    /// - Returns: nil where the database is not there yet, or cannot tell at once.
    func version(of projection: AnyProjection, in directory: String) -> ViewVersion? {
        state.withLock { state in
            guard let name = state.follow(projection, in: directory), let view = state.views[name] else { return nil }
            guard let counter = view.counter, let count = counter.count() else { return nil }
            return ViewVersion(build: view.build, counter: counter.number, count: count)
        }
    }

    /// - Returns: nil where it is not there yet, or is not to be used now.
    func connection(to projection: AnyProjection, in directory: String) -> QuickConnection? {
        state.withLock { state in
            guard let name = state.follow(projection, in: directory), let view = state.views[name] else { return nil }
            if view.connection == nil { state.views[name]?.connection = QuickConnection(view.path) }
            return state.views[name]?.connection.flatMap { $0.isResting ? nil : $0 }
        }
    }

    /// Forgets a database: another may come in its place.
    func close(_ path: String) {
        state.withLock { state in
            for name in Array(state.views.keys) where state.views[name]?.path == path { state.views[name] = nil }
        }
    }

    func closeAll() { state.withLock { $0.views = [:] } }
}

/// It is Sendable unchecked, for ``LiveVersions`` uses it under its lock.
private final class CommitCounter: @unchecked Sendable {
    let number: UInt64
    private let connection: OpaquePointer
    private let statement: OpaquePointer

    /// - Returns: nil where it cannot be opened.
    init?(_ path: String, number: UInt64) {
        var (connection, statement): (OpaquePointer?, OpaquePointer?)
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
        guard sqlite3_open_v2(path, &connection, flags, nil) == SQLITE_OK,
            sqlite3_prepare_v2(connection, "PRAGMA data_version", -1, &statement, nil) == SQLITE_OK,
            let connection, let statement
        else {
            sqlite3_finalize(statement)
            sqlite3_close(connection)
            return nil
        }
        (self.number, self.connection, self.statement) = (number, connection, statement)
    }

    deinit {
        sqlite3_finalize(statement)
        sqlite3_close(connection)
    }

    func count() -> Int64? {
        defer { sqlite3_reset(statement) }
        return sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : nil
    }
}

/// A connection that reads on the caller's thread. Where a read has waited for the disk, it rests for a moment: then threads that may
/// wait shall read.
final class QuickConnection: Sendable {
    private static let rest = Duration.milliseconds(50)
    private let queue: DatabaseQueue
    private let restsUntil = Mutex<ContinuousClock.Instant?>(nil)

    /// - Returns: nil where it cannot be opened.
    init?(_ path: String) {
        guard let queue = try? DatabaseQueue(path: path, configuration: SQLiteViews.reading) else { return nil }
        self.queue = queue
    }

    var isResting: Bool {
        restsUntil.withLock { until in
            if let end = until, end <= .now { until = nil }
            return until != nil
        }
    }

    /// All that `body` reads is of one moment.
    func read<R>(_ body: (any ViewReader) throws -> R) throws -> R {
        let before = BlockInput.count
        defer {
            if BlockInput.count != before { restsUntil.withLock { $0 = .now + Self.rest } }
        }
        return try queue.unsafeRead { db in
            try db.cachedStatement(sql: "BEGIN").execute()
            let result = Result { try body(SQLiteReader(db: db)) }
            try db.cachedStatement(sql: "COMMIT").execute()
            return try result.get()
        }
    }
}

/// How often this thread has waited for what a disk had to read.
private enum BlockInput {
    static var count: Int {
        #if os(Linux)
            var usage = rusage()
            // 1 is RUSAGE_THREAD, a name that glibc keeps from whoever does not ask for its own.
            return getrusage(1, &usage) == 0 ? usage.ru_inblock : 0
        #else
            return 0
        #endif
    }
}

extension stat {
    fileprivate var modified: timespec {
        #if canImport(Darwin)
            st_mtimespec
        #else
            st_mtim
        #endif
    }
}
