public import EventLog
internal import GRDBSQLite
internal import SQLiteHead
internal import Synchronization

extension LocalLog {
    /// The SQLite that this process runs, such as `3.40.1`.
    public static var libraryVersion: String { String(cString: sqlite3_libversion()) }

    /// What the head of its write-ahead log's index says; nil of a log that nobody writes.
    public var version: LogVersion? { head.version(of: path) }
}

/// The head of the log's database, opened when somebody first asks.
final class LogHead: Sendable {
    private enum State {
        case unknown
        case open(CommitHead)
        case none
    }
    private let state = Mutex(State.unknown)

    func version(of path: String) -> LogVersion? {
        let head = state.withLock { state -> CommitHead? in
            if case .unknown = state { state = CommitHead(path, number: 0).map { .open($0) } ?? .none }
            if case .open(let head) = state { return head }
            return nil
        }
        return (head?.value).map { LogVersion(counter: $0.counter, count: $0.count) }
    }

    /// Nothing more is told.
    func close() { state.withLock { $0 = .none } }
}
