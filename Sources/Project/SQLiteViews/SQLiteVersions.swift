public import EventModel
internal import Foundation
internal import GRDB
public import Projecting
internal import SQLiteHead
internal import Synchronization

extension SQLiteViews {
    /// The build that is live, and what the head of its write-ahead log's index says: SQLite changes that with every commit. It lies in
    /// memory that all processes share, so nobody waits for a disk or a lock.
    public func version(liveOf projection: AnyProjection) -> ViewVersion? {
        versions.version(of: FollowedTables(projection), in: directory)
    }

    /// Reads over a connection of its own, so that no long query is waited for.
    public func readNow<R>(
        liveOf projection: AnyProjection,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R? {
        try readNow(FollowedTables(projection), body)
    }

    public func readNow<R>(
        _ tables: any StoredTables,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R? {
        try readNow(FollowedTables(tables), body)
    }

    private func readNow<R>(
        _ tables: FollowedTables,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R? {
        guard let (connection, state) = versions.take(tables, in: directory) else { return nil }
        defer { versions.giveBack(connection) }
        return try connection.read(state, body)
    }
}

/// Tables whose commits are counted: those of a projection, of whichever build is live, or others by themselves.
struct FollowedTables {
    let name: LiveVersions.Name
    /// What the tables of a build are kept under.
    let storage: (_ build: Int) -> String

    init(_ projection: AnyProjection) {
        name = LiveVersions.Name(name: projection.name, version: projection.version)
        storage = { projection.build($0).storage }
    }

    init(_ tables: any StoredTables) {
        name = LiveVersions.Name(name: tables.storage, version: nil)
        storage = { _ in tables.storage }
    }
}

/// Connections that count commits, one for each view that is asked for, to the build that is live.
final class LiveVersions: Sendable {
    struct Name: Hashable {
        var name: String
        /// Nil where the name is that of tables without builds.
        var version: Int?
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
        mutating func follow(_ tables: FollowedTables, in directory: String) -> Name? {
            let name = tables.name
            let view: View
            if let known = views[name] {
                view = known
            } else {
                let first = "\(directory)/\(tables.storage(0))"
                view = View(pointer: "\(first).live", path: "\(first).sqlite")
            }
            guard case .success(let pointer) = Pointer.find(view.pointer) else { return nil }
            if view.seen == pointer, view.head != nil { return name }
            if view.seen != pointer {
                guard let build = pointer == nil ? 0 : Pointer.build(view.pointer) else { return nil }
                // One that came in between is noticed the next time: what is kept is of the one before.
                (view.seen, view.build) = (pointer, build)
                view.path = "\(directory)/\(tables.storage(build)).sqlite"
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
    func version(of tables: FollowedTables, in directory: String) -> ViewVersion? {
        // Of a view that is followed, all is known but whether another build is live.
        if let known = state.withLock({ $0.known(tables.name) }), known.isLive {
            return ViewVersion(known.head, known.build)
        }
        return state.withLock { state in
            guard let name = state.follow(tables, in: directory), let view = state.views[name] else { return nil }
            return view.head.map { ViewVersion($0, view.build) }
        }
    }

    /// As many threads may read a view at once as there are processors.
    private static let connections = max(2, ProcessInfo.processInfo.activeProcessorCount)
    private static let rest = Duration.milliseconds(50)

    /// A connection to the live build that nobody else reads over. It is to be given back.
    ///
    /// - Returns: nil where the database is not there yet, all connections to it are taken, or it is not to be read so now.
    func take(
        _ tables: FollowedTables, in directory: String
    ) -> (connection: QuickConnection, state: LiveState)? {
        let name = tables.name
        // What the file system is asked, it is asked without the lock.
        if let known = state.withLock({ $0.known(name) }), known.isLive {
            return state.withLock { _ -> (connection: QuickConnection, state: LiveState)? in
                known.view.head === known.head ? known.view.take(as: name) : nil
            }
        }
        return state.withLock { state in
            guard let name = state.follow(tables, in: directory) else { return nil }
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

/// What tells the version of a build.
struct LiveState {
    fileprivate let head: CommitHead
    fileprivate let build: Int
    var version: ViewVersion { ViewVersion(head, build) }
}

extension ViewVersion {
    fileprivate init(_ head: CommitHead, _ build: Int) {
        let value = head.value
        self.init(build: build, counter: value.counter, count: value.count)
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
