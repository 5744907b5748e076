internal import Synchronization

/// A bounded cache for many threads.
///
/// **Reads** take no lock and share no line of memory: a look-up goes through a table that only writers change, counts itself in memory of
/// its thread's stripe, and stamps what it read into a ring there, from which the policy is told later; some of it is lost under load
/// (`CacheStatistics.unrecordedReads`). **Writes** take the policy's lock, then a shard's; never the other way round. They tell the policy
/// what was read before they ask it who has to go, so no more is held than the capacity at any time. What went is freed when no reader can
/// be at it: at once, or after the readers of that moment, with one of the next writes.
///
/// Versions order what happens to a key: a fill that is older than what is cached, or than an invalidation within
/// `CacheOptions.invalidationMemory`, is refused, in whatever order they come. Loads are shared (single flight). No clock is read but the one
/// that is given; if it goes back, time stands still here.
public final class Cache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    typealias Entry = CacheEntry<Value>

    struct Failure: Sendable {
        var error: any Error
        var until: Int64
    }

    struct ShardState: Sendable {
        var flights: [Key: Flight<Value>] = [:]
        var failures: [Key: Failure] = [:]
        var floors: InvalidationFloors<Key>
    }

    /// What is known of keys that are not held. Whether a key is held changes under its shard's lock where somebody puts it in.
    final class Shard: Sendable {
        let state: Mutex<ShardState>
        init(_ floors: InvalidationFloors<Key>) { state = Mutex(ShardState(floors: floors)) }
    }

    /// What the policy's lock guards.
    struct PolicyState: Sendable {
        var policy: any EvictionPolicy
        var expiries = ExpiryQueue()
        var statistics = CacheStatistics()
        var limbo = Limbo<Key, Value>()
        /// Of each stripe, up to which look-up the policy was told.
        var drained = [UInt64](repeating: 0, count: ReadStripes.count)
        /// How many reads the policy was told of.
        var told = 0
        /// The stripes, a bit for each, whose rings were filled since something was written.
        var filled: UInt64 = 0
    }

    public let options: CacheOptions
    let shards: [Shard]
    let policy: Mutex<PolicyState>
    @usableFromInline let table: ReadTable<Key, Value>
    @usableFromInline let stripes = ReadStripes()
    private let latest = Atomic<Int64>(.min)
    private let clock: @Sendable () -> Int64
    @usableFromInline let hash: (@Sendable (Key) -> UInt64)?
    let removed: (@Sendable (Key, CacheRemoval) -> Void)?

    /// - Parameters:
    ///   - clock: A time in nanoseconds that does not go back, such as that of a `ContinuousClock`.
    ///   - hash: 64 bits of a key. Left out, those of the standard library, which differ from process to process.
    ///   - removed: Is told of each entry that is gone, after all locks are free.
    public init(
        _ options: CacheOptions, clock: @escaping @Sendable () -> Int64, hash: (@Sendable (Key) -> UInt64)? = nil,
        removed: (@Sendable (Key, CacheRemoval) -> Void)? = nil
    ) {
        precondition(
            !options.policy.isForesighted, "\(options.policy.title) has to know the future: it can only be replayed")
        self.options = options
        let count = min(max(1, options.shards), 4_096).roundedUpToPowerOfTwo
        let each = max(1, options.rememberedInvalidations / count)
        shards = (0..<count).map { _ in
            Shard(InvalidationFloors(limit: each, memory: options.invalidationMemory.nanoseconds))
        }
        table = ReadTable(parts: count)
        // A policy that has to know the future was refused above.
        let value = options.policy.policy(capacity: options.capacity, seed: options.seed) ?? LRU(capacity: 0)
        policy = Mutex(PolicyState(policy: value))
        (self.clock, self.hash, self.removed) = (clock, hash, removed)
    }

    deinit {
        policy.withLock { $0.limbo.free(stripes) }.forEach { $0.free() }
        table.free()
        stripes.free()
    }

    /// The clock's time, which never goes back here.
    var now: Int64 {
        let now = clock()
        let before = latest.load(ordering: .relaxed)
        if now > before { return latest.max(now, ordering: .relaxed).newValue }
        return before
    }

    /// Whether a time is over. Only where somebody is told so it must remain so if the clock goes back.
    @usableFromInline
    func isOver(_ expires: Int64) -> Bool { expires <= max(clock(), latest.load(ordering: .relaxed)) && expires <= now }

    @inlinable @inline(__always)
    func identity(_ key: Key) -> UInt64 {
        let bits = hash.map { $0(key) } ?? UInt64(bitPattern: Int64(key.hashValue))
        return bits == 0 ? 1 : bits
    }

    func shard(_ identity: UInt64) -> Shard {
        shards[Int(truncatingIfNeeded: UInt64.mixed(identity)) & (shards.count - 1)]
    }

    /// What is known of a key.
    @inlinable
    public func lookup(_ key: Key) -> CacheLookup<Value> {
        let (identity, stripe) = (identity(key), stripes.own)
        let phase = stripes.phase
        let number = stripe.enter(phase)
        guard let node = table.find(identity), node.pointee.key == key else {
            stripe.leave(phase)
            stripe.countMiss()
            return .miss
        }
        let (value, expires) = (node.pointee.entry.value, node.pointee.entry.expires)
        stripe.leave(phase)
        // The clock is others' code: nobody waits for it.
        if expires != .max && isOver(expires) {
            stripe.countMiss()
            return .miss
        }
        if stripe.stamp(identity, number: number) { tellPolicy(of: stripe) }
        if let value { return .value(value) }
        stripe.countAbsentHit()
        return .absent
    }

    /// The value, or nil where there is none or nothing is known.
    @inlinable
    public func value(_ key: Key) -> Value? {
        if case .value(let value) = lookup(key) { value } else { nil }
    }

    /// Tells the policy of what a full ring has, unless somebody has the policy.
    @usableFromInline
    func tellPolicy(of stripe: ReadStripe) {
        let free = policy.withLockIfAvailable { state in
            let index = stripes.index(of: stripe)
            drain(stripe, index, into: &state)
            let bit = UInt64(1) << UInt64(index)
            if state.filled & bit != 0 { stripe.shift = min(stripe.shift + 1, ReadStripes.mostShift) }
            state.filled |= bit
            return state.limbo.free(stripes)
        }
        for one in free ?? [] { one.free() }
    }

    private func drain(_ stripe: ReadStripe, _ index: Int, into state: inout PolicyState) {
        state.drained[index] = stripe.drain(from: state.drained[index]) { identity in
            _ = state.policy.touch(identity)
            state.told += 1
        }
    }

    /// Tells the policy of all that was read.
    func drain(into state: inout PolicyState) {
        stripes.forEach { drain($1, $0, into: &state) }
    }

    /// Has the policy changed by a writer.
    func write<Result: Sendable>(_ body: (inout PolicyState) -> Result) -> Result {
        let (result, free, isFull) = policy.withLock { state in
            if state.filled != 0 {
                stripes.forEach(of: state.filled) { if $1.shift != 0 { drain($1, $0, into: &state); $1.shift = 0 } }
                state.filled = 0
            }
            let result = body(&state)
            return (result, state.limbo.free(stripes), state.limbo.isFull(options.capacity))
        }
        for one in free { one.free() }
        if isFull { waitForReaders() }
        return result
    }

    /// Until so much is free that the limbo is within its bound. No lock is held meanwhile.
    private func waitForReaders() {
        var isFull = true
        while isFull {
            giveWay()
            let free: [Retired<Key, Value>]
            (free, isFull) = policy.withLock { ($0.limbo.free(stripes), $0.limbo.isFull(options.capacity)) }
            for one in free { one.free() }
        }
    }

    public var statistics: CacheStatistics {
        policy.withLock { state in
            drain(into: &state)
            var statistics = state.statistics
            stripes.forEach { index, stripe in
                let misses = Int(stripe.misses)
                statistics.misses += misses
                statistics.hits += Int(stripe.lookups(since: state.drained[index])) - misses
                statistics.absentHits += Int(stripe.absentHits)
            }
            statistics.unrecordedReads = max(0, statistics.hits - state.told)
            return statistics
        }
    }

    /// How many entries are held, those included whose time is over and that nobody noticed yet.
    public var count: Int { policy.withLock { $0.policy.count } }
    public var weight: Int { policy.withLock { $0.policy.weight } }
}
