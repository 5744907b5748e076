internal import EventModel
internal import GRDB
internal import GRDBSQLite

/// Values go to and from SQLite directly: GRDB boxes each argument and each column, which costs more than to write or read the
/// row. Statements are GRDB's, from its cache.
extension Statement {
    /// Runs the statement with these values to its end.
    func run(_ values: some Sequence<Value>) throws { try RowStatement(sqliteStatement).run(values) }

    /// What the statement gives for these values.
    func rows(_ values: some Sequence<Value>) throws -> [EventModel.Row] {
        try RowStatement(sqliteStatement).rows(values)
    }

    /// The rows of a table, all of whose columns the statement gives, for these values.
    ///
    /// - Throws: `SQLITE_CORRUPT` where a column has what was never written there: a page was overwritten.
    func rows(_ values: some Sequence<Value>, of table: Table) throws -> [EventModel.Row] {
        try RowStatement(sqliteStatement).rows(values, of: table)
    }
}

/// A statement of SQLite, whoever keeps it.
struct RowStatement {
    private let statement: OpaquePointer

    init(_ statement: OpaquePointer) { self.statement = statement }

    /// Runs the statement with these values to its end.
    func run(_ values: some Sequence<Value>) throws { _ = try rows(values) { _ in } }

    /// What the statement gives for these values.
    func rows(_ values: some Sequence<Value>) throws -> [EventModel.Row] {
        try rows(values) { statement in
            (0..<sqlite3_column_count(statement)).map { Value(statement, $0) }
        }
    }

    /// The rows of a table, all of whose columns the statement gives, for these values.
    ///
    /// - Throws: `SQLITE_CORRUPT` where a column has what was never written there: a page was overwritten.
    func rows(_ values: some Sequence<Value>, of table: Table) throws -> [EventModel.Row] {
        try rows(values) { statement in
            try table.columns.indices.map { column in
                let value = Value(statement, Int32(column))
                if !value.fits(table.columns[column].kind, inKey: column < table.key) {
                    throw DatabaseError(
                        resultCode: .SQLITE_CORRUPT,
                        message:
                            "a row of \(table.name) has in \(table.columns[column].name) what was never written there")
                }
                return value
            }
        }
    }

    private func rows<Found>(
        _ values: some Sequence<Value>, _ read: (OpaquePointer) throws -> Found
    ) throws -> [Found] {
        // All text lies in one place until the statement has run, so that SQLite need not copy it.
        var size = 0
        for case .text(let text) in values { size += text.utf8.count }
        return try withUnsafeTemporaryAllocation(byteCount: max(size, 1), alignment: 1) { memory in
            defer {
                sqlite3_reset(statement)
                sqlite3_clear_bindings(statement)
            }
            var used = 0
            for (i, value) in zip(Int32(1)..., values) {
                let code =
                    switch value {
                    case .null: sqlite3_bind_null(statement, i)
                    case .integer(let value): sqlite3_bind_int64(statement, i, value)
                    case .real(let value): sqlite3_bind_double(statement, i, value)
                    case .text(var text):
                        text.withUTF8 { text in
                            let place = UnsafeMutableRawBufferPointer(rebasing: memory[used..<used + text.count])
                            place.copyMemory(from: UnsafeRawBufferPointer(text))
                            used += text.count
                            // A null address would be null rather than no text.
                            let start = (place.baseAddress ?? memory.baseAddress)?.assumingMemoryBound(to: CChar.self)
                            return sqlite3_bind_text(statement, i, start, Int32(text.count), nil)
                        }
                    }
                if code != SQLITE_OK { throw failure }
            }
            var found: [Found] = []
            while true {
                switch sqlite3_step(statement) {
                case SQLITE_ROW: found.append(try read(statement))
                case SQLITE_DONE: return found
                default: throw failure
                }
            }
        }
    }

    /// What SQLite says of its last call.
    private var failure: DatabaseError {
        DatabaseError(of: sqlite3_db_handle(statement), sql: sqlite3_sql(statement).map { String(cString: $0) })
    }
}

extension DatabaseError {
    /// What SQLite says of the last call on a connection.
    init(of connection: OpaquePointer?, sql: String? = nil) {
        self.init(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
            message: String(cString: sqlite3_errmsg(connection)), sql: sql)
    }
}

extension Value {
    /// Whether a column of a kind may have the value: the tables are strict, and keys have no nulls.
    fileprivate func fits(_ kind: EventModel.Column.Kind, inKey: Bool) -> Bool {
        switch (kind, self) {
        case (.text, .text), (.integer, .integer), (.timestamp, .integer), (.real, .real): true
        case (_, .null): !inKey
        default: false
        }
    }

    /// What a column of the statement's present row has.
    fileprivate init(_ statement: OpaquePointer, _ column: Int32) {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: self = .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: self = .real(sqlite3_column_double(statement, column))
        case SQLITE_TEXT:
            let text = UnsafeRawBufferPointer(
                start: sqlite3_column_text(statement, column), count: Int(sqlite3_column_bytes(statement, column)))
            self = .text(String(decoding: text, as: UTF8.self))
        default: self = .null
        }
    }
}
