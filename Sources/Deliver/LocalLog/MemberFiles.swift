internal import EventLog
internal import EventModel
internal import Foundation
internal import Synchronization

/// Who is alive: each member holds a lock on a file of its own and touches it while its process runs.
///
/// The kernel lets the lock go when the process dies, so that others take over at once; a process that is frozen keeps its
/// lock but stops touching, and counts as dead after `silence`. Other processes' members are looked at as often as
/// ``LocalMember/look`` says, and only while there are any.
final class MemberFiles: Sendable {
    static let touch = Duration.seconds(2)
    static let silence = Duration.seconds(10)

    private let directory: String
    private let clock: LogClock
    private let gone: @Sendable (_ group: String) -> Void
    /// Members of other processes, each with its group.
    private let others = Mutex<(groups: [String: String], isArmed: Bool)>(([:], false))
    private let queue = DispatchQueue(label: "millrace.members")
    private let held = Mutex<[String: Int32]>([:])
    // A dispatch source may be used from any thread; its protocol does not say so.
    private nonisolated(unsafe) let timer: any DispatchSourceTimer

    /// - Parameter gone: Called when a member of another process that was watched has died.
    init(directory: String, clock: LogClock, gone: @escaping @Sendable (_ group: String) -> Void) {
        (self.directory, self.clock, self.gone) = (directory, clock, gone)
        let timer = DispatchSource.makeTimerSource(queue: queue)
        self.timer = timer
        timer.schedule(deadline: .now(), repeating: Double(Self.touch.components.seconds))
        timer.setEventHandler { [weak self] in self?.touchAll() }
        timer.activate()
    }

    func hold(_ id: String) throws {
        let path = "\(directory)/\(id)"
        let file = PrivateFiles.open(path, O_RDWR | O_CREAT)
        if file < 0 { throw LogError.file(path, errno) }
        flock(file, LOCK_EX | LOCK_NB)
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
        let touched = Timestamp(Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000)
        return clock.now() < touched + Self.silence
    }

    /// Looks after the members of a group that are of other processes, from now on until they die.
    func watch(_ ids: some Sequence<String>, of group: String) {
        let mustArm = others.withLock { others in
            for id in ids where !held.withLock({ $0[id] != nil }) { others.groups[id] = group }
            if others.isArmed || others.groups.isEmpty { return false }
            others.isArmed = true
            return true
        }
        if mustArm { arm() }
    }

    private func arm() {
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(LocalMember.look / .milliseconds(1)))) { [weak self] in
            self?.lookAfterOthers()
        }
    }

    private func lookAfterOthers() {
        let dead = others.withLock(\.groups).filter { !isAlive($0.key) }
        let goesOn = others.withLock { others in
            for id in dead.keys { others.groups[id] = nil }
            others.isArmed = !others.groups.isEmpty
            return others.isArmed
        }
        for group in Set(dead.values) { gone(group) }
        if goesOn { arm() }
    }

    private func touchAll() {
        held.withLock { held in for file in held.values { futimens(file, nil) } }
    }

    func close() {
        timer.cancel()
        others.withLock { $0.groups = [:] }
        for id in held.withLock({ Array($0.keys) }) { release(id) }
    }
}
