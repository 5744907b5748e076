internal import Synchronization

extension Cache {
    /// What somebody who asks has to do.
    enum Role {
        case hit(CacheLookup<Value>)
        case failed(any Error)
        case wait(Flight<Value>)
        case lead(Flight<Value>)
    }

    /// The value of a key, loaded where it is not known. Of those who ask at once one loads, the others wait for it; what it fails with
    /// they are told too. Who is cancelled stops waiting; where it was the one who loads, one of the others loads instead.
    ///
    /// A load may ask for other keys. Tasks that it starts are part of it.
    ///
    /// - Throws: What the load fails with, or ``LoadWaitsForItself``.
    /// - Returns: Nil where there is nothing.
    public func value(
        _ key: Key, load: @Sendable (Key) async throws -> Loaded<Value>
    ) async throws -> Value? {
        while true {
            switch begin(key) {
            case .hit(.value(let value)): return value
            case .hit: return nil
            case .failed(let error): throw error
            case .lead(let flight): return try await lead(flight, key, load)
            case .wait(let flight):
                if !LoadsWithin.wait(for: flight) { throw LoadWaitsForItself(key: "\(key)") }
                defer { LoadsWithin.hasWaited(for: flight) }
                switch try await flight.wait() {
                case .loaded(let value): return value
                case .failed(let error): throw error
                case .abandoned: try Task.checkCancellation()
                }
            }
        }
    }

    func begin(_ key: Key) -> Role {
        let found = lookup(key)
        if case .miss = found {} else { return .hit(found) }
        let (identity, now) = (identity(key), now)
        var over: Failure?
        let role: Role = shard(identity).state.withLock { shard in
            // Somebody may have put it in since: nobody does while the lock is held.
            if let found = find(key, identity, at: now) { return .hit(found) }
            if let failure = shard.failures[key] {
                if failure.until > now { return .failed(failure.error) }
                over = shard.failures.removeValue(forKey: key)
            }
            if let flight = shard.flights[key] { return .wait(flight) }
            let flight = Flight<Value>()
            shard.flights[key] = flight
            return .lead(flight)
        }
        // The end of an error may run others' code: when all locks are open.
        withExtendedLifetime(over) {}
        if case .wait = role { policy.withLock { $0.statistics.sharedLoads += 1 } }
        return role
    }

    /// A look that is not counted.
    private func find(_ key: Key, _ identity: UInt64, at now: Int64) -> CacheLookup<Value>? {
        let stripe = stripes.own
        let phase = stripes.phase
        stripe.enterAgain(phase)
        defer { stripe.leave(phase) }
        guard let node = table.find(identity), node.pointee.key == key, node.pointee.entry.expires > now else {
            return nil
        }
        return node.pointee.entry.value.map { .value($0) } ?? .absent
    }

    private func lead(
        _ flight: Flight<Value>, _ key: Key, _ load: @Sendable (Key) async throws -> Loaded<Value>
    ) async throws -> Value? {
        do {
            let loaded = try await LoadsWithin.$current.withValue(LoadsWithin.current + [flight]) {
                try await load(key)
            }
            finish(flight, key, loaded)
            return loaded.value
        } catch {
            fail(flight, key, error, isAbandoned: error is CancellationError || Task.isCancelled)
            throw error
        }
    }

    /// Stored first, then landed: who comes in between finds one or the other.
    @discardableResult
    func finish(_ flight: Flight<Value>, _ key: Key, _ loaded: Loaded<Value>) -> CacheFill {
        policy.withLock { $0.statistics.loads += 1 }
        let fill = store(key, loaded, for: flight)
        land(flight, key, .loaded(loaded.value), failure: nil)
        return fill
    }

    func fail(_ flight: Flight<Value>, _ key: Key, _ error: any Error, isAbandoned: Bool) {
        policy.withLock { $0.statistics.failedLoads += 1 }
        land(flight, key, isAbandoned ? .abandoned : .failed(error), failure: isAbandoned ? nil : error)
    }

    private func land(
        _ flight: Flight<Value>, _ key: Key, _ landing: Flight<Value>.Landing, failure: (any Error)?
    ) {
        let (identity, now) = (identity(key), now)
        var gone: [Key: Failure] = [:]
        shard(identity).state.withLock { shard in
            // It may be another's by now, where this one was invalidated.
            guard shard.flights[key] === flight else { return }
            shard.flights[key] = nil
            guard let failure, let ttl = options.failureTTL else { return }
            if shard.failures.count >= max(1, options.rememberedFailures / shards.count) {
                gone = shard.failures
                shard.failures = shard.failures.filter { $0.value.until > now }
                if shard.failures.count >= max(1, options.rememberedFailures / shards.count) { shard.failures = [:] }
            }
            let one = Failure(error: failure, until: now.addingSaturated(ttl.nanoseconds))
            if let before = shard.failures.updateValue(one, forKey: key) { gone[key] = before }
        }
        withExtendedLifetime(gone) {}
        flight.land(landing)
    }
}
