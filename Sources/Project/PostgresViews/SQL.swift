internal import EventModel
internal import Projecting

/// The tables of one version of a projection: a schema of its own, and the statements for it.
struct Schema: Hashable, Sendable {
    /// As the SQLite file: `tickets.seatmap@1`, and another build of it `tickets.seatmap@1+2`.
    let name: String

    init(_ tables: any StoredTables) { name = tables.storage }

    var checkpoints: String { quoted(name) + "._checkpoints" }
    func table(_ table: Table) -> String { "\(quoted(name)).\(quoted(table.name))" }
}

func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

private func list(_ table: Table, _ columns: some Sequence<Int>) -> String {
    columns.map { quoted(table.columns[$0].name) }.joined(separator: ", ")
}

// Reading and writing by key.
extension Schema {
    func load(_ table: Table, _ key: Row) throws -> (String, Parameters) {
        var parameters = Parameters()
        let conditions = try key.enumerated().map { i, value in
            "\(quoted(table.columns[i].name)) = \(try parameters.add(value, table.columns[i], of: table))"
        }
        let sql =
            "SELECT \(list(table, table.columns.indices)) FROM \(self.table(table)) "
            + "WHERE \(conditions.joined(separator: " AND "))"
        return (sql, parameters)
    }

    /// Writes every dirty row once, some thousands a statement, in the order of their keys.
    func write(_ batch: ViewBatch, _ session: Session) throws {
        for (table, changes) in batch.changes() {
            var (upserts, deletes): ([Row], [Row]) = ([], [])
            for change in changes {
                switch change {
                case .upsert(let row): upserts.append(row)
                case .delete(let key): deletes.append(key)
                }
            }
            try write(deletes, delete(table), table, session)
            try write(upserts, upsert(table) { "excluded.\($0)" }, table, session)
        }
        for (table, additions) in batch.additions() {
            let rows = additions.map { $0.key + $0.deltas.map { .integer($0) } }
            try write(rows, upsert(table) { "kept.\($0) + excluded.\($0)" }, table, session)
        }
    }

    private func write(_ rows: [Row], _ sql: String, _ table: Table, _ session: Session) throws {
        var rest = rows[...]
        while let first = rest.first {
            var (count, size) = (0, 0)
            while count < min(rest.count, PostgresLimits.rows), size < PostgresLimits.bytes {
                size += rest[rest.startIndex + count].reduce(0) { $0 + ($1.text?.utf8.count ?? 8) }
                count += 1
            }
            var parameters = Parameters()
            for column in first.indices {
                let start = rest.startIndex
                try parameters.add(table.columns[column], of: table, count) { rest[start + $0][column] }
            }
            _ = try session.executePrepared(sql, parameters)
            rest = rest.dropFirst(count)
        }
    }

    /// The rows of some keys.
    func rows(_ table: Table, keys: [Row], _ session: Session) throws -> [Row] {
        let key = table.columns[..<table.key]
        let names = key.map { quoted($0.name) }.joined(separator: ", ")
        let sql =
            "SELECT \(list(table, table.columns.indices)) FROM \(self.table(table)) "
            + "JOIN \(unnest(key)) AS sought(\(names)) USING (\(names))"
        return try stride(from: 0, to: keys.count, by: PostgresLimits.rows).flatMap { start in
            let run = keys[start..<min(start + PostgresLimits.rows, keys.count)]
            var parameters = Parameters()
            for column in 0..<table.key {
                try parameters.add(table.columns[column], of: table, run.count) { run[start + $0][column] }
            }
            let answer = try session.executePrepared(sql, parameters)
            return try (0..<answer.count).map { try answer.row($0, of: table) }
        }
    }

    private func unnest(_ columns: some Collection<Column>) -> String {
        "unnest(\(columns.enumerated().map { "$\($0 + 1)::\($1.kind.type)[]" }.joined(separator: ", ")))"
    }

    private func upsert(_ table: Table, _ value: (String) -> String) -> String {
        let sets = table.columns[table.key...].map { column in
            "\(quoted(column.name)) = \(value(quoted(column.name)))"
        }
        let conflict = sets.isEmpty ? "NOTHING" : "UPDATE SET \(sets.joined(separator: ", "))"
        return "INSERT INTO \(self.table(table)) AS kept (\(list(table, table.columns.indices))) "
            + "SELECT * FROM \(unnest(table.columns)) ON CONFLICT (\(list(table, 0..<table.key))) DO \(conflict)"
    }

