/// What a cache may hold, and for how long.
public struct CacheOptions: Sendable {
    /// How much weight; of entries of weight one, how many.
    public var capacity: Int
    public var policy: PolicyKind
    /// How long an entry is good after it was written, unless it says so itself. Nil: until it is evicted or invalidated.
    public var ttl: Duration?
    /// How long it is remembered that something is not there. Nil: it is not; the next who asks loads again.
    public var absentTTL: Duration?
    /// How long a failed load is told to others instead of trying again. Nil: the next who asks tries.
    public var failureTTL: Duration?
    /// How long the version of an invalidation is remembered. It must be longer than a source can lag behind who invalidates.
    public var invalidationMemory: Duration = .seconds(60)
    /// How many invalidations are remembered. Where more come within the time, fills that are not newer than those forgotten are refused.
    public var rememberedInvalidations = 65_536
    /// How many failures are remembered.
    public var rememberedFailures = 4_096
    /// How many parts the entries are in, each with a lock of its own; rounded up to a power of two.
    public var shards = 64
    /// What the policy draws from, where it draws.
    public var seed: UInt64 = 1

    public init(capacity: Int, policy: PolicyKind = .wtinylfu, ttl: Duration? = nil, absentTTL: Duration? = nil) {
        (self.capacity, self.policy, self.ttl, self.absentTTL) = (capacity, policy, ttl, absentTTL)
    }
}

/// What a cache knows of a key.
public enum CacheLookup<Value: Sendable>: Sendable {
    case value(Value)
    /// It is known that there is nothing.
    case absent
    /// Nothing is known.
    case miss
}

extension CacheLookup: Equatable where Value: Equatable {}

/// What a source says of a key.
public struct Loaded<Value: Sendable>: Sendable {
    /// Nil: there is nothing.
    public var value: Value?
    /// Which state of the source it is. A higher one is newer. Where the source has no versions, 0 for all.
    public var version: UInt64
    public var weight: Int
    /// Nil: as the cache's options say.
    public var ttl: Duration?

    public init(_ value: Value?, version: UInt64 = 0, weight: Int = 1, ttl: Duration? = nil) {
        (self.value, self.version, self.weight, self.ttl) = (value, version, weight, ttl)
    }
}

/// What came of an attempt to put something into a cache.
public enum CacheFill: Sendable, Hashable {
    case stored
    /// The policy kept others instead, it weighs too much, or its time is over already.
    case notKept
    /// A newer version is cached, or was invalidated. The number is the least version that would be taken.
    case stale(least: UInt64)
}

/// What came of an invalidation.
public enum CacheInvalidation: Sendable, Hashable {
    case removed
    case notHeld
    /// What is cached is of this version, which is not older than the invalidation says.
    case newer(UInt64)
}

/// Why something is no longer in a cache.
public enum CacheRemoval: String, Sendable, Hashable {
    case evicted
    case expired
    case invalidated
    case replaced
}

/// What a cache did since it was made.
public struct CacheStatistics: Sendable, Hashable {
    public internal(set) var hits = 0
    public internal(set) var misses = 0
    /// Hits on what is known not to be there; they are among the hits.
    public internal(set) var absentHits = 0
    public internal(set) var loads = 0
    public internal(set) var failedLoads = 0
    /// Who waited for the load of another instead of loading.
    public internal(set) var sharedLoads = 0
    public internal(set) var evictions = 0
    public internal(set) var expirations = 0
    public internal(set) var invalidations = 0
    /// Fills that were older than what was known.
    public internal(set) var staleFills = 0
    /// Hits that the policy was not told of, because they came faster than it could take them, or so many came with no write in between that
    /// fewer say as much. They were answered.
    public internal(set) var unrecordedReads = 0
    public var requests: Int { hits + misses }
    public var hitRatio: Double { requests == 0 ? 0 : Double(hits) / Double(requests) }
    init() {}
}
