internal import EventModel
internal import Foundation
internal import SwiftProtobuf

/// What holds of keys, whatever happens.
enum KVInvariants {
    /// How many revisions an event takes, and the first of them.
    private static func revisions(of event: KVEvent.Kind) -> (first: Int64, count: Int64) {
        switch event {
        case .valuePut(let e): (e.revision, 1)
        case .valuesPut(let e): (e.revision, Int64(e.pairs.count))
        case .keyDeleted(let e): (e.revision, 1)
        case .keyExpired(let e): (e.revision, 1)
        case .expiryChanged(let e): (e.revision, 1)
        }
    }

    static let revisionsFollow = Invariant(
        "each change of a tag has the revision after the one before", over: "kv.events", KVEvent.self,
        from: [String: Int64](),
        fold: { last, event, place in
            let (tag, (first, count)) = (KeyValues.key(of: event), revisions(of: event))
            let expected = last[tag, default: 0] + 1
            if first != expected {
                throw Violation("\(tag) has revision \(first) at \(place.words), where \(expected) comes next")
            }
            last[tag] = first + count - 1
        })

    /// What goes by itself, or is taken away, was there.
    static let whatGoesWasThere = Invariant(
        "a key goes once, and not before its time", over: "kv.events", KVEvent.self, from: [String: Timestamp?](),
        fold: { expiries, event, place in
            switch event {
            case .valuePut(let e):
                expiries[e.key] = .some(e.hasExpiresAt ? Timestamp(e.expiresAt) : nil)
            case .valuesPut(let e): for pair in e.pairs { expiries[pair.key] = .some(nil) }
            case .keyDeleted(let e):
                if expiries.removeValue(forKey: e.key) == nil {
                    throw Violation("\(e.key) is deleted at \(place.words) and was not there")
                }
            case .keyExpired(let e):
                guard case .some(.some(let until)) = expiries.removeValue(forKey: e.key), until <= place.timestamp
                else { throw Violation("\(e.key) expires at \(place.words) before its time") }
            case .expiryChanged(let e):
                if expiries[e.key] == nil {
                    throw Violation("\(e.key) has another expiry at \(place.words) and is not there")
                }
                expiries[e.key] = .some(e.hasExpiresAt ? Timestamp(e.expiresAt) : nil)
            }
        })

    /// The view has the keys that the log has, with their values and revisions.
    static let viewHasTheLog = Invariant(
        "the view has the keys and values of the log", over: KeyTable.topics, of: "kv.keys", from: [String: Shelf](),
        fold: { shelves, record, _ in
            guard let event = try KVEvent.kind(in: record.value) else { return }
            KeyValues.evolve(&shelves[KeyValues.key(of: event), default: Shelf()], with: event, at: record.timestamp)
        },
        rows: { shelves, reader in
            var entries: [String: Shelf.Entry] = [:]
            for shelf in shelves.values { entries.merge(shelf.entries) { $1 } }
            try reader.everyRow(Scan(KeyTable.keys)) { row in
                typealias Key = KeyTable.Key
                let key = row[Key.name] ?? ""
                let entry = entries.removeValue(forKey: key)
                let shown = entry.map { ShownValue($0.value) }
                let isSame =
                    row[Key.live] == (entry == nil ? 0 : 1) && row[Key.value] == shown?.text
                    && (entry == nil || row[Key.revision] == entry?.revision) && row[Key.expires] == entry?.expires
                if !isSame { throw Violation("\(key) is shown otherwise than the log has it") }
            }
            if let key = entries.keys.min() { throw Violation("\(key) is there and is not shown") }
        })
}
