internal import EventLog
internal import Foundation

/// A lock among processes in which nobody starves: SQLite's own busy wait lets one writer wait for seconds.
///
/// Two file locks: who wants the second waits for it while holding the first, so that one who has just let the second go
/// stands behind everyone who was waiting. The kernel lets both go when their holder dies. A wait that becomes long is told
/// of, and one that has no end is given up.
final class FairLock: Sendable {
    /// After how long a wait is told of, and after how long it is given up.
    struct Limits: Sendable {
        var patience = Duration.seconds(5)
        var limit = Duration.seconds(60)
    }

    private let directory: String
    private let queue: Int32
    let turn: Int32
    private let limits: Limits
    private let complain: @Sendable (String) -> Void
    private let interruption: Interruption

    init(directory: String, limits: Limits, complain: @escaping @Sendable (String) -> Void) throws {
        (self.directory, self.limits, self.complain) = (directory, limits, complain)
        queue = try Self.open(directory + "/lock.queue")
        turn = try Self.open(directory + "/lock.turn")
        interruption = Interruption(every: min(.seconds(1), limits.patience))
    }

    deinit {
        close(queue)
        close(turn)
    }

    /// One thread's at a time.
    func withLock<R>(_ body: () throws -> R) throws -> R {
        var began: ContinuousClock.Instant?
        try lock(queue, &began)
        do {
            try lock(turn, &began)
        } catch {
            flock(queue, LOCK_UN)
            throw error
        }
        flock(queue, LOCK_UN)
        defer { flock(turn, LOCK_UN) }
        return try body()
    }

    /// - Parameter began: When the wait began, where there was one.
    private func lock(_ file: Int32, _ began: inout ContinuousClock.Instant?) throws {
        if flock(file, LOCK_EX | LOCK_NB) == 0 { return }
        let start = began ?? .now
        began = start
        try interruption.interrupting {
            var holder: String?
            while flock(file, LOCK_EX) != 0 {
                if errno != EINTR {
                    throw LogError(.failed, "a lock file cannot be locked: \(String(cString: strerror(errno)))")
                }
                let waited = ContinuousClock.now - start
                if waited >= limits.limit { throw givenUp(waited, holder ?? self.holder()) }
                if waited >= limits.patience, holder == nil {
                    let found = self.holder()
                    holder = found
                    complain("\(found); it is waited for, \(limits.limit.components.seconds) s in all")
                }
            }
        }
    }

    private func givenUp(_ waited: Duration, _ holder: String) -> LogError {
        LogError(
            .busy,
            """
            \(holder), and was waited for in vain for \(waited.components.seconds) s; nothing was written. Let that process \
            go on or end it, and try again
            """)
    }

    /// Who keeps everyone waiting, as far as the system tells.
    private func holder() -> String {
        // The kernel's list may miss a line where it changes while it is read.
        for _ in 0..<5 {
            for (name, file) in [("lock.turn", turn), ("lock.queue", queue)] {
                if let process = Self.holder(of: file) { return "\(directory)/\(name) is held by \(process)" }
            }
        }
        return "\(directory)/lock.turn is held by another process"
    }

    /// A line of /proc/locks, see proc(5): `1: FLOCK  ADVISORY  WRITE 1234 08:01:131 0 EOF`. Those who wait have an arrow
    /// behind the number.
    private static func holder(of file: Int32) -> String? {
        var status = stat()
        guard fstat(file, &status) == 0 else { return nil }
        for line in locks().split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 6, fields[1] == "FLOCK", fields[5].hasSuffix(":\(status.st_ino)"),
                let process = Int32(fields[4])
            else { continue }
            if process == getpid() { continue }
            // One of another namespace has no number here.
            if process <= 0 { return "another process" }
            let name = try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)
            return "process \(process)" + (name.map { " (\($0.trimmingCharacters(in: .newlines)))" } ?? "")
        }
        return nil
    }

    /// All that the kernel tells of locks, read to its end: it gives a page at a time, and says no size before.
    private static func locks() -> String {
        let file = Foundation.open("/proc/locks", O_RDONLY | O_CLOEXEC)
        if file < 0 { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var page = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &page, page.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += page[..<count]
        }
    }

    private static func open(_ path: String) throws -> Int32 {
        let file = PrivateFiles.open(path, O_RDWR | O_CREAT)
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
