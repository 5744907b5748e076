internal import EventModel
internal import Foundation
internal import SwiftProtobuf

/// Each key with its value, and the last of its revisions.
struct KeyTable: Projection {
    typealias Event = Only<KVEvent>
    static let name = "keys"
    static let version = 1
    static let about = "Each key with its value, and the last \(KVLimits.history) of its revisions."
    static let topics = ["kv.events"]
    static let tables = [keys, history]

    static let keys = Table(
        "kv_keys", "One row a key that there is or was.", key: [Column("key", .text)],
        columns: [
            Column("live", .integer, "0 once it is gone"), Column("value", .text, "null once it is gone"),
            Column("encoding", .text, "text, or base64 where the value is no text"), Column("bytes", .integer),
            Column("revision", .integer), Column("expires_at", .timestamp), Column("changed_at", .timestamp),
            Column("kept", .text, "the revisions that the history has, with commas between"),
        ], indexes: [Index("live", ["live", "key"])])

    static let history = Table(
        "kv_history", "One row a change of a key, of the last ones.",
        key: [Column("key", .text), Column("revision", .integer)],
        columns: [
            Column("change", .text, "put, deleted, expired or expiry"),
            Column("value", .text, "null once it is gone"), Column("encoding", .text),
            Column("expires_at", .timestamp), Column("at", .timestamp),
        ])

    enum Key {
        static let name = keys.text("key")
        static let live = keys.integer("live")
        static let value = keys.text("value")
        static let encoding = keys.text("encoding")
        static let bytes = keys.integer("bytes")
        static let revision = keys.integer("revision")
        static let expires = keys.timestamp("expires_at")
        static let changed = keys.timestamp("changed_at")
        static let kept = keys.text("kept")
    }

    enum Change {
        static let key = history.text("key")
        static let revision = history.integer("revision")
        static let change = history.text("change")
        static let value = history.text("value")
        static let encoding = history.text("encoding")
        static let expires = history.timestamp("expires_at")
        static let at = history.timestamp("at")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        let at = place.timestamp
        switch event {
        case .valuePut(let e):
            let expires = e.hasExpiresAt ? Timestamp(e.expiresAt) : nil
            try set(e.key, e.revision, "put", at, view) { Self.write(e.value, expires, &$0) }
        case .valuesPut(let e):
            for (number, pair) in e.pairs.enumerated() {
                try set(pair.key, e.revision + Int64(number), "put", at, view) { Self.write(pair.value, nil, &$0) }
            }
        case .keyDeleted(let e): try set(e.key, e.revision, "deleted", at, view, Self.clear)
        case .keyExpired(let e): try set(e.key, e.revision, "expired", at, view, Self.clear)
        case .expiryChanged(let e):
            try set(e.key, e.revision, "expiry", at, view) {
                $0[Key.expires] = e.hasExpiresAt ? Timestamp(e.expiresAt) : nil
            }
        }
    }

    private func set(
        _ key: String, _ revision: Int64, _ change: String, _ at: Timestamp, _ view: ViewBatch,
        _ write: (inout Row) -> Void
    ) throws {
        var row =
            try view.row(Self.keys, [.text(key)])
            ?? [.text(key), 0, .null, .text("text"), 0, 0, .null, .null, .text("")]
        // What is told twice changes nothing.
        if row[Key.revision] ?? 0 >= revision { return }
        write(&row)
        (row[Key.revision], row[Key.changed]) = (revision, at)
        var kept = (row[Key.kept] ?? "").split(separator: ",").compactMap { Int64($0) }
        kept.append(revision)
        while kept.count > KVLimits.history {
            view.delete(Self.history, [.text(key), .integer(kept.removeFirst())])
        }
        row[Key.kept] = kept.map(String.init).joined(separator: ",")
        view.put(Self.keys, row)
        view.put(
            Self.history,
            [
                .text(key), .integer(revision), .text(change), row.value(Key.value), row.value(Key.encoding),
                row.value(Key.expires), Value(at),
            ])
    }

    private static func write(_ value: Data, _ expires: Timestamp?, _ row: inout Row) {
        let shown = ShownValue(value)
        (row[Key.live], row[Key.value], row[Key.encoding]) = (1, shown.text, shown.encoding)
        (row[Key.bytes], row[Key.expires]) = (Int64(value.count), expires)
    }

    private static func clear(_ row: inout Row) {
        (row[Key.live], row[Key.value], row[Key.encoding]) = (0, nil, "text")
        (row[Key.bytes], row[Key.expires]) = (0, nil)
    }
}

/// A value as rows and people have it: as text where it is some, else in base64.
struct ShownValue: Hashable {
    let text: String
    let encoding: String

    /// Control characters other than tabs and ends of lines are none of a text: not every database takes them.
    init(_ value: Data) {
        let isPlain = value.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 9 || $0 == 10 || $0 == 13 }
        if isPlain, let text = String(validating: value, as: UTF8.self) {
            (self.text, encoding) = (text, "text")
        } else {
            (text, encoding) = (value.base64EncodedString(), "base64")
        }
    }
}
