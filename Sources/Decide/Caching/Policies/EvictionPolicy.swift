/// Which entries a bounded cache keeps: a value that is told what happens and says who has to go.
///
/// A key is 64 bits: a number of a trace, or a hash of what a program asks for. Each entry has a weight of at least one; where every
/// weight is one, the capacity counts entries. A policy never holds more than its capacity, also between two calls. It reads no clock,
/// locks nothing and draws no numbers but from its own seed, so the same calls always give the same entries. Not for two threads at once.
public protocol EvictionPolicy: Sendable {
    /// How much weight may be held.
    var capacity: Int { get }
    /// How many entries are held.
    var count: Int { get }
    /// How much they weigh together.
    var weight: Int { get }

    /// What a key weighs where it is held, else nil. Nobody asked for it, so it counts for nothing.
    func weight(of key: UInt64) -> Int?

    /// Somebody asked for a key: true, and remembered by the policy, where it is held.
    mutating func touch(_ key: UInt64) -> Bool

    /// Takes in a key that is not held. Whoever has to go for it is told to `evicting` one by one; that may be the key itself, where it
    /// weighs more than the capacity, or where the policy thinks that others are worth more.
    mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void)

    /// Forgets a key, because it is no longer true. False where it is not held.
    @discardableResult mutating func remove(_ key: UInt64) -> Bool
}

extension EvictionPolicy {
    /// Whether a key is held.
    @inline(__always)
    public func holds(_ key: UInt64) -> Bool { weight(of: key) != nil }

    /// One request of a replay: a hit, or a miss after which the key is taken in.
    @inline(__always)
    public mutating func access(_ key: UInt64, weight: Int = 1) -> Bool {
        if touch(key) { return true }
        admit(key, weight: weight) { _ in }
        return false
    }

    /// As `reweigh`, but nothing happens where the weight is the same.
    mutating func reweighIfOther(_ key: UInt64, to weight: Int, evicting: (UInt64) -> Void) {
        guard let held = self.weight(of: key), held != weight.asEntryWeight else { return }
        reweigh(key, to: weight, evicting: evicting)
    }

    /// Gives a held entry another weight, as if it came anew: others may have to go, or the entry itself. False where it is not held.
    @discardableResult
    public mutating func reweigh(_ key: UInt64, to weight: Int, evicting: (UInt64) -> Void) -> Bool {
        guard remove(key) else { return false }
        admit(key, weight: weight, evicting: evicting)
        return true
    }
}

/// What a cache or a trace may not pass.
public enum CachingLimits {
    /// The most that one entry can weigh. More counts as this much.
    public static let weight = Int(UInt32.max)
    /// The least. Entries of no weight could come without end.
    public static let leastWeight = 1
    /// How many entries a policy can hold, those that it only remembers included.
    public static let entries = Int(Int32.max)
}
