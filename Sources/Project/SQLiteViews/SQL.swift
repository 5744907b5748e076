internal import EventModel
internal import Foundation
internal import GRDB

/// A view's table; GRDB has another of that name.
typealias Table = EventModel.Table

/// The statements for tables and scans.
enum SQL {
    static func create(_ table: Table) -> [String] {
        let columns = table.columns.enumerated().map { i, column in
            let type: String
            switch column.kind {
            case .text: type = "TEXT"
            case .integer, .timestamp: type = "INTEGER"
            case .real: type = "REAL"
            }
            return "\(quoted(column.name)) \(type)\(i < table.key ? " NOT NULL" : "")"
        }
        let key = list(table, Array(0..<table.key))
        let create =
            "CREATE TABLE IF NOT EXISTS \(quoted(table.name))(\(columns.joined(separator: ", ")), PRIMARY KEY(\(key))) "
            + "STRICT, WITHOUT ROWID"
        return [create]
            + table.indexes.map { index in
                "CREATE INDEX IF NOT EXISTS \(quoted("\(table.name)_\(index.name)")) ON \(quoted(table.name))"
                    + "(\(list(table, index.positions)))"
            }
    }

    static func load(_ table: Table) -> String {
        "SELECT \(list(table, Array(table.columns.indices))) FROM \(quoted(table.name)) WHERE "
            + (0..<table.key).map { "\(quoted(table.columns[$0].name)) = ?" }.joined(separator: " AND ")
    }

    /// Rows written by one statement, so far as there are as many: what a statement costs beside its rows is shared by them.
    private static let runs = [64, 8, 1]

    /// Writes every dirty row once.
    static func write(_ batch: ViewBatch, _ db: Database) throws {
        for (table, changes) in batch.changes() where !changes.isEmpty {
            var upserts: [EventModel.Row] = []
            let delete = try db.cachedStatement(sql: delete(table))
            for change in changes {
                switch change {
                case .upsert(let row): upserts.append(row)
                case .delete(let key): try delete.run(key)
                }
            }
            try write(upserts, db) { upsert(table, $0) { "excluded.\($0)" } }
        }
        for (table, additions) in batch.additions() where !additions.isEmpty {
            let rows = additions.map { $0.key + $0.deltas.map { .integer($0) } }
            try write(rows, db) { upsert(table, $0) { "\($0) + excluded.\($0)" } }
        }
    }

    /// - Parameter sql: The statement for so many rows.
    private static func write(_ rows: [EventModel.Row], _ db: Database, _ sql: (Int) -> String) throws {
        var at = 0
        for run in runs where rows.count - at >= run {
            let statement = try db.cachedStatement(sql: sql(run))
            while rows.count - at >= run {
                try statement.run(rows[at..<at + run].joined())
                at += run
                // Readers that wait for a processor get a turn before all rows are written.
                if run > 1 { sched_yield() }
            }
        }
    }

    private static func upsert(_ table: Table, _ rows: Int, _ value: (String) -> String) -> String {
        let row = "(\(table.columns.map { _ in "?" }.joined(separator: ", ")))"
        let sets = table.columns[table.key...].map { column in
            "\(quoted(column.name)) = \(value(quoted(column.name)))"
        }
        let conflict = sets.isEmpty ? "NOTHING" : "UPDATE SET \(sets.joined(separator: ", "))"
        return "INSERT INTO \(quoted(table.name)) VALUES \(repeatElement(row, count: rows).joined(separator: ", ")) "
            + "ON CONFLICT DO \(conflict)"
    }

    private static func delete(_ table: Table) -> String {
        "DELETE FROM \(quoted(table.name)) WHERE "
            + (0..<table.key).map { "\(quoted(table.columns[$0].name)) = ?" }.joined(separator: " AND ")
    }

    /// What the statement of ``select(_:)`` for a scan without a cursor takes.
    static func arguments(_ scan: Scan) -> EventModel.Row {
        var arguments = scan.equal
        arguments.reserveCapacity(arguments.count + 3)
        if let from = scan.from { arguments.append(from) }
        if let through = scan.through { arguments.append(through) }
        arguments.append(.integer(Int64(scan.limit)))
        return arguments
    }

    static func select(_ scan: Scan) -> (String, EventModel.Row) {
        var (conditions, arguments) = matching(scan)
        if let after = scan.after {
            let (condition, values) = beyond(scan, after)
            conditions.append(condition)
            arguments += values
        }
        let direction = scan.descending ? " DESC" : ""
        let order = scan.order.map { quoted(scan.table.columns[$0].name) + direction }.joined(separator: ", ")
        let filter = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        let sql =
            "SELECT \(list(scan.table, Array(scan.table.columns.indices))) FROM \(quoted(scan.table.name))\(filter)"
            + " ORDER BY \(order) LIMIT ?"
        return (sql, arguments + [.integer(Int64(scan.limit))])
    }

    /// What is true of the rows after the one with these values in the order's columns.
    private static func beyond(_ scan: Scan, _ after: EventModel.Row) -> (String, EventModel.Row) {
        let rest = Array(scan.order.dropFirst(scan.equal.count))
        let values = Array(after.dropFirst(scan.equal.count))
        let nullable = rest.contains { $0 >= scan.table.key }
        if !values.contains(.null), !(nullable && scan.descending) {
            let marks = rest.map { _ in "?" }.joined(separator: ", ")
            return ("(\(list(scan.table, rest))) \(scan.descending ? "<" : ">") (\(marks))", values)
        }
        // SQL's comparison of rows knows nothing of null, which is before all else: column by column.
        var (condition, arguments): (String, EventModel.Row) = ("FALSE", [])
        for (column, value) in zip(rest, values).reversed() {
            let name = quoted(scan.table.columns[column].name)
            let further: String
            switch (scan.descending, value) {
            case (false, .null): further = "\(name) IS NOT NULL"
            case (true, .null): further = "FALSE"
            case (false, _): further = "\(name) > ?"
            case (true, _): further = column < scan.table.key ? "\(name) < ?" : "(\(name) < ? OR \(name) IS NULL)"
            }
            condition = "(\(further) OR (\(name) IS ? AND \(condition)))"
            arguments = (value == .null ? [] : [value]) + [value] + arguments
        }
        return (condition, arguments)
    }

    static func sum(_ columns: [Int], _ scan: Scan) -> (String, EventModel.Row) {
        let (conditions, arguments) = matching(scan)
        let filter = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        let sums = columns.map { "coalesce(sum(\(quoted(scan.table.columns[$0].name))), 0)" }.joined(separator: ", ")
        return ("SELECT \(sums) FROM \(quoted(scan.table.name))\(filter)", arguments)
    }

    private static func matching(_ scan: Scan) -> ([String], EventModel.Row) {
        let order = scan.order.map { quoted(scan.table.columns[$0].name) }
        var conditions = scan.equal.indices.map { "\(order[$0]) = ?" }
        var arguments = scan.equal
        if let from = scan.from {
            conditions.append("\(order[scan.equal.count]) >= ?")
            arguments.append(from)
        }
        if let through = scan.through {
            conditions.append("\(order[scan.equal.count]) <= ?")
            arguments.append(through)
        }
        return (conditions, arguments)
    }

    private static func list(_ table: Table, _ columns: [Int]) -> String {
        columns.map { quoted(table.columns[$0].name) }.joined(separator: ", ")
    }

    private static func quoted(_ name: String) -> String { "\"\(name)\"" }
}
