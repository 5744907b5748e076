public import EventModel
internal import Foundation
internal import GRDB
internal import GRDBSQLite
public import Projecting
internal import Synchronization

extension SQLiteViews {
    /// The build that is live, and what the head of its write-ahead log's index says: SQLite changes that with every commit. It lies in
    /// memory that all processes share, so nobody waits for a disk or a lock.
    public func version(liveOf projection: AnyProjection) -> ViewVersion? {
        versions.version(of: projection, in: directory)
    }

    /// Reads over a connection of its own, so that no long query is waited for.
    public func readNow<R>(
        liveOf projection: AnyProjection,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R? {
        guard let (connection, state) = versions.take(projection, in: directory) else { return nil }
        defer { versions.giveBack(connection) }
        return try connection.read(state, body)
    }
}

/// Connections that count commits, one for each view that is asked for, to the build that is live.
final class LiveVersions: Sendable {
    struct Name: Hashable {
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
    /// It is Sendable unchecked: what may change of it is looked at and changed under the lock of ``state``.
    private final class View: @unchecked Sendable {
        let pointer: String
        var seen: Pointer?
        var build = 0
        var path: String
        var head: CommitHead?
        /// Those that nobody reads over now, and how many there are.
        var idle: [QuickConnection] = []
        var count = 0
        var restsUntil: ContinuousClock.Instant?

        init(pointer: String, path: String) { (self.pointer, self.path) = (pointer, path) }

        func take(as name: Name) -> (connection: QuickConnection, state: LiveState)? {
            guard let head else { return nil }
            if let end = restsUntil, end > .now { return nil }
            let live = LiveState(head: head, build: build)
            if let connection = idle.popLast() { return (connection, live) }
            guard count < LiveVersions.connections, let connection = QuickConnection(path) else { return nil }
            connection.place = (name, head.number)
            count += 1
            return (connection, live)
        }
    }
    private struct State {
        var opened: UInt64 = 0
        var views: [Name: View] = [:]

        /// Sees which build is live, and opens what counts its commits.
        ///
        /// - Returns: nil where that cannot be told at once.
        mutating func follow(_ projection: AnyProjection, in directory: String) -> Name? {
            let name = Name(name: projection.name, version: projection.version)
            let view: View
            if let known = views[name] {
                view = known
            } else {
                let first = "\(directory)/\(projection.build(0).storage)"
                view = View(pointer: "\(first).live", path: "\(first).sqlite")
            }
            guard case .success(let pointer) = Pointer.find(view.pointer) else { return nil }
            if view.seen == pointer, view.head != nil { return name }
            if view.seen != pointer {
                guard let build = pointer == nil ? 0 : Pointer.build(view.pointer) else { return nil }
                // One that came in between is noticed the next time: what is kept is of the one before.
                (view.seen, view.build) = (pointer, build)
                view.path = "\(directory)/\(projection.build(build).storage).sqlite"
                (view.head, view.idle, view.count) = (nil, [], 0)
            }
            if view.head == nil {
                opened += 1
                view.head = CommitHead(view.path, number: opened)
            }
            views[name] = view
            return name
        }

        /// What is known of a view that is followed.
        func known(_ name: Name) -> Known? {
            guard let view = views[name], let head = view.head else { return nil }
            return Known(view: view, pointer: view.pointer, seen: view.seen, head: head, build: view.build)
        }
    }
    private struct Known {
        let view: View
        let pointer: String
        let seen: Pointer?
        let head: CommitHead
        let build: Int

        /// Whether the build that was live when it was last looked at still is.
        var isLive: Bool {
            guard case .success(let pointer) = Pointer.find(pointer) else { return false }
            return pointer == seen
        }
    }
    private let state = Mutex(State())

    /// - Returns: nil where the database is not there yet, or cannot tell at once.
    func version(of projection: AnyProjection, in directory: String) -> ViewVersion? {
        let name = Name(name: projection.name, version: projection.version)
        // Of a view that is followed, all is known but whether another build is live.
        if let known = state.withLock({ $0.known(name) }), known.isLive { return known.head.version(of: known.build) }
        return state.withLock { state in
            guard let name = state.follow(projection, in: directory), let view = state.views[name] else { return nil }
            return view.head?.version(of: view.build)
        }
    }

