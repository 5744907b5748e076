package import EventModel
internal import Foundation
internal import SwiftProtobuf

/// A partition's keys and values in memory, folded from `kv.events`: what a process answers reads from.
///
/// Keys are found by a hash index. Each has a place that it keeps while it is there, so that a run over all of them that is cut
/// into pieces meets each key that is there from its beginning to its end.
package struct KeyCopy: Sendable {
    /// A key that is there, or was: what is over is gone only when its event has come.
    package struct Entry: Sendable, Hashable {
        package var value: [UInt8]
        package var revision: Int64
        package var expires: Timestamp?

        package func isOver(at now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }
    }

    /// What an event did to its key, or of several keys to the first.
    package struct Effect: Sendable {
        package var before: Entry?
        package var after: Entry?
        /// Those that this program knows; a newer writer's may be others.
        package var isKnown = true
    }

    private struct Slot: Sendable {
        var key: Bytes
        var entry: Entry
    }
    private var index: [Bytes: Int] = [:]
    private var slots: [Slot?] = []
    private var free: [Int] = []
    /// Of all values.
    package private(set) var bytes = 0

    package init() {}

    /// How many keys there are, those whose time is over and whose event has not come yet among them.
    package var count: Int { index.count }

    /// The key as it is; nil where it is not there, or its time is over.
    package func live(_ key: Bytes, at now: Timestamp) -> Entry? {
        guard let place = index[key], let entry = slots[place]?.entry, !entry.isOver(at: now) else { return nil }
        return entry
    }

    /// Keys from a place on, so many places at most.
    ///
    /// - Returns: the keys, and where the next piece begins; nil at the end.
    package func keys(from place: Int, places: Int, at now: Timestamp) -> (keys: [Bytes], next: Int?) {
        let end = min(slots.count, place + places)
        if place >= end { return ([], nil) }
        let keys = slots[place..<end].compactMap { slot in slot.flatMap { $0.entry.isOver(at: now) ? nil : $0.key } }
        return (keys, end == slots.count ? nil : end)
    }

    /// Folds an event's bytes.
    ///
    /// - Throws: ``Undecodable`` for bytes that are no event.
    @discardableResult
    package mutating func apply(_ event: Bytes) throws(Undecodable) -> Effect {
        guard let kind = try KVEvent.kind(in: event) else { return Effect(isKnown: false) }
        switch kind {
        case .valuePut(let e):
            return set(e.key, Entry(e.value, e.revision, e.hasExpiresAt ? Timestamp(e.expiresAt) : nil))
        case .valuesPut(let e):
            var first: Effect?
            for (number, pair) in e.pairs.enumerated() {
                let effect = set(pair.key, Entry(pair.value, e.revision + Int64(number), nil))
                first = first ?? effect
            }
            return first ?? Effect()
        case .keyDeleted(let e): return set(e.key, nil)
        case .keyExpired(let e): return set(e.key, nil)
        case .expiryChanged(let e):
            let key = Bytes(e.key)
            guard let place = index[key], var entry = slots[place]?.entry else { return Effect() }
            let before = entry
            (entry.revision, entry.expires) = (e.revision, e.hasExpiresAt ? Timestamp(e.expiresAt) : nil)
            slots[place]?.entry = entry
            return Effect(before: before, after: entry)
        }
    }

    private mutating func set(_ name: String, _ entry: Entry?) -> Effect {
        let key = Bytes(name)
        let place = index[key]
        let before = place.flatMap { slots[$0]?.entry }
        bytes += (entry?.value.count ?? 0) - (before?.value.count ?? 0)
        switch (place, entry) {
        case (let place?, let entry?): slots[place]?.entry = entry
        case (let place?, nil):
            (slots[place], index[key]) = (nil, nil)
            free.append(place)
        case (nil, let entry?):
            let slot = Slot(key: key, entry: entry)
            if let place = free.popLast() {
                (slots[place], index[key]) = (slot, place)
            } else {
                index[key] = slots.count
                slots.append(slot)
            }
        case (nil, nil): break
        }
        return Effect(before: before, after: entry)
    }
}

extension KeyCopy.Entry {
    fileprivate init(_ value: Data, _ revision: Int64, _ expires: Timestamp?) {
        self.init(value: [UInt8](value), revision: revision, expires: expires)
    }
}
