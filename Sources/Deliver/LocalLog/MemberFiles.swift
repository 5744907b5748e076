internal import EventLog
internal import Foundation
internal import Synchronization

/// Who is alive: each member holds a lock on a file of its own and touches it while its process runs.
///
/// The kernel lets the lock go when the process dies, so that others take over at once; a process that is frozen keeps its
/// lock but stops touching, and counts as dead after `silence`.
final class MemberFiles: Sendable {
    static let touch = Duration.seconds(1)
    static let silence = Duration.seconds(10)

    private let directory: String
    private let held = Mutex<[String: Int32]>([:])
    // A dispatch source may be used from any thread; its protocol does not say so.
    private nonisolated(unsafe) let timer: any DispatchSourceTimer

    init(directory: String) throws {
        self.directory = directory
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "millrace.members"))
        self.timer = timer
        timer.schedule(deadline: .now(), repeating: Double(Self.touch.components.seconds))
        timer.setEventHandler { [weak self] in self?.touchAll() }
        timer.activate()
    }

    func hold(_ id: String) throws {
        let path = "\(directory)/\(id)"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if file < 0 { throw LogError.file(path, errno) }
        flock(file, LOCK_EX)
        held.withLock { $0[id] = file }
    }

    func release(_ id: String) {
        guard let file = held.withLock({ $0.removeValue(forKey: id) }) else { return }
        unlink("\(directory)/\(id)")
        Foundation.close(file)
    }

    func isAlive(_ id: String) -> Bool {
        if held.withLock({ $0[id] != nil }) { return true }
        let file = open("\(directory)/\(id)", O_RDONLY | O_CLOEXEC)
        if file < 0 { return false }
        defer { Foundation.close(file) }
        if flock(file, LOCK_SH | LOCK_NB) == 0 {
            // Its process is gone; so goes its file.
            unlink("\(directory)/\(id)")
            return false
        }
        var status = stat()
        guard fstat(file, &status) == 0 else { return false }
        let touched = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
        return Date().timeIntervalSince1970 - touched < Double(Self.silence.components.seconds)
    }

    private func touchAll() {
        held.withLock { held in for file in held.values { futimens(file, nil) } }
    }

    func close() {
        timer.cancel()
        for id in held.withLock({ Array($0.keys) }) { release(id) }
    }
}
