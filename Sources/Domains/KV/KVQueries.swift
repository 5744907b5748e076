internal import EventModel

/// What the store is asked, of its view. The RESP front answers from memory instead.
enum KVQueries {
    private static let key = RequiredParameter<String>("key", "the key")
    private static let revision = RequiredParameter<Int64>("revision", "the key as it was at this revision")
    private static let prefix = OptionalParameter<String>("prefix", "what the keys begin with (default: any)")

    private static let columns = [
        Column("key", .text), Column("value", .text), Column("encoding", .text, "text or base64"),
        Column("bytes", .integer), Column("revision", .integer), Column("expires_at", .timestamp),
        Column("changed_at", .timestamp),
    ]

    /// Whether a key is there: one whose time is over is gone, whether its timer has come or not.
    private static func isThere(_ row: Row, _ now: Timestamp) -> Bool {
        row[KeyTable.Key.live] == 1 && (row[KeyTable.Key.expires].map { $0 > now } ?? true)
    }
    private static func shown(_ row: Row) -> Row {
        typealias Key = KeyTable.Key
        return [
            row.value(Key.name), row.value(Key.value), row.value(Key.encoding), row.value(Key.bytes),
            row.value(Key.revision), row.value(Key.expires), row.value(Key.changed),
        ]
    }

    static let get = Query("kv.get", "The value of a key.", of: "kv.keys", [key]) { arguments, reader in
        let rows = try reader.rows(KeyTable.keys, keys: [[.text(try arguments[key])]])
        return Page(columns: columns, rows: rows.filter { isThere($0, arguments.now) }.map(shown))
    }

    static let atVersion = Query(
        "kv.at-version", "A key as it was at a revision, of the last \(KVLimits.history).", of: "kv.keys",
        [key, revision]
    ) { arguments, reader in
        let (key, revision) = (Value.text(try arguments[key]), try arguments[revision])
        let scan = Scan(
            KeyTable.history, equal: [key], through: .integer(revision), descending: true, limit: 1)
        return Page(columns: KeyTable.history.columns, rows: try reader.rows(scan))
    }

    static let history = Query(
        "kv.history", "The last changes of a key, newest first.", of: "kv.keys", [key]
    ) { arguments, reader in
        let scan = Scan(KeyTable.history, equal: [.text(try arguments[key])], descending: true)
        return try Page(of: scan.page(arguments), in: reader)
    }

    static let scan = Query(
        "kv.scan", "The keys that begin with something, in order, with their values.", of: "kv.keys", [prefix]
    ) { arguments, reader in
        let prefix = arguments[prefix] ?? ""
        let scan = Scan(
            KeyTable.keys, by: "live", equal: [1], from: prefix.isEmpty ? nil : .text(prefix),
            through: prefix.isEmpty ? nil : .text(prefix + "\u{10FFFF}"))
        var page = try Page(of: scan.page(arguments), in: reader)
        page.rows = page.rows.filter { isThere($0, arguments.now) }.map(shown)
        page.columns = columns
        return page
    }
}
