internal import Foundation

/// What a worker knows of one partition's keys: all of it, or the part in memory of what a checkpoint has.
///
/// With a checkpoint, a key's state must be in memory before it is asked for: `missing` says which are not, `load` brings
/// them. One task owns it.
public protocol StateCache: AnyObject {
    /// From now on, a checkpoint has what is not in memory.
    func keepInCheckpoint()
    /// Of some keys, those to be loaded before their states are asked for, each once.
    func missing(_ keys: [Bytes]) -> [Bytes]
    /// Brings a key's state into memory; nil where the checkpoint has none.
    ///
    /// - Throws: `DecodingError` where the state was written by other code than this.
    func load(_ key: Bytes, _ json: String?) throws
    /// Takes out what has changed since it was last asked for a checkpoint, in no order.
    func changes() -> [StateChange]
    /// Whether the checkpoint has what was taken out; where it has not, it will be taken out again.
    func settle(kept: Bool)
    /// Lets go of states that the checkpoint has, the longest unused first, where more than `limit` are held.
    ///
    /// - Parameters:
    ///   - limit: How many may be held.
    ///   - horizon: Timers due later than this are let go too: whoever reads the checkpoint in the order of its
    ///     timers has not come to them.
    func evict(above limit: Int, horizon: Timestamp)
    /// Waits for a timer of the checkpoint, unless its key's own state is in memory.
    func wait(for key: Bytes, due: Timestamp)
    /// States in memory.
    var count: Int { get }
}

/// A state that differs from what the last checkpoint has.
public struct StateChange: Sendable {
    /// The aggregate's key.
    public var key: Bytes
    /// When its next timer is due.
    public var due: Timestamp?
    /// The state as JSON, nil where the key has none any more.
    public var json: @Sendable () throws -> String?
}

final class States<State: Codable & Sendable>: StateCache {
    private struct Held {
        var state: State?
        /// The last round of evictions before which it was used.
        var used: Int
    }
    private let nextDue: (State) -> Timestamp?
    private var held: [Bytes: Held] = [:]
    /// Whether what is not held does not exist.
    private var isWhole = true
    private var changed: Set<Bytes> = []
    /// On their way to the checkpoint.
    private var leaving: Set<Bytes> = []
    private var round = 0
    private(set) var timers = Timers()

    init(nextDue: @escaping (State) -> Timestamp? = { _ in nil }) { self.nextDue = nextDue }

    var count: Int { held.count }

    subscript(key: Bytes) -> State? { held[key]?.state }

    /// Changes a key's state in place; nil is no state.
    func change(_ key: Bytes, _ body: (inout State?) throws -> Void) rethrows {
        if isWhole {
            try body(&held[key, default: Held(used: 0)].state)
        } else {
            precondition(held[key] != nil, "a state is loaded before it changes")
            changed.insert(key)
            try body(&held[key]!.state)
            held[key]!.used = round
        }
        let state = held[key]?.state
        timers.set(key, due: state.flatMap(nextDue))
        if isWhole && state == nil { held[key] = nil }
    }

    func pop(by now: Timestamp) -> [Bytes] { timers.pop(by: now) }

    func keepInCheckpoint() { isWhole = false }

    func missing(_ keys: [Bytes]) -> [Bytes] {
        if isWhole { return [] }
        var seen: Set<Bytes> = []
        return keys.filter { key in
            if held[key] != nil {
                held[key]!.used = round
                return false
            }
            return seen.insert(key).inserted
        }
    }

    func load(_ key: Bytes, _ json: String?) throws {
        let state = try json.map { try JSONDecoder().decode(State.self, from: Data($0.utf8)) }
        held[key] = Held(state: state, used: round)
        timers.restore(key, due: state.flatMap(nextDue))
    }

    func changes() -> [StateChange] {
        if leaving.isEmpty { leaving = changed } else { leaving.formUnion(changed) }
        defer { changed = [] }
        return changed.map { key in
            let state = held[key]?.state
            return StateChange(key: key, due: state.flatMap(nextDue)) {
                try state.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
            }
        }
    }

    func settle(kept: Bool) {
        if !kept { changed.formUnion(leaving) }
        leaving = []
    }

    func evict(above limit: Int, horizon: Timestamp) {
        if isWhole || held.count <= limit { return }
        let idle = held.filter { !changed.contains($0.key) && !leaving.contains($0.key) }
        let unused = idle.filter { $0.value.used < round }
        for key in (held.count - unused.count <= limit ? unused : idle).keys {
            held[key] = nil
            timers.forget(key, dueAfter: horizon)
        }
        round += 1
    }

    func wait(for key: Bytes, due: Timestamp) {
        if held[key] == nil { timers.restore(key, due: due) }
    }
}
