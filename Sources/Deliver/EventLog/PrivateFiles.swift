internal import Foundation

/// Folders and files that hold events: made for their owner alone. What is there already keeps its mode.
package enum PrivateFiles {
    private static let folderMode: mode_t = 0o700
    private static let fileMode: mode_t = 0o600

    /// Makes a folder, and those above it that are missing.
    ///
    /// - Returns: The system's code where it cannot be made, nil where it is there.
    package static func makeFolder(_ path: String) -> Int32? {
        var status = stat()
        if stat(path, &status) == 0 { return status.st_mode & S_IFMT == S_IFDIR ? nil : ENOTDIR }
        if mkdir(path, folderMode) == 0 || errno == EEXIST { return nil }
        if errno != ENOENT { return errno }
        let parent = (path as NSString).deletingLastPathComponent
        if parent.isEmpty || parent == path { return ENOENT }
        if let code = makeFolder(parent) { return code }
        return mkdir(path, folderMode) == 0 || errno == EEXIST ? nil : errno
    }

    /// Makes an empty file where there is none. One that is there is not opened: to close it would let go of the locks that
    /// SQLite has on it elsewhere in this process.
    ///
    /// - Returns: The system's code where it cannot be made.
    package static func makeFile(_ path: String) -> Int32? {
        let file = Foundation.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, fileMode)
        if file < 0 { return errno == EEXIST ? nil : errno }
        close(file)
        return nil
    }

    /// Opens a file, which is made where it is missing; below 0 where it cannot be, with the code in `errno`.
    package static func open(_ path: String, _ flags: Int32) -> Int32 {
        Foundation.open(path, flags | O_CLOEXEC, fileMode)
    }

    /// Takes from a file what others than its owner may do with it.
    package static func hide(_ path: String) { _ = chmod(path, fileMode) }

    /// Whether files can be made in a folder that is there. Root can wherever the file system can.
    package static func isWritable(_ folder: String) -> Bool { access(folder, W_OK | X_OK) == 0 }

    /// The mode of a folder that others than its owner can look into, as `755`; nil where they cannot, or where it is not there.
    package static func exposure(of folder: String) -> String? {
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_mode & 0o055 != 0 else {
            return nil
        }
        return String(status.st_mode & 0o777, radix: 8)
    }
}
