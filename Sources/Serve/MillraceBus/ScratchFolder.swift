internal import EventLog
internal import Foundation

/// A folder that is gone afterwards. One whose process was killed, or ended by a signal, goes when the next is made.
package func withScratchFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    ScratchFolder.sweep()
    let folder = ScratchFolder()
    defer { folder.remove() }
    return try await body(folder.path)
}

/// A folder for temporary files, locked until it is removed: so those that were left are told from it.
struct ScratchFolder {
    private static let prefix = "millrace-scratch-"
    /// So often another process may sweep one away before it is locked.
    private static let tries = 8

    let path: String
    /// Nil where it could not be made or locked; the first is told by whoever writes there.
    private let holder: Int32?

    init() {
        var (path, holder) = ("", Int32?.none)
        for _ in 0..<Self.tries where holder == nil {
            path = "\(NSTemporaryDirectory())\(Self.prefix)\(UUID().uuidString)"
            if PrivateFiles.makeFolder(path) != nil { break }
            guard let lock = Self.locked(path) else {
                _ = rmdir(path)
                continue
            }
            if access(path, F_OK) == 0 { holder = lock } else { close(lock) }
        }
        (self.path, self.holder) = (path, holder)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
        if let holder { close(holder) }
    }

    /// Removes those of this user that nobody holds.
    static func sweep() {
        let parent = NSTemporaryDirectory()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        for name in names where name.hasPrefix(prefix) {
            guard let left = locked(parent + name) else { continue }
            var status = stat()
            if fstat(left, &status) == 0, status.st_uid == geteuid() {
                try? FileManager.default.removeItem(atPath: parent + name)
            }
            close(left)
        }
    }

    /// Opens a folder and locks it; nil where it is not there, or another has it.
    private static func locked(_ path: String) -> Int32? {
        let folder = PrivateFiles.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        if folder < 0 { return nil }
        if flock(folder, LOCK_EX | LOCK_NB) == 0 { return folder }
        close(folder)
        return nil
    }
}
