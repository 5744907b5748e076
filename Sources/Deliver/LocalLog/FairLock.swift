internal import EventLog
internal import Foundation

/// A lock among processes in which nobody starves: SQLite's own busy wait lets one writer wait for seconds.
///
/// Two file locks: who wants the second waits for it while holding the first, so that one who has just let the second go
/// stands behind everyone who was waiting. The kernel lets both go when their holder dies.
final class FairLock: Sendable {
    private let queue: Int32
    private let turn: Int32

    init(directory: String) throws {
        queue = try Self.open(directory + "/lock.queue")
        turn = try Self.open(directory + "/lock.turn")
    }

    deinit {
        close(queue)
        close(turn)
    }

    func withLock<R>(_ body: () throws -> R) throws -> R {
        try Self.lock(queue)
        do {
            try Self.lock(turn)
        } catch {
            flock(queue, LOCK_UN)
            throw error
        }
        flock(queue, LOCK_UN)
        defer { flock(turn, LOCK_UN) }
        return try body()
    }

    private static func lock(_ file: Int32) throws {
        while flock(file, LOCK_EX) != 0 {
            if errno != EINTR {
                throw LogError(.failed, "a lock file cannot be locked: \(String(cString: strerror(errno)))")
            }
        }
    }

    private static func open(_ path: String) throws -> Int32 {
        let file = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if file < 0 { throw LogError.file(path, errno) }
        return file
    }
}

extension LogError {
    /// What the operating system said of a file.
    static func file(_ path: String, _ code: Int32) -> LogError {
        let why = String(cString: strerror(code))
        let kind: Kind = code == EACCES || code == EPERM || code == EROFS ? .denied : code == ENOSPC ? .full : .failed
        return LogError(kind, "\(path) cannot be opened: \(why)")
    }
}
