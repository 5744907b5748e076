internal import EventModel
internal import Foundation
internal import SwiftProtobuf

/// What an event does to one key: the one fold of `kv.events` that all who keep keys share.
enum KeyChange {
    case put(key: String, value: Data, revision: Int64, expires: Timestamp?)
    /// It keeps its value.
    case expiry(key: String, revision: Int64, expires: Timestamp?)
    case gone(key: String, revision: Int64)
}

extension KVEvent.OneOf_Kind {
    /// Each key that the event changes, in the event's order.
    func eachChange<Problem: Error>(_ body: (KeyChange) throws(Problem) -> Void) throws(Problem) {
        switch self {
        case .valuePut(let e):
            try body(
                .put(
                    key: e.key, value: e.value, revision: e.revision,
                    expires: e.hasExpiresAt ? Timestamp(e.expiresAt) : nil))
        case .valuesPut(let e):
            var revision = e.revision
            for pair in e.pairs {
                try body(.put(key: pair.key, value: pair.value, revision: revision, expires: nil))
                revision += 1
            }
        case .keyDeleted(let e): try body(.gone(key: e.key, revision: e.revision))
        case .keyExpired(let e): try body(.gone(key: e.key, revision: e.revision))
        case .expiryChanged(let e):
            try body(
                .expiry(
                    key: e.key, revision: e.revision, expires: e.hasExpiresAt ? Timestamp(e.expiresAt) : nil))
        }
    }
}

extension Shelf {
    mutating func fold(_ change: KeyChange) {
        switch change {
        case .put(let key, let value, let revision, let expires):
            set(key, Entry(value: value, revision: revision, expires: expires))
        case .expiry(let key, let revision, let expires):
            guard var entry = entries[key] else { return }
            (entry.revision, entry.expires) = (revision, expires)
            set(key, entry)
        case .gone(let key, let revision):
            set(key, nil)
            self.revision = max(self.revision, revision)
        }
    }
}
