internal import EventLog
internal import Foundation

/// Tells the processes that share a log that something was committed, so that no reader has to poll.
///
/// Who commits writes to one small file; everyone watches it.
final class Doorbell: Sendable {
    private let file: Int32
    // A dispatch source may be used from any thread; its protocol does not say so.
    private nonisolated(unsafe) let watch: any DispatchSourceRead
    private let cancelled: DispatchSemaphore

    init(directory: String, ring: @escaping @Sendable () -> Void) throws {
        let path = directory + "/doorbell"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if file < 0 { throw LogError.file(path, errno) }
        self.file = file
        let inotify = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard inotify >= 0, inotify_add_watch(inotify, path, UInt32(IN_MODIFY)) >= 0 else {
            let code = errno
            if inotify >= 0 { close(inotify) }
            close(file)
            throw LogError(
                .failed,
                "\(path) cannot be watched: \(String(cString: strerror(code))); see fs.inotify.max_user_instances")
        }
        let done = DispatchSemaphore(value: 0)
        let source = DispatchSource.makeReadSource(
            fileDescriptor: inotify, queue: DispatchQueue(label: "millrace.doorbell"))
        source.setEventHandler {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while read(inotify, &buffer, buffer.count) > 0 {}
            ring()
        }
        source.setCancelHandler {
            close(inotify)
            done.signal()
        }
        source.activate()
        watch = source
        cancelled = done
    }

    func ring() {
        var byte: UInt8 = 1
        // A ring that is lost only delays other processes until they next look of themselves.
        _ = pwrite(file, &byte, 1, 0)
    }

    deinit {
        watch.cancel()
        cancelled.wait()
        close(file)
    }
}
