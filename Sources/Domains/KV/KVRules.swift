internal import EventModel
internal import Foundation
internal import SwiftProtobuf

extension KeyValues {
    static func check(_ command: Command.Kind) throws(Malformed) {
        switch command {
        case .put(let c):
            try check(key: c.key)
            try check(c.value, c.text)
            try check(ttl: c.ttlMs, or: c.hasExpiresAt ? c.expiresAt : nil)
            if c.keepTtl, c.ttlMs != 0 || c.hasExpiresAt { throw Malformed("keepTtl", "is given beside an expiry") }
            if c.ifAbsent, c.ifPresent { throw Malformed("ifPresent", "is given beside ifAbsent") }
        case .delete(let c):
            try check(key: c.key)
            try Check.range(c.expected, "expected", 0...Int64.max)
        case .compareAndSet(let c):
            try check(key: c.key)
            try Check.range(c.expected, "expected", 0...Int64.max)
            try check(c.value, c.text)
            try check(ttl: c.ttlMs, or: nil)
        case .putMany(let c): try check(c.pairs)
        case .increment(let c): try check(key: c.key)
        case .appendBytes(let c):
            try check(key: c.key)
            try check(c.value, c.text)
            if c.value.isEmpty, c.text.isEmpty { throw Malformed("value", "is missing") }
        case .expire(let c):
            try check(key: c.key)
            if c.ttlMs == 0, !c.hasExpiresAt { throw Malformed("ttlMs", "is missing, and so is expiresAt") }
            try check(ttl: c.ttlMs, or: c.hasExpiresAt ? c.expiresAt : nil)
        case .persist(let c): try check(key: c.key)
        case .expireKey(let c): try check(key: c.key)
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        let revision: Int64
        switch event {
        case .valuePut(let e):
            try check(key: e.key)
            try check(e.value, "")
            if e.hasExpiresAt { try check(moment: e.expiresAt) }
            revision = e.revision
        case .valuesPut(let e):
            try check(e.pairs)
            revision = e.revision
        case .keyDeleted(let e):
            try check(key: e.key)
            revision = e.revision
        case .keyExpired(let e):
            try check(key: e.key)
            revision = e.revision
        case .expiryChanged(let e):
            try check(key: e.key)
            if e.hasExpiresAt { try check(moment: e.expiresAt) }
            revision = e.revision
        }
        try Check.range(revision, "revision", 1...Int64.max)
    }

    private static func check(key: String, _ field: String = "key") throws(Malformed) {
        try Check.text(key, field, atMost: KVLimits.key)
        try Check.composition(key, field)
    }

    private static func check(_ value: Data, _ text: String, _ field: String = "value") throws(Malformed) {
        if !value.isEmpty, !text.isEmpty { throw Malformed("text", "is given beside value; give one of them") }
        let bytes = max(value.count, text.utf8.count)
        if bytes > KVLimits.value {
            throw Malformed(field, "has \(bytes) bytes, at most \(KVLimits.value) are allowed")
        }
    }

    private static func check(_ pairs: [KVPair]) throws(Malformed) {
        if pairs.isEmpty { throw Malformed("pairs", "are missing") }
        if pairs.count > KVLimits.pairs {
            throw Malformed("pairs", "are \(pairs.count), at most \(KVLimits.pairs) are allowed")
        }
        var (keys, bytes) = (Set<String>(), 0)
        for (number, pair) in pairs.enumerated() {
            try check(key: pair.key, "pairs[\(number)].key")
            if !keys.insert(pair.key).inserted { throw Malformed("pairs[\(number)].key", "is there twice") }
            if HashTag.of(pair.key) != HashTag.of(pairs[0].key) {
                throw Malformed(
                    "pairs[\(number)].key",
                    "is of another tag than \(pairs[0].key); keys that are put at once share what is between { and }")
            }
            try check(pair.value, "", "pairs[\(number)].value")
            bytes += pair.key.utf8.count + pair.value.count + KVLimits.pair
        }
        if bytes > KVLimits.many {
            throw Malformed(
                "pairs", "have \(bytes) bytes with \(KVLimits.pair) for each, at most \(KVLimits.many) are allowed")
        }
    }

    private static func check(ttl: Int64, or moment: Google_Protobuf_Timestamp?) throws(Malformed) {
        if ttl != 0 { try Check.range(ttl, "ttlMs", KVLimits.ttl) }
        guard let moment else { return }
        if ttl != 0 { throw Malformed("expiresAt", "is given beside ttlMs; give one of them") }
        try check(moment: moment)
    }

    private static func check(moment: Google_Protobuf_Timestamp) throws(Malformed) {
        try Check.moment(moment, "expiresAt")
        if moment.nanos % 1_000_000 != 0 { throw Malformed("expiresAt", "has a fraction of a millisecond") }
    }
}
