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
    func integer(_ row: Int, _ column: Int) -> Int64? {
        bytes(row, column).map { Int64(bigEndian: $0.loadUnaligned(as: Int64.self)) }
    }

    /// A row of a table whose columns were all selected.
    func row(_ row: Int, of table: Table) -> Row {
        table.columns.indices.map { column in
            switch table.columns[column].kind {
            case .text: text(row, column).map { .text($0) } ?? .null
            case .integer, .timestamp: integer(row, column).map { .integer($0) } ?? .null
            case .real: integer(row, column).map { .real(Double(bitPattern: UInt64(bitPattern: $0))) } ?? .null
            }
        }
    }
}
