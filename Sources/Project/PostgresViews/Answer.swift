internal import CPostgres
internal import EventModel

/// What a statement gave: rows in PostgreSQL's binary format.
final class Answer {
    private let result: OpaquePointer
    init(_ result: OpaquePointer) { self.result = result }
    deinit { PQclear(result) }

    var count: Int { Int(PQntuples(result)) }
    /// `COMMIT`, `ROLLBACK`, `INSERT 0 3`.
    var tag: String { String(cString: PQcmdStatus(result)) }

    private func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer? {
        let (row, column) = (Int32(row), Int32(column))
        if PQgetisnull(result, row, column) == 1 { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    }
    func text(_ row: Int, _ column: Int) -> String? {
        bytes(row, column).map { String(decoding: $0, as: UTF8.self) }
    }
    /// - Throws: where the column is no number of 64 bits.
    func integer(_ row: Int, _ column: Int) throws(PostgresError) -> Int64? {
        guard let bytes = bytes(row, column) else { return nil }
        if bytes.count != MemoryLayout<Int64>.size {
            throw .damaged("a number of \(bytes.count) bytes stands where one of 8 was written")
        }
        return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
    }

    /// A row of a table whose columns were all selected.
    ///
    /// - Throws: where a column has what was never written there.
    func row(_ row: Int, of table: Table) throws(PostgresError) -> Row {
        var values: Row = []
        values.reserveCapacity(table.columns.count)
        for column in table.columns.indices {
            let value: Value
            switch table.columns[column].kind {
            case .text: value = text(row, column).map { .text($0) } ?? .null
            case .integer, .timestamp: value = try integer(row, column).map { .integer($0) } ?? .null
            case .real:
                value = try integer(row, column).map { .real(Double(bitPattern: UInt64(bitPattern: $0))) } ?? .null
            }
            if value == .null, column < table.key {
                throw .damaged("a row of \(table.name) has no \(table.columns[column].name), which is of its key")
            }
            values.append(value)
        }
        return values
    }
}
