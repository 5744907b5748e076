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
        var failure: Failure?
        let outcome: CacheInvalidation = write { state in
            let outcome: CacheInvalidation = shard(identity).state.withLock { shard in
                if let version { shard.floors.raise(key, to: version, at: now) }
                // Its end may run others' code: when all locks are open.
                failure = shard.failures.removeValue(forKey: key)
                // Who asks from now on must not be given what was loaded before.
                shard.flights.removeValue(forKey: key)?.raise(to: version ?? .max)
                guard let held = held(key, identity) else { return .notHeld }
                if let version, held.version >= version { return .newer(held.version) }
                return .removed
            }
            state.statistics.invalidations += 1
            if outcome == .removed { take(identity, in: &state) }
            return outcome
        }
        withExtendedLifetime(failure) {}
        if outcome == .removed { removed?(key, .invalidated) }
        return outcome
    }

    /// Takes out what is over by now, up to a number of entries, and says how many that were.
    @discardableResult
    public func removeExpired(atMost limit: Int = .max) -> Int {
        var gone: [(Key, CacheRemoval)] = []
        write { expire(in: &$0, at: now, atMost: limit, to: &gone) }
        tell(gone)
        return gone.count
    }

    /// - Parameter flight: The load that brings it.
    func store(_ key: Key, _ loaded: Loaded<Value>, for flight: Flight<Value>?) -> CacheFill {
        let (identity, now) = (identity(key), now)
        let ttl = loaded.ttl ?? (loaded.value == nil ? options.absentTTL ?? .zero : options.ttl)
        let expires = ttl.map { now.addingSaturated($0.nanoseconds) } ?? .max
        let entry = Entry(
            value: loaded.value, expires: expires, version: loaded.version, weight: loaded.weight.asEntryWeight)
        var gone: [(Key, CacheRemoval)] = []
        var failure: Failure?
        let fill: CacheFill = write { state in
            drain(into: &state)
            expire(in: &state, at: now, atMost: Self.expiredAtOnce, to: &gone)
            let (refusal, held) = put(entry, key, identity, now, flight, in: &state, freeing: &failure)
            if case .same = held, refusal?.isStale != true { gone.append((key, .replaced)) }
            if let refusal {
                if refusal.isStale { state.statistics.staleFills += 1 }
                return refusal
            }
            if case .other(let other) = held {
                // Another key of the same hash: a cache may lose anything, but never mix up two keys.
                gone.append((other, .evicted))
                state.policy.remove(identity)
            }
            return admit(key, identity, entry, in: &state, to: &gone)
        }
        withExtendedLifetime(failure) {}
        tell(gone)
        return fill
    }

    /// Who has the place of an identity.
    private enum Held {
        case nobody
        case same
        case other(Key)
    }

    /// What is held of a key. For who has the policy's lock.
    private func held(_ key: Key, _ identity: UInt64) -> Entry? {
        guard let node = table.find(identity), node.pointee.key == key else { return nil }
        return node.pointee.entry
    }

    /// Puts an entry into the table, or says why not.
    private func put(
        _ entry: Entry, _ key: Key, _ identity: UInt64, _ now: Int64, _ flight: Flight<Value>?,
        in state: inout PolicyState, freeing failure: inout Failure?
    ) -> (refusal: CacheFill?, held: Held) {
        shard(identity).state.withLock { shard in
            let node = table.find(identity)
            let held: Held = node.map { $0.pointee.key == key ? .same : .other($0.pointee.key) } ?? .nobody
            let known = if case .same = held, let node { node.pointee.entry.version } else { 0 as UInt64 }
            let least = max(shard.floors.least(key, at: now), known, flight?.least ?? 0)
            if entry.version < least { return (.stale(least: least), held) }
            if flight == nil, let other = shard.flights[key] {
                // A load that began before this was known must not undo it. Without a version nothing tells which is newer.
                other.raise(to: entry.version == 0 ? .max : entry.version)
                if entry.version == 0 { shard.flights[key] = nil }
            }
            failure = shard.failures.removeValue(forKey: key)
            guard entry.expires > now else {
                if case .same = held { take(identity, in: &state) }
                return (.notKept, held)
            }
            table.insert(identity, key, entry, retiring: &state.limbo)
            return (nil, held)
        }
    }

    /// Tells the policy of an entry that is in the table, and takes out who has to go for it.
    private func admit(
        _ key: Key, _ identity: UInt64, _ entry: Entry, in state: inout PolicyState,
        to gone: inout [(Key, CacheRemoval)]
    ) -> CacheFill {
        if entry.expires == .max {
            state.expiries.remove(identity)
        } else {
            state.expiries.set(identity, at: entry.expires)
        }
        var evicted: [UInt64] = []
        if state.policy.touch(identity) {
            state.policy.reweighIfOther(identity, to: entry.weight) { evicted.append($0) }
        } else {
            state.policy.admit(identity, weight: entry.weight) { evicted.append($0) }
        }
        for identity in evicted {
            guard let key = table.remove(identity, retiring: &state.limbo) else { continue }
            state.expiries.remove(identity)
            state.statistics.evictions += 1
            gone.append((key, .evicted))
        }
        return evicted.contains(identity) ? .notKept : .stored
    }

    /// Takes an entry out of everything.
    private func take(_ identity: UInt64, in state: inout PolicyState) {
        _ = table.remove(identity, retiring: &state.limbo)
        state.policy.remove(identity)
        state.expiries.remove(identity)
    }

    private func expire(
        in state: inout PolicyState, at now: Int64, atMost limit: Int, to gone: inout [(Key, CacheRemoval)]
    ) {
        var left = limit
        while left > 0, let identity = state.expiries.next(by: now) {
            left -= 1
            guard let key = table.remove(identity, retiring: &state.limbo) else { continue }
            state.policy.remove(identity)
            state.statistics.expirations += 1
            gone.append((key, .expired))
        }
    }

    private func tell(_ gone: [(Key, CacheRemoval)]) {
        guard let removed else { return }
        for (key, why) in gone { removed(key, why) }
    }
}

extension CacheFill {
    fileprivate var isStale: Bool { if case .stale = self { true } else { false } }
}
