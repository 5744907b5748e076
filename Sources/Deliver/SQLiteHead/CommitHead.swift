internal import GRDBSQLite
internal import Synchronization

/// The head of the index of a database's write-ahead log (sqlite.org/walformat.html, section 2.1): it is there twice, and every commit
/// writes the second copy before the first. Whoever reads rows has seen the same head in both, so the second is never older than
/// what anybody has read.
///
/// It is Sendable unchecked: the memory is SQLite's, mapped for as long as the connection is open, and only read.
package final class CommitHead: @unchecked Sendable {
    /// Bytes of a copy, and where in it the count of changes and frames, and the checksum of all of it, are.
    private static let (size, changes, frames, checksum) = (48, 8, 16, 40)
    /// What SQLite maps of the index at once.
    private static let region: Int32 = 32_768
    package let number: UInt64
    private let connection: OpaquePointer
    private let second: UnsafeRawPointer

    /// - Parameter number: Tells apart two databases that have the same head.
    /// - Returns: nil where there is no such database, or it has no such log.
    package init?(_ path: String, number: UInt64) {
        var connection: OpaquePointer?
        let isOpen = sqlite3_open_v2(path, &connection, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, nil) == SQLITE_OK
        guard isOpen, let connection, let head = Self.head(connection) else {
            sqlite3_close(connection)
            return nil
        }
        (self.number, self.connection, second) = (number, connection, head + Self.size)
    }

    deinit { sqlite3_close(connection) }

    private static func head(_ connection: OpaquePointer) -> UnsafeRawPointer? {
        // A read opens the log, and its index.
        guard sqlite3_exec(connection, "SELECT count(*) FROM sqlite_master", nil, nil, nil) == SQLITE_OK else {
            return nil
        }
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK, let file,
            let methods = file.pointee.pMethods, methods.pointee.iVersion >= 2, let map = methods.pointee.xShmMap
        else { return nil }
        var memory: UnsafeMutableRawPointer?
        guard map(file, 0, region, 0, &memory) == SQLITE_OK, let memory else { return nil }
        return UnsafeRawPointer(memory)
    }

    /// What it says now. It is another after every commit, of whichever process.
    package var value: Value {
        atomicMemoryFence(ordering: .acquiring)
        let changes = second.load(fromByteOffset: Self.changes, as: UInt32.self)
        let frames = second.load(fromByteOffset: Self.frames, as: UInt32.self)
        let checksum = second.load(fromByteOffset: Self.checksum, as: UInt64.self)
        return Value(
            counter: checksum &+ number &* 0x9e37_79b9_7f4a_7c15, count: Int64(changes) << 32 | Int64(frames))
    }

    package struct Value: Sendable, Hashable {
        package var counter: UInt64
        package var count: Int64
    }
}
