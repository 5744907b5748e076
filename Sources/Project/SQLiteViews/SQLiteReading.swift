internal import EventLog
internal import Foundation
internal import GRDB
internal import Projecting

/// Views whose folder cannot be written to are read as they are.
extension SQLiteViews {
    /// Nil where the view can be written, or is not there.
    static func openForReading(_ path: String) throws -> DatabaseQueue? {
        if access(path, F_OK) != 0 { return nil }
        let folder = (path as NSString).deletingLastPathComponent
        if PrivateFiles.isWritable(folder.isEmpty ? "." : folder) && access(path, W_OK) == 0 { return nil }
        var status = stat()
        let waiting = stat(path + "-wal", &status) == 0 ? status.st_size : nil
        let isIndexed = access(path + "-shm", R_OK) == 0
        if let waiting, waiting > 0, !isIndexed {
            throw ViewError(
                .denied,
                """
                the view's newest rows are in \(path)-wal, which cannot be read without \(path)-shm. Copy the folder to where \
                it can be written to, and ask the copy
                """)
        }
        // Where nobody keeps the two files beside it, nobody writes: see sqlite.org/uri.html of `immutable`.
        let place = waiting != nil && isIndexed ? path : URL(fileURLWithPath: path).absoluteString + "?immutable=1"
        return try DatabaseQueue(path: place, configuration: reading)
    }

    static var reading: Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        // A snapshot keeps a transaction open.
        configuration.allowsUnsafeTransactions = true
        configuration.label = "millrace.views"
        return configuration
    }
}

extension DatabaseWriter {
    /// A read transaction of a connection of its own, which lasts until it is closed.
    func makeViewSnapshot() throws -> any DatabaseReader {
        if let pool = self as? DatabasePool { return try pool.makeSnapshot() }
        let queue = try DatabaseQueue(path: path, configuration: SQLiteViews.reading)
        try queue.inDatabase { db in
            try db.beginTransaction(.deferred)
            try db.execute(sql: "SELECT rootpage FROM sqlite_master LIMIT 1")
        }
        return queue
    }
}
