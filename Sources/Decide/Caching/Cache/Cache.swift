internal import Synchronization

/// A bounded cache for many threads.
///
/// Entries are in shards, each with a lock that is held for a look-up. The policy is one value under one lock; reads do not wait for it: they
/// go into striped buffers that lose some under load, and who finds a buffer half full tells the policy if nobody else does. Writes take the
/// policy's lock, then a shard's; never the other way round.
///
/// Versions order what happens to a key: a fill that is older than what is cached, or than an invalidation within
/// `CacheOptions.invalidationMemory`, is refused, in whatever order they come. Loads are shared (single flight). No clock is read but the one
/// that is given; if it goes back, time stands still here.
public final class Cache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    struct Entry: Sendable {
        var value: Value?
        var version: UInt64
        var weight: Int
        /// When it is over, in the clock's nanoseconds.
        var expires: Int64
    }

    struct Failure: Sendable {
        var error: any Error
        var until: Int64
    }

    struct ShardState: Sendable {
        var entries: [Key: Entry] = [:]
        var flights: [Key: Flight<Value>] = [:]
        var failures: [Key: Failure] = [:]
        var floors: InvalidationFloors<Key>
    }

    final class Shard: Sendable {
        let state: Mutex<ShardState>
        init(_ floors: InvalidationFloors<Key>) { state = Mutex(ShardState(floors: floors)) }
    }

    /// What the policy's lock guards.
    struct PolicyState: Sendable {
        var policy: any EvictionPolicy
        /// Whose hash a number is. Two keys of one hash cannot be held at once.
        var keys: [UInt64: Key] = [:]
        var expiries = ExpiryQueue()
        var statistics = CacheStatistics()
    }

    public let options: CacheOptions
    let shards: [Shard]
    let policy: Mutex<PolicyState>
    let buffers = ReadBuffers()
    private let latest = Atomic<Int64>(.min)
    private let clock: @Sendable () -> Int64
    private let hash: @Sendable (Key) -> UInt64
    let removed: (@Sendable (Key, CacheRemoval) -> Void)?

    /// - Parameters:
    ///   - clock: A time in nanoseconds that does not go back, such as that of a `ContinuousClock`.
    ///   - hash: 64 bits of a key. Left out, those of the standard library, which differ from process to process.
    ///   - removed: Is told of each entry that is gone, after all locks are free.
    public init(
        _ options: CacheOptions, clock: @escaping @Sendable () -> Int64,
        hash: @escaping @Sendable (Key) -> UInt64 = { UInt64(bitPattern: Int64($0.hashValue)) },
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
        // A policy that has to know the future was refused above.
        let value = options.policy.policy(capacity: options.capacity, seed: options.seed) ?? LRU(capacity: 0)
        policy = Mutex(PolicyState(policy: value))
        (self.clock, self.hash, self.removed) = (clock, hash, removed)
    }

    /// The clock's time, which never goes back here.
    var now: Int64 {
        let now = clock()
        let before = latest.load(ordering: .relaxed)
        if now > before { return latest.max(now, ordering: .relaxed).newValue }
        return before
    }

    @inline(__always)
    func identity(_ key: Key) -> UInt64 {
        let hash = hash(key)
        return hash == 0 ? 1 : hash
    }

    @inline(__always)
    func shard(_ identity: UInt64) -> Shard {
        shards[Int(truncatingIfNeeded: UInt64.mixed(identity)) & (shards.count - 1)]
    }

    /// What is known of a key.
    public func lookup(_ key: Key) -> CacheLookup<Value> {
        let identity = identity(key)
        let entry = shard(identity).state.withLock { $0.entries[key] }
        guard let entry, entry.expires == .max || entry.expires > now else {
            buffers.own.misses.add(1, ordering: .relaxed)
            return .miss
        }
        return hit(entry, identity)
    }

    func hit(_ entry: Entry, _ identity: UInt64) -> CacheLookup<Value> {
        let ring = buffers.own
        ring.hits.add(1, ordering: .relaxed)
        if ring.offer(identity) { drain() }
        guard let value = entry.value else {
            ring.absentHits.add(1, ordering: .relaxed)
            return .absent
        }
        return .value(value)
    }

    /// The value, or nil where there is none or nothing is known.
    public func value(_ key: Key) -> Value? {
        if case .value(let value) = lookup(key) { value } else { nil }
    }

    /// Tells the policy of reads, unless somebody does already.
    private func drain() {
        _ = policy.withLockIfAvailable { drain(into: &$0) }
    }

    func drain(into state: inout PolicyState) {
        for ring in buffers.all { ring.drain { _ = state.policy.touch($0) } }
    }

    public var statistics: CacheStatistics {
        var statistics = policy.withLock { $0.statistics }
        for ring in buffers.all {
            statistics.hits += ring.hits.load(ordering: .relaxed)
            statistics.misses += ring.misses.load(ordering: .relaxed)
            statistics.absentHits += ring.absentHits.load(ordering: .relaxed)
            statistics.unrecordedReads += ring.lost.load(ordering: .relaxed)
        }
        return statistics
    }

    /// How many entries are held, those included whose time is over and that nobody noticed yet.
    public var count: Int { policy.withLock { $0.policy.count } }
    public var weight: Int { policy.withLock { $0.policy.weight } }
}