    private func delete(_ table: Table) -> String {
        let key = table.columns[..<table.key].map { quoted($0.name) }
        return "DELETE FROM \(self.table(table)) AS kept USING \(unnest(table.columns[..<table.key])) "
            + "AS gone(\(key.joined(separator: ", "))) "
            + "WHERE \(key.map { "kept.\($0) = gone.\($0)" }.joined(separator: " AND "))"
    }
}

// Scans. Missing values come before all others; only columns outside the key can have them.
extension Schema {
    func select(_ scan: Scan) throws -> (String, Parameters) {
        var parameters = Parameters()
        let matching = try matching(scan, &parameters)
        let ranges = try scan.after.map { try self.ranges(scan, after: $0, &parameters) } ?? [[]]
        let limit = parameters.add(Int64(scan.limit))
        let columns = list(scan.table, scan.table.columns.indices)
        let end = "ORDER BY \(order(scan)) LIMIT \(limit)"
        let selects = ranges.map { range in
            "SELECT \(columns) FROM \(table(scan.table))\(clause(matching + range)) \(end)"
        }
        if selects.count == 1 { return (selects[0], parameters) }
        let all = selects.map { "(\($0))" }.joined(separator: " UNION ALL ")
        return ("SELECT \(columns) FROM (\(all)) AS parts \(end)", parameters)
    }

    func sum(_ columns: [Int], _ scan: Scan) throws -> (String, Parameters) {
        var parameters = Parameters()
        let conditions = try matching(scan, &parameters)
        let sums = columns.map { "coalesce(sum(\(quoted(scan.table.columns[$0].name))), 0)::bigint" }
        return ("SELECT \(sums.joined(separator: ", ")) FROM \(table(scan.table))\(clause(conditions))", parameters)
    }

    private func clause(_ conditions: [String]) -> String {
        conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
    }

    /// As the indexes are made, so that they serve it either way.
    private func order(_ scan: Scan) -> String {
        scan.order.map { column in
            let nulls = column < scan.table.key ? "" : scan.descending ? " NULLS LAST" : " NULLS FIRST"
            return quoted(scan.table.columns[column].name) + (scan.descending ? " DESC" : "") + nulls
        }.joined(separator: ", ")
    }

    private func matching(_ scan: Scan, _ parameters: inout Parameters) throws -> [String] {
        func compare(_ i: Int, _ sign: String, _ value: Value) throws -> String {
            let column = scan.table.columns[scan.order[i]]
            return "\(quoted(column.name)) \(sign) \(try parameters.add(value, column, of: scan.table))"
        }
        var conditions = try scan.equal.enumerated().map { try compare($0, "=", $1) }
        if let from = scan.from { conditions.append(try compare(scan.equal.count, ">=", from)) }
        if let through = scan.through { conditions.append(try compare(scan.equal.count, "<=", through)) }
        return conditions
    }

    /// The rows behind a place, as conditions of disjoint ranges, each of which an index can serve.
    ///
    /// Comparing rows leaves out what has a null. Ascending from a place without nulls that is right, for nulls are
    /// before it; so it is where all columns are of the key. Else the rows behind are put together: those that share the
    /// first columns with the place and are behind it in the next, for each number of shared columns.
    private func ranges(_ scan: Scan, after: Row, _ parameters: inout Parameters) throws -> [[String]] {
        let rest = Array(scan.order.dropFirst(scan.equal.count))
        let place = Array(after.dropFirst(scan.equal.count))
        let columns = rest.map { scan.table.columns[$0] }
        let marks = try columns.indices.map { i in
            place[i] == .null ? "NULL" : try parameters.add(place[i], columns[i], of: scan.table)
        }
        let names = columns.map { quoted($0.name) }
        let sign = scan.descending ? "<" : ">"
        let compared = "(\(names.joined(separator: ", "))) \(sign) (\(marks.joined(separator: ", ")))"
        let mayBeNull = rest.map { $0 >= scan.table.key }
        if !place.contains(.null) {
            if !scan.descending || !mayBeNull.contains(true) { return [[compared]] }
            return [[compared]]
                + columns.indices.filter { mayBeNull[$0] }.map { i in
                    (0..<i).map { "\(names[$0]) = \(marks[$0])" } + ["\(names[i]) IS NULL"]
                }
        }
        var ranges: [[String]] = []
        for i in columns.indices {
            let shared = (0..<i).map { place[$0] == .null ? "\(names[$0]) IS NULL" : "\(names[$0]) = \(marks[$0])" }
            if place[i] != .null {
                ranges.append(shared + ["\(names[i]) \(sign) \(marks[i])"])
                if scan.descending, mayBeNull[i] { ranges.append(shared + ["\(names[i]) IS NULL"]) }
            } else if !scan.descending {
                ranges.append(shared + ["\(names[i]) IS NOT NULL"])
            }
        }
        return ranges
    }
}
