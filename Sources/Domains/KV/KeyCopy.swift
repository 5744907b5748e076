package import EventModel
internal import Foundation
internal import SwiftProtobuf

/// A partition's keys and values, folded from `kv.events`, or from `kv.state` and what came since: what a process answers
/// reads from.
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

    var table: KeyArena

    /// - Parameters:
    ///   - store: Where blocks go that memory has no room for; nil keeps all in memory.
    ///   - memory: Bytes of keys and values in memory, over which older ones go to the store.
    package init(store: (any BlockStore)? = nil, memory: Int = .max) {
        table = KeyArena(store: store, memory: memory)
    }

    /// How many keys there are, those whose time is over and whose event has not come yet among them.
    package var count: Int { table.count }
    /// Of all values.
    package var bytes: Int { table.bytes }
    /// What it takes in memory: keys, values, index.
    package var footprint: Int { table.footprint }
    /// Blocks that are in the store.
    package var stored: Int { table.stored }

    /// The key as it is; nil where it is not there, or its time is over.
    ///
    /// - Throws: ``DamagedBlock`` where its block does not say any more what was written.
    package func live(_ key: Bytes, at now: Timestamp) throws -> Entry? {
        guard let entry = try table.entry(key), !entry.isOver(at: now) else { return nil }
        return entry
    }

    /// The key as it stands, though its time may be over.
    package func entry(_ key: Bytes) throws -> Entry? { try table.entry(key) }

    /// Keys from a place on, so many places at most.
    ///
    /// - Returns: the keys, and where the next piece begins; nil at the end.
    package func keys(from place: Int, places: Int, at now: Timestamp) throws -> (keys: [Bytes], next: Int?) {
        var keys: [Bytes] = []
        let next = try table.each(from: place, places: places) { key, _, _, expires in
            if expires.map({ $0 > now }) ?? true { keys.append(Bytes(key)) }
        }
        return (keys, next)
    }

    /// Folds an event's bytes.
    ///
    /// - Parameter telling: Whether the effect says the values; that costs a copy of each.
    /// - Throws: ``Undecodable`` for bytes that are no event, ``DamagedBlock``.
    @discardableResult
    package mutating func apply(_ event: Bytes, telling: Bool = true) throws -> Effect {
        guard let kind = try KVEvent.kind(in: event) else { return Effect(isKnown: false) }
        var effect: Effect?
        try kind.eachChange { change in
            let told = effect == nil && telling
            switch change {
            case .put(let name, let value, let revision, let expires):
                let key = Bytes(name)
                let before = told ? try table.entry(key) : nil
                try value.withUnsafeBytes { try table.set(key, $0, revision, expires) }
                if told {
                    let after = Entry(value: [UInt8](value), revision: revision, expires: expires)
                    effect = Effect(before: before, after: after)
                }
            case .expiry(let name, let revision, let expires):
                let key = Bytes(name)
                guard let before = try table.entry(key) else { return }
                try before.value.withUnsafeBytes { try table.set(key, $0, revision, expires) }
                if told {
                    effect = Effect(
                        before: before, after: Entry(value: before.value, revision: revision, expires: expires))
                }
            case .gone(let name, _):
                let key = Bytes(name)
                let before = told ? try table.entry(key) : nil
                try table.remove(key)
                if told { effect = Effect(before: before) }
            }
        }
        return effect ?? Effect()
    }

    /// Takes over a record of `kv.state`.
    ///
    /// - Throws: ``Undecodable``, ``DamagedBlock``.
    package mutating func restore(_ key: Bytes, _ state: Bytes) throws {
        if state.isEmpty { return try table.remove(key) }
        guard case .keyState(let e) = try KVState.kind(in: state) else { return }
        let expires = e.hasExpiresAt ? Timestamp(e.expiresAt) : nil
        try e.value.withUnsafeBytes { try table.set(key, $0, e.revision, expires) }
    }

    /// Sums of its keys by ranges of their hash, to find where two copies differ.
    ///
    /// - Throws: ``DamagedBlock``.
    package func checksums() throws -> ChecksumTree {
        var tree = ChecksumTree()
        _ = try table.each(from: 0, places: .max) { key, value, revision, expires in
            tree.add(key, value, revision, expires)
        }
        return tree
    }
}
