internal import Foundation

/// How much room a local log takes, and how much its disk has.
package struct LogSize: Sendable, Hashable {
    /// Bytes of its database and of what waits to go into it.
    package var bytes: Int64
    /// Bytes of its disk, and those that are free for whoever is no administrator.
    package var disk: Int64
    package var free: Int64
}

extension LocalLog {
    /// Nil where its files cannot be looked at.
    package var size: LogSize? {
        var (bytes, seen): (Int64, Bool) = (0, false)
        for file in [path, path + "-wal"] {
            var status = stat()
            if stat(file, &status) == 0 { (bytes, seen) = (bytes + Int64(status.st_size), true) }
        }
        var disk = statvfs()
        guard seen, statvfs(path, &disk) == 0 else { return nil }
        let block = Int64(disk.f_frsize)
        return LogSize(bytes: bytes, disk: Int64(disk.f_blocks) * block, free: Int64(disk.f_bavail) * block)
    }
}
