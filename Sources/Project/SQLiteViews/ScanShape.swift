internal import EventModel
internal import GRDB

/// What the text of a scan's statement follows from, where it has no cursor.
struct ScanShape: Equatable {
    private var table: String
    private var columns: Int
    private var index: EventModel.Index?
    private var equal: Int
    private var isFrom: Bool
    private var isThrough: Bool
    private var descending: Bool

    init(_ scan: Scan) {
        (table, columns, index) = (scan.table.name, scan.table.columns.count, scan.index)
        (equal, descending) = (scan.equal.count, scan.descending)
        (isFrom, isThrough) = (scan.from != nil, scan.through != nil)
    }
}

/// The statements of the scans that one read has run: a query that goes through many users runs one of them for each, and its text is as
/// long as many a row.
final class ScanStatements {
    private var known: [(shape: ScanShape, statement: Statement)] = []

    /// The statement of a scan that has no cursor.
    func statement(of scan: Scan, _ db: Database) throws -> Statement {
        let shape = ScanShape(scan)
        for known in known where known.shape == shape { return known.statement }
        let statement = try db.cachedStatement(sql: SQL.select(scan).0)
        known.append((shape, statement))
        return statement
    }
}
