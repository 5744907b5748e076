internal import Dispatch
internal import Foundation
internal import Synchronization

/// Tells of writes to a file, or to any file of a folder, by any process: inotify(7).
///
/// Writes that come close together may be told once. What was written before the watch began is not told. All watches of a process
/// share one of the watchers that the system has for a user (`fs.inotify.max_user_instances`, mostly 128).
package final class FileWatch: Sendable {
    private let watcher: Watcher
    private let id: UInt64

    /// - Parameter changed: Is given the name of the file in the folder; nil where a file is watched, or where more was written than the
    ///   system keeps. It must not block.
    /// - Returns: nil where the path is missing, or the system has no room for another watcher of this user, or for another
    ///   watch (`fs.inotify.max_user_watches`): then look from time to time.
    package init?(_ path: String, _ changed: @escaping @Sendable (_ name: String?) -> Void) {
        guard let watcher = Watcher.shared, let id = watcher.add(path, changed) else { return nil }
        (self.watcher, self.id) = (watcher, id)
    }

    deinit { watcher.remove(id) }
}

/// The process's watcher, and whom it tells.
private final class Watcher: Sendable {
    private typealias Told = @Sendable (_ name: String?) -> Void
    private struct State {
        /// By the number that the system gives a file or folder, of which there may be several watches.
        var watches: [Int32: [UInt64: Told]] = [:]
        var numbers: [UInt64: Int32] = [:]
        var last: UInt64 = 0
    }
    private static let made = Mutex<Watcher?>(nil)
    private static let key = DispatchSpecificKey<Void>()

    /// Nil where the system has no room for it, which may be otherwise the next time.
    static var shared: Watcher? {
        made.withLock { made in
            if made == nil { made = Watcher() }
            return made
        }
    }

    private let inotify: Int32
    private let queue = DispatchQueue(label: "millrace.file-watch")
    // A dispatch source may be used from any thread; its protocol does not say so.
    private nonisolated(unsafe) let source: any DispatchSourceRead
    private let state = Mutex(State())

    private init?() {
        inotify = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard inotify >= 0 else { return nil }
        queue.setSpecific(key: Self.key, value: ())
        source = DispatchSource.makeReadSource(fileDescriptor: inotify, queue: queue)
        // It is there for as long as the process.
        source.setEventHandler { [unowned self] in tell() }
        source.activate()
    }

    func add(_ path: String, _ changed: @escaping @Sendable (_ name: String?) -> Void) -> UInt64? {
        state.withLock { state in
            // Another watch of the same file gets its number.
            let number = inotify_add_watch(inotify, path, UInt32(IN_MODIFY))
            if number < 0 { return nil }
            state.last += 1
            state.watches[number, default: [:]][state.last] = changed
            state.numbers[state.last] = number
            return state.last
        }
    }

    /// Nothing is told once it returns, but by whoever is told just now and calls it.
    func remove(_ id: UInt64) {
        // What was told holds what may hold a watch, so it goes without the lock.
        let told = state.withLock { state -> Told? in
            guard let number = state.numbers.removeValue(forKey: id) else { return nil }
            let told = state.watches[number]?.removeValue(forKey: id)
            if state.watches[number]?.isEmpty == true {
                state.watches[number] = nil
                inotify_rm_watch(inotify, number)
            }
            return told
        }
        if DispatchQueue.getSpecific(key: Self.key) == nil { queue.sync {} }
        withExtendedLifetime(told) {}
    }

    private func tell() {
        for (number, names) in events() {
            // One that has gone meanwhile is told nothing.
            for id in state.withLock({ $0.watches[number].map { Array($0.keys) } ?? [] }) {
                guard let told = state.withLock({ $0.watches[number]?[id] }) else { continue }
                for name in names { told(name) }
            }
        }
    }

    /// What was written to: for each number the names of its files, each once.
    private func events() -> [Int32: Set<String?>] {
        var found: [Int32: Set<String?>] = [:]
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: MemoryLayout<inotify_event>.alignment) { buffer in
            guard let start = buffer.baseAddress else { return }
            // What is left is told after this: the source fires again.
            for _ in 0..<16 {
                let count = read(inotify, start, buffer.count)
                if count <= 0 { return }
                var at = 0
                while at < count {
                    let event = (start + at).load(as: inotify_event.self)
                    let name = start + at + MemoryLayout<inotify_event>.size
                    at += MemoryLayout<inotify_event>.size + Int(event.len)
                    if event.mask & UInt32(IN_IGNORED) != 0 { continue }
                    if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
                        for number in state.withLock({ Array($0.watches.keys) }) {
                            found[number, default: []].insert(nil)
                        }
                        continue
                    }
                    found[event.wd, default: []].insert(
                        event.len == 0 ? nil : String(cString: name.assumingMemoryBound(to: CChar.self)))
                }
            }
        }
        return found
    }
}
