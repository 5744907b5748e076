internal import Synchronization

extension Cache {
    /// How many entries whose time is over one write takes out.
    static var expiredAtOnce: Int { 16 }

    /// Puts in what is so, unless something newer is known.
    @discardableResult
    public func set(_ key: Key, to loaded: Loaded<Value>) -> CacheFill { store(key, loaded, for: nil) }

    /// Puts in a value without a version.
    @discardableResult
    public func set(_ key: Key, to value: Value, weight: Int = 1, ttl: Duration? = nil) -> CacheFill {
        set(key, to: Loaded(value, weight: weight, ttl: ttl))
    }

    /// Says that what is older than a version is no longer so. Left out, whatever is cached or being loaded.
    @discardableResult
    public func invalidate(_ key: Key, version: UInt64? = nil) -> CacheInvalidation {
        let (identity, now) = (identity(key), now)
        let outcome: CacheInvalidation = policy.withLock { state in
            let outcome: CacheInvalidation = shard(identity).state.withLock { shard in
                if let version { shard.floors.raise(key, to: version, at: now) }
                shard.failures[key] = nil
                // Who asks from now on must not be given what was loaded before.
                shard.flights.removeValue(forKey: key)?.raise(to: version ?? .max)
                guard let entry = shard.entries[key] else { return .notHeld }
                if let version, entry.version >= version { return .newer(entry.version) }
                shard.entries[key] = nil
                return .removed
            }
            state.statistics.invalidations += 1
            if outcome == .removed { forget(identity, in: &state) }
            return outcome
        }
        if outcome == .removed { removed?(key, .invalidated) }
        return outcome
    }

    /// Takes out what is over by now, up to a number of entries, and says how many that were.
    @discardableResult
    public func removeExpired(atMost limit: Int = .max) -> Int {
        var gone: [(Key, CacheRemoval)] = []
        policy.withLock { expire(in: &$0, at: now, atMost: limit, to: &gone) }
        tell(gone)
        return gone.count
    }

    /// - Parameter flight: The load that brings it.
    func store(_ key: Key, _ loaded: Loaded<Value>, for flight: Flight<Value>?) -> CacheFill {
        let (identity, now) = (identity(key), now)
        let ttl = loaded.ttl ?? (loaded.value == nil ? options.absentTTL ?? .zero : options.ttl)
        let expires = ttl.map { now.addingSaturated($0.nanoseconds) } ?? .max
        let entry = Entry(
            value: loaded.value, version: loaded.version, weight: loaded.weight.asEntryWeight, expires: expires)
        var gone: [(Key, CacheRemoval)] = []
        let fill: CacheFill = policy.withLock { state in
            drain(into: &state)
            expire(in: &state, at: now, atMost: Self.expiredAtOnce, to: &gone)
            let (refusal, replaced) = put(entry, key, identity, now, flight)
            if replaced { gone.append((key, .replaced)) }
            if let refusal {
                if case .stale = refusal { state.statistics.staleFills += 1 }
                if replaced { forget(identity, in: &state) }
                return refusal
            }
            return admit(key, identity, entry, in: &state, to: &gone)
        }
        tell(gone)
        return fill
    }

    /// Puts an entry into its shard, or says why not.
    private func put(
        _ entry: Entry, _ key: Key, _ identity: UInt64, _ now: Int64, _ flight: Flight<Value>?
    ) -> (refusal: CacheFill?, replaced: Bool) {
        shard(identity).state.withLock { shard in
            let held = shard.entries[key]
            let least = max(shard.floors.least(key, at: now), held?.version ?? 0, flight?.least ?? 0)
            if entry.version < least { return (.stale(least: least), false) }
            if flight == nil, let other = shard.flights[key] {
                // A load that began before this was known must not undo it. Without a version nothing tells which is newer.
                other.raise(to: entry.version == 0 ? .max : entry.version)
                if entry.version == 0 { shard.flights[key] = nil }
            }
            shard.failures[key] = nil
            guard entry.expires > now else {
                shard.entries[key] = nil
                return (.notKept, held != nil)
            }
            shard.entries[key] = entry
            return (nil, held != nil)
        }
    }

    /// Tells the policy of an entry that is in its shard, and takes out who has to go for it.
    private func admit(
        _ key: Key, _ identity: UInt64, _ entry: Entry, in state: inout PolicyState,
        to gone: inout [(Key, CacheRemoval)]
    ) -> CacheFill {
        if let other = state.keys[identity], other != key {
            // Another key of the same hash: a cache may lose anything, but never mix up two keys.
            _ = shard(identity).state.withLock { $0.entries.removeValue(forKey: other) }
            gone.append((other, .evicted))
            forget(identity, in: &state)
        }
        let isHeld = state.keys.updateValue(key, forKey: identity) != nil
        if entry.expires == .max {
            state.expiries.remove(identity)
        } else {
            state.expiries.set(identity, at: entry.expires)
        }
        var evicted: [UInt64] = []
        if isHeld {
            _ = state.policy.touch(identity)
            state.policy.reweighIfOther(identity, to: entry.weight) { evicted.append($0) }
        } else {
            state.policy.admit(identity, weight: entry.weight) { evicted.append($0) }
        }
        for identity in evicted {
            guard let key = state.keys.removeValue(forKey: identity) else { continue }
            state.expiries.remove(identity)
            _ = shard(identity).state.withLock { $0.entries.removeValue(forKey: key) }
            state.statistics.evictions += 1
            gone.append((key, .evicted))
        }
        return evicted.contains(identity) ? .notKept : .stored
    }

    /// Takes a key out of everything but its shard.
    private func forget(_ identity: UInt64, in state: inout PolicyState) {
        state.policy.remove(identity)
        state.keys[identity] = nil
        state.expiries.remove(identity)
    }

    private func expire(
        in state: inout PolicyState, at now: Int64, atMost limit: Int, to gone: inout [(Key, CacheRemoval)]
    ) {
        var left = limit
        while left > 0, let identity = state.expiries.next(by: now) {
            left -= 1
            guard let key = state.keys[identity] else { continue }
            _ = shard(identity).state.withLock { $0.entries.removeValue(forKey: key) }
            forget(identity, in: &state)
            state.statistics.expirations += 1
            gone.append((key, .expired))
        }
    }

    private func tell(_ gone: [(Key, CacheRemoval)]) {
        guard let removed else { return }
        for (key, why) in gone { removed(key, why) }
    }
}
