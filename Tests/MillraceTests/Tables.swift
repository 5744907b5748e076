import Foundation
import GRDB
import TestSupport
import Testing

/// What a view's database holds: the rows of each table in order, and the offsets they show.
struct Tables: Equatable {
    var rows: [String: [String]] = [:]

    static let none = Tables()

    private init() {}

    /// - Parameter hidden: Columns whose values are left out; rows are in their order all the same.
    init(_ path: String, without hidden: Set<String> = []) throws {
        // Opening what is not there would make it.
        guard FileManager.default.fileExists(atPath: path) else { throw Overdue(description: "there is no \(path)") }
        rows = try DatabaseQueue(path: path).read { db in
            let names = try String.fetchAll(
                db, sql: #"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\_%' ESCAPE '\'"#)
            var tables = try names.reduce(into: [String: [String]]()) { tables, name in
                let columns = try db.columns(in: name).map(\.name)
                let shown = columns.filter { !hidden.contains($0) }.joined(separator: ",")
                tables[name] = try Self.texts(
                    db, "SELECT \(shown) FROM \(name) ORDER BY \(columns.joined(separator: ","))")
            }
            tables["offsets"] = try Self.texts(
                db, "SELECT topic, partition, next FROM _checkpoints WHERE next > 0 ORDER BY 1, 2")
            return tables
        }
    }

    /// Changes one row of a database behind everybody's back.
    static func change(_ path: String, _ sql: String, at place: SourceLocation = #_sourceLocation) throws {
        try DatabaseQueue(path: path).write { db in
            try db.execute(sql: sql)
            #expect(db.changesCount == 1, "\(sql)", sourceLocation: place)
        }
    }

    private static func texts(_ db: Database, _ sql: String) throws -> [String] {
        try Row.fetchAll(db, sql: sql).map { row in
            row.databaseValues.map { $0.description }.joined(separator: "|")
        }
    }

    /// The 64-bit FNV-1a hash of all rows in order.
    var hash: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for (name, rows) in rows.sorted(by: { $0.key < $1.key }) {
            for byte in ([name] + rows).joined(separator: "\n").utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        return hash
    }

    /// The rows that name something, without the offsets, which count what others wrote too.
    func naming(_ name: String) -> Tables {
        var tables = self
        tables.rows = rows.filter { $0.key != "offsets" }.mapValues { $0.filter { $0.contains(name) } }
        return tables
    }

    /// How many records have been folded.
    var folded: Int { (rows["offsets"] ?? []).reduce(0) { $0 + (Int($1.split(separator: "|")[2]) ?? 0) } }
}
