package import EventModel
internal import Foundation
internal import SwiftProtobuf

/// The rows of the view `kv.keys`, as the keys that they show, and as they should be.
package enum KeyRows {
    /// The projection that writes them.
    package static let projection = "kv.keys"

    /// The keys that are there by a view's rows, by the partition of `kv.events` that each belongs into.
    package static func copies(_ reader: any ViewReader, partitions: Int) throws -> [KeyCopy] {
        typealias Key = KeyTable.Key
        var copies = (0..<partitions).map { _ in KeyCopy() }
        try reader.everyRow(Scan(KeyTable.keys)) { row in
            if row[Key.live] == 0 { return }
            let key = Bytes(row[Key.name] ?? "")
            let number = Int(Partitioner.partition(of: HashTag.of(key), among: partitions).rawValue)
            try value(of: row).withUnsafeBytes {
                try copies[number].table.set(key, $0, row[Key.revision] ?? 0, row[Key.expires])
            }
        }
        return copies
    }

    /// What is no base64, where it should be, is taken as it stands: it differs from any value.
    private static func value(of row: Row) -> [UInt8] {
        let text = row[KeyTable.Key.value] ?? ""
        if row[KeyTable.Key.encoding] == "base64", let data = Data(base64Encoded: text) { return [UInt8](data) }
        return [UInt8](text.utf8)
    }
}

/// The rows of some keys as `kv.keys` folds them, to be put in the place of what is there.
package struct KeyRowsFold: Sendable {
    private let keys: Set<String>
    private var rows: [String: [Row: Row]] = [:]

    package init(_ keys: some Sequence<Bytes>) { self.keys = Set(keys.map(\.text)) }

    /// Folds a record of `kv.events`, as far as it is about these keys.
    ///
    /// - Throws: ``Undecodable``.
    package mutating func apply(_ record: Record, in source: TopicPartition) throws {
        guard let event = try KVEvent.kind(in: record.value), touches(event) else { return }
        let rows = rows
        let batch = ViewBatch { table, key in rows[table.name]?[key] }
        try KeyTable().apply(event, at: EventPosition(of: record, in: source), to: batch)
        for (table, changes) in batch.changes() {
            for change in changes {
                switch change {
                case .upsert(let row): self.rows[table.name, default: [:]][Array(row.prefix(table.key))] = row
                case .delete(let key): self.rows[table.name]?[key] = nil
                }
            }
        }
    }

    private func touches(_ event: KVEvent.Kind) -> Bool {
        var isOurs = false
        event.eachChange { change in
            switch change {
            case .put(let key, _, _, _), .expiry(let key, _, _), .gone(let key, _):
                isOurs = isOurs || keys.contains(key)
            }
        }
        return isOurs
    }

    /// The keys of the rows that a view has of these keys, whatever they say.
    package func there(_ reader: any ViewReader) throws -> [(table: Table, key: Row)] {
        var found: [(Table, Row)] = []
        for key in keys.sorted() {
            let own = try reader.rows(KeyTable.keys, keys: [[.text(key)]])
            found += own.map { _ in (KeyTable.keys, [.text(key)]) }
            try reader.everyRow(Scan(KeyTable.history, equal: [.text(key)])) {
                found.append((KeyTable.history, Array($0.prefix(KeyTable.history.key))))
            }
        }
        return found
    }

    /// Writes the rows as they should be, and takes away those that are there and should not.
    package func write(to batch: ViewBatch, over there: [(table: Table, key: Row)]) {
        for (table, key) in there { batch.delete(table, key) }
        for table in KeyTable.tables {
            for (key, row) in rows[table.name] ?? [:] where keys.contains(key.first?.text ?? "") {
                batch.put(table, row)
            }
        }
    }
}

/// Records of `kv.state` that say of some keys how they are, folded from `kv.events`.
package struct KeyStatesFold: Sendable {
    private let keys: Set<String>
    private var newest: [String: (offset: Offset, time: Timestamp)] = [:]

    package init(_ keys: some Sequence<Bytes>) { self.keys = Set(keys.map(\.text)) }

    /// Takes note of a record of `kv.events`.
    ///
    /// - Throws: ``Undecodable``.
    package mutating func apply(_ record: Record) throws {
        guard let event = try KVEvent.kind(in: record.value) else { return }
        event.eachChange { change in
            switch change {
            case .put(let key, _, _, _), .expiry(let key, _, _), .gone(let key, _):
                if keys.contains(key) { newest[key] = (record.offset, record.timestamp) }
            }
        }
    }

    /// What `kv.state` should say of a key.
    package func record(of difference: KeyDifference) -> NewRecord {
        let key = difference.key
        let (offset, time) = newest[key.text] ?? (0, 0)
        let value = difference.expected.map { entry in
            KVState.bytes(
                .keyState(
                    .with {
                        ($0.key, $0.value, $0.revision) = (key.text, Data(entry.value), entry.revision)
                        if let expires = entry.expires { $0.expiresAt = expires.proto }
                        $0.offset = offset.rawValue
                    }))
        }
        return NewRecord(
            key: key, value: value ?? Bytes(), timestamp: time, headers: [Header(HeaderName.type, "KeyState")])
    }
}
