internal import EventModel
internal import Foundation
internal import SwiftProtobuf

extension KVCommand: Envelope {}
extension KVEvent: Envelope {}

/// Keys and their values: each change has the next revision of its tag.
///
/// The aggregate is what keys that belong together share: their tag, or the one key that has none. So one writer orders all
/// changes of a key, and several keys of a tag can change at once.
enum KeyValues: Decider {
    typealias Command = KVCommand
    typealias Event = KVEvent
    typealias State = Shelf
    typealias Rejection = KVRefusal

    static var initial: Shelf { Shelf() }
    /// 1: no key expires further ahead than a time to live may reach.
    static var rules: Int { 1 }

    static func key(of command: Command.Kind) -> String {
        switch command {
        case .put(let c): HashTag.of(c.key)
        case .delete(let c): HashTag.of(c.key)
        case .compareAndSet(let c): HashTag.of(c.key)
        case .putMany(let c): HashTag.of(c.pairs.first?.key ?? "")
        case .increment(let c): HashTag.of(c.key)
        case .appendBytes(let c): HashTag.of(c.key)
        case .expire(let c): HashTag.of(c.key)
        case .persist(let c): HashTag.of(c.key)
        case .expireKey(let c): HashTag.of(c.key)
        }
    }

    static func key(of event: Event.Kind) -> String { HashTag.of(firstKey(of: event)) }

    static func firstKey(of event: Event.Kind) -> String {
        switch event {
        case .valuePut(let e): e.key
        case .valuesPut(let e): e.pairs.first?.key ?? ""
        case .keyDeleted(let e): e.key
        case .keyExpired(let e): e.key
        case .expiryChanged(let e): e.key
        }
    }

    static func decide(
        _ command: Command.Kind, id: String, on shelf: Shelf, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        switch command {
        case .put(let c): try put(c, on: shelf, at: now)
        case .delete(let c): try delete(c, on: shelf, at: now)
        case .compareAndSet(let c): try compareAndSet(c, on: shelf, at: now)
        case .putMany(let c): try putMany(c, on: shelf, at: now)
        case .increment(let c): try increment(c, on: shelf, at: now)
        case .appendBytes(let c): try append(c, on: shelf, at: now)
        case .expire(let c): try expire(c.key, try moment(c.ttlMs, c.hasExpiresAt ? c.expiresAt : nil, now), shelf, now)
        case .persist(let c): try expire(c.key, nil, shelf, now)
        case .expireKey(let c): try end(c.key, on: shelf, at: now)
        }
    }

    private static func put(_ c: KVPut, on shelf: Shelf, at now: Timestamp) throws(Rejection) -> [Event.Kind] {
        let live = shelf.live(c.key, at: now)
        if c.ifAbsent, let live { throw .keyExists(key: c.key, revision: live.revision) }
        if c.ifPresent, live == nil { throw .unknownKey(key: c.key) }
        let expires = c.keepTtl ? live?.expires : try moment(c.ttlMs, c.hasExpiresAt ? c.expiresAt : nil, now)
        return try write(c.key, bytes(c.value, c.text), until: expires, over: live, on: shelf, at: now)
    }

    private static func compareAndSet(
        _ c: KVCompareAndSet, on shelf: Shelf, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let live = shelf.live(c.key, at: now)
        if c.expected != live?.revision ?? 0 {
            throw .otherRevision(key: c.key, expected: c.expected, revision: live?.revision ?? 0)
        }
        return try write(
            c.key, bytes(c.value, c.text), until: try moment(c.ttlMs, nil, now), over: live, on: shelf, at: now)
    }

    /// The event of a value, none where the key has it already.
    private static func write(
        _ key: String, _ value: Data, until expires: Timestamp?, over live: Shelf.Entry?, on shelf: Shelf,
        at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        if let expires, expires <= now { throw .expiryOver(at: expires) }
        if let live, live.value == value, live.expires == expires { return [] }
        if !shelf.fits([(key, value.count)]) { throw .tagFull(tag: HashTag.of(key)) }
        return [
            .valuePut(
                .with {
                    ($0.key, $0.value, $0.revision) = (key, value, shelf.revision + 1)
                    if let expires { $0.expiresAt = expires.proto }
                })
        ]
    }

    private static func putMany(_ c: KVPutMany, on shelf: Shelf, at now: Timestamp) throws(Rejection) -> [Event.Kind] {
        if c.ifAbsent {
            for pair in c.pairs {
                if let live = shelf.live(pair.key, at: now) {
                    throw .keyExists(key: pair.key, revision: live.revision)
                }
            }
        }
        let isSo = c.pairs.allSatisfy { pair in
            shelf.live(pair.key, at: now).map { $0.value == pair.value && $0.expires == nil } ?? false
        }
        if isSo { return [] }
        if !shelf.fits(c.pairs.map { ($0.key, $0.value.count) }) { throw .tagFull(tag: HashTag.of(c.pairs[0].key)) }
        return [.valuesPut(.with { ($0.pairs, $0.revision) = (c.pairs, shelf.revision + 1) })]
    }