    /// As many threads may read a view at once as there are processors.
    private static let connections = max(2, ProcessInfo.processInfo.activeProcessorCount)
    private static let rest = Duration.milliseconds(50)

    /// A connection to the live build that nobody else reads over. It is to be given back.
    ///
    /// - Returns: nil where the database is not there yet, all connections to it are taken, or it is not to be read so now.
    func take(
        _ projection: AnyProjection, in directory: String
    ) -> (connection: QuickConnection, state: LiveState)? {
        let name = Name(name: projection.name, version: projection.version)
        // What the file system is asked, it is asked without the lock.
        if let known = state.withLock({ $0.known(name) }), known.isLive {
            return state.withLock { _ -> (connection: QuickConnection, state: LiveState)? in
                known.view.head === known.head ? known.view.take(as: name) : nil
            }
        }
        return state.withLock { state in
            guard let name = state.follow(projection, in: directory) else { return nil }
            return state.views[name]?.take(as: name)
        }
    }

    func giveBack(_ connection: QuickConnection) {
        state.withLock { state in
            // The view may have another database by now, perhaps of the same path.
            guard let (name, number) = connection.place, state.views[name]?.head?.number == number else { return }
            state.views[name]?.idle.append(connection)
            if connection.hasWaited { state.views[name]?.restsUntil = .now + Self.rest }
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

/// The head of the index of a database's write-ahead log (sqlite.org/walformat.html, section 2.1): it is there twice, and every commit
/// writes the second copy before the first. Whoever reads rows has seen the same head in both, so the second is never older than
/// what anybody has read.
///
/// It is Sendable unchecked: the memory is SQLite's, mapped for as long as the connection is open, and only read.
private final class CommitHead: @unchecked Sendable {
    /// Bytes of a copy, and where in it the count of changes and frames, and the checksum of all of it, are.
    private static let (size, changes, frames, checksum) = (48, 8, 16, 40)
    /// What SQLite maps of the index at once.
    private static let region: Int32 = 32_768
    let number: UInt64
    private let connection: OpaquePointer
    private let second: UnsafeRawPointer

    /// - Returns: nil where there is no such database, or it has no such log.
    init?(_ path: String, number: UInt64) {
        var connection: OpaquePointer?
        let isOpen = sqlite3_open_v2(path, &connection, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, nil) == SQLITE_OK
        guard isOpen, let connection, let head = Self.head(connection) else {
            sqlite3_close(connection)
            return nil
        }
        (self.number, self.connection, second) = (number, connection, head + Self.size)
    }

    deinit { sqlite3_close(connection) }

    private static func head(_ connection: OpaquePointer) -> UnsafeRawPointer? {
        // A read opens the log, and its index.
        guard sqlite3_exec(connection, "SELECT count(*) FROM sqlite_master", nil, nil, nil) == SQLITE_OK else {
            return nil
        }
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK, let file,
            let methods = file.pointee.pMethods, methods.pointee.iVersion >= 2, let map = methods.pointee.xShmMap
        else { return nil }
        var memory: UnsafeMutableRawPointer?
        guard map(file, 0, region, 0, &memory) == SQLITE_OK, let memory else { return nil }
        return UnsafeRawPointer(memory)
    }

    func version(of build: Int) -> ViewVersion {
        atomicMemoryFence(ordering: .acquiring)
        let changes = second.load(fromByteOffset: Self.changes, as: UInt32.self)
        let frames = second.load(fromByteOffset: Self.frames, as: UInt32.self)
        let checksum = second.load(fromByteOffset: Self.checksum, as: UInt64.self)
        // Two databases may have the same head, so a number tells which was opened.
        return ViewVersion(
            build: build, counter: checksum &+ number &* 0x9e37_79b9_7f4a_7c15,
            count: Int64(changes) << 32 | Int64(frames))
    }
}

/// What tells the version of a build.
struct LiveState {
    fileprivate let head: CommitHead
    fileprivate let build: Int
    var version: ViewVersion { head.version(of: build) }
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
