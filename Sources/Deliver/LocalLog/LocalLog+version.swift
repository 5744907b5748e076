internal import GRDBSQLite

extension LocalLog {
    /// The SQLite that this process runs, such as `3.40.1`.
    public static var libraryVersion: String { String(cString: sqlite3_libversion()) }
}
