internal import EventLog
internal import Foundation
internal import Synchronization

/// Tells the processes that share a log that something was committed, so that no reader has to poll.
///
/// Who commits writes to one small file, which everyone watches and holds a shared lock on: a process that is alone sees
/// by the locks that nobody is to be told, and is not woken by its own commits. The system has room for so many watchers of a
/// user (`fs.inotify.max_user_instances`); who comes too late looks for commits by itself, see ``Listener``.
final class CommitNotifier: Sendable {
    // Locks of an open file rather than of a process, so that they tell apart two who opened the log in one process:
    // F_OFD_GETLK and F_OFD_SETLK of fcntl(2), which Swift's Glibc does not show.
    private static let getLock: Int32 = 36
    private static let setLock: Int32 = 37

    private let file: Int32
    private let path: String
    private let mayWatch: Bool
    private let ringing: @Sendable () -> Void
    private let watching = Mutex<FileWatch?>(nil)

    init(directory: String, watches: Bool, ring: @escaping @Sendable () -> Void) throws {
        path = directory + "/doorbell"
        mayWatch = watches
        ringing = ring
        file = PrivateFiles.open(path, O_RDWR | O_CREAT)
        if file < 0 { throw LogError.file(path, errno) }
        // A listener takes its lock before it first reads, so it reads whatever was committed without a ring before.
        if !Self.lock(file, Self.setLock, F_RDLCK) {
            let code = errno
            close(file)
            throw LogError(.failed, "\(path) cannot be locked: \(String(cString: strerror(code)))")
        }
        _ = watch()
    }

    var isWatched: Bool { watching.withLock { $0 != nil } }

    /// Begins to watch, where the system has room for another watcher. Says whether it watches.
    func watch() -> Bool {
        watching.withLock { watching in
            if watching != nil { return true }
            if !mayWatch { return false }
            let ringing = ringing
            watching = FileWatch(path) { _ in ringing() }
            return watching != nil
        }
    }

    /// Whether another who has opened the log listens, in this process or another.
    private var isHeard: Bool {
        var lock = Self.whole(F_WRLCK)
        // Where the locks cannot be asked, it rings.
        return fcntl(file, Self.getLock, &lock) != 0 || Int32(lock.l_type) != F_UNLCK
    }

    private static func lock(_ file: Int32, _ command: Int32, _ type: Int32) -> Bool {
        var lock = whole(type)
        return fcntl(file, command, &lock) == 0
    }

    private static func whole(_ type: Int32) -> flock {
        flock(l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    }

    func ring() {
        if !isHeard { return }
        var byte: UInt8 = 1
        // A ring that is lost only delays other processes until they next look of themselves.
        _ = pwrite(file, &byte, 1, 0)
    }

    deinit {
        watching.withLock { $0 = nil }
        close(file)
    }
}
