internal import Dispatch
internal import Foundation

/// Tells of writes to a file, or to any file of a folder, by any process: inotify(7).
///
/// Writes that come close together may be told once. What was written before the watch began is not told.
package final class FileWatch: Sendable {
    /// Unchecked, for a dispatch source may be used from any thread; its protocol does not say so.
    private struct Source: @unchecked Sendable {
        let source: any DispatchSourceRead
        let cancelled: DispatchSemaphore
    }
    private let source: Source

    /// - Parameter changed: Is given the name of the file in the folder; nil where a file is watched. It must not block.
    /// - Returns: nil where the path is missing, or the system has no room for another watcher of this user
    ///   (`fs.inotify.max_user_instances`): then look from time to time.
    package init?(_ path: String, _ changed: @escaping @Sendable (_ name: String?) -> Void) {
        let inotify = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard inotify >= 0 else { return nil }
        guard inotify_add_watch(inotify, path, UInt32(IN_MODIFY)) >= 0 else {
            close(inotify)
            return nil
        }
        let done = DispatchSemaphore(value: 0)
        let source = DispatchSource.makeReadSource(
            fileDescriptor: inotify, queue: DispatchQueue(label: "millrace.file-watch"))
        source.setEventHandler {
            for name in Self.names(inotify) { changed(name) }
        }
        source.setCancelHandler {
            close(inotify)
            done.signal()
        }
        source.activate()
        self.source = Source(source: source, cancelled: done)
    }

    /// The files that were written to, each once.
    private static func names(_ inotify: Int32) -> Set<String?> {
        var names: Set<String?> = []
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: MemoryLayout<inotify_event>.alignment) { buffer in
            guard let start = buffer.baseAddress else { return }
            while true {
                let count = read(inotify, start, buffer.count)
                if count <= 0 { return }
                var at = 0
                while at < count {
                    let event = (start + at).load(as: inotify_event.self)
                    let name = start + at + MemoryLayout<inotify_event>.size
                    names.insert(event.len == 0 ? nil : String(cString: name.assumingMemoryBound(to: CChar.self)))
                    at += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        return names
    }

    deinit {
        source.source.cancel()
        // Nothing is told once it is gone.
        source.cancelled.wait()
    }
}