    private static func delete(_ c: KVDelete, on shelf: Shelf, at now: Timestamp) throws(Rejection) -> [Event.Kind] {
        let live = shelf.live(c.key, at: now)
        if c.expected != 0, c.expected != live?.revision ?? 0 {
            throw .otherRevision(key: c.key, expected: c.expected, revision: live?.revision ?? 0)
        }
        if live == nil { return [] }
        return [.keyDeleted(.with { ($0.key, $0.revision) = (c.key, shelf.revision + 1) })]
    }

    private static func increment(
        _ c: KVIncrement, on shelf: Shelf, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let live = shelf.live(c.key, at: now)
        guard let number = live.map({ WholeNumber.of($0.value) }) ?? 0 else { throw .notANumber(key: c.key) }
        let (sum, isOver) = number.addingReportingOverflow(c.by)
        if isOver { throw .overflow(key: c.key) }
        return try write(c.key, Data(String(sum).utf8), until: live?.expires, over: live, on: shelf, at: now)
    }

    private static func append(
        _ c: KVAppendBytes, on shelf: Shelf, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let live = shelf.live(c.key, at: now)
        let value = (live?.value ?? Data()) + bytes(c.value, c.text)
        if value.count > KVLimits.value { throw .valueTooLong(key: c.key, bytes: value.count) }
        return try write(c.key, value, until: live?.expires, over: live, on: shelf, at: now)
    }

    private static func expire(
        _ key: String, _ expires: Timestamp?, _ shelf: Shelf, _ now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        guard let live = shelf.live(key, at: now) else { throw .unknownKey(key: key) }
        if let expires, expires <= now { throw .expiryOver(at: expires) }
        if live.expires == expires { return [] }
        return [
            .expiryChanged(
                .with {
                    ($0.key, $0.revision) = (key, shelf.revision + 1)
                    if let expires { $0.expiresAt = expires.proto }
                })
        ]
    }

    private static func end(_ key: String, on shelf: Shelf, at now: Timestamp) throws(Rejection) -> [Event.Kind] {
        guard let entry = shelf.entries[key] else { return [] }
        if !entry.isOver(at: now) { throw .notDue(key: key, at: entry.expires) }
        return [.keyExpired(.with { ($0.key, $0.revision) = (key, shelf.revision + 1) })]
    }

    static func admit(_ event: Event.Kind, on shelf: Shelf, at now: Timestamp) throws(Rejection) {
        let command: Command.Kind =
            switch event {
            case .valuePut(let e):
                .put(
                    .with {
                        ($0.key, $0.value) = (e.key, e.value)
                        if e.hasExpiresAt { $0.expiresAt = e.expiresAt }
                    })
            case .valuesPut(let e): .putMany(.with { $0.pairs = e.pairs })
            case .keyDeleted(let e): .delete(.with { $0.key = e.key })
            case .keyExpired(let e): .expireKey(.with { $0.key = e.key })
            case .expiryChanged(let e) where e.hasExpiresAt:
                .expire(.with { ($0.key, $0.expiresAt) = (e.key, e.expiresAt) })
            case .expiryChanged(let e): .persist(.with { $0.key = e.key })
            }
        if try decide(command, id: "", on: shelf, at: now) != [event] {
            throw .notWhatFollows(key: firstKey(of: event))
        }
    }

    static func evolve(_ shelf: inout Shelf, with event: Event.Kind, at time: Timestamp) {
        event.eachChange { shelf.fold($0) }
    }

    static func nextDue(_ shelf: Shelf) -> Timestamp? { shelf.entries.values.lazy.compactMap(\.expires).min() }

    static func due(_ shelf: Shelf, by now: Timestamp) -> [DueCommand<Command.Kind>] {
        shelf.entries.compactMap { key, entry -> DueCommand<Command.Kind>? in
            guard let expires = entry.expires, expires <= now else { return nil }
            return DueCommand(.expireKey(.with { $0.key = key }), id: "expire:\(entry.revision)", due: expires)
        }.sorted { ($0.due, $0.id) < ($1.due, $1.id) }
    }

    /// When a key goes, however that was said: no later than a time to live may have it go.
    private static func moment(
        _ ttl: Int64, _ at: Google_Protobuf_Timestamp?, _ now: Timestamp
    ) throws(Rejection) -> Timestamp? {
        if ttl != 0 { return now + .milliseconds(ttl) }
        guard let at else { return nil }
        let moment = Timestamp(at)
        if moment > now + .milliseconds(KVLimits.ttl.upperBound) { throw .expiryTooFar(at: moment) }
        return moment
    }

    private static func bytes(_ value: Data, _ text: String) -> Data { text.isEmpty ? value : Data(text.utf8) }
}
