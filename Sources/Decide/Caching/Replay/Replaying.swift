/// What came of a replay.
public struct ReplayResult: Sendable, Hashable {
    public let policy: PolicyKind
    public let capacity: Int
    public let requests: Int
    public let hits: Int
    public var hitRatio: Double { requests == 0 ? 0 : Double(hits) / Double(requests) }

    public init(policy: PolicyKind, capacity: Int, requests: Int, hits: Int) {
        (self.policy, self.capacity, self.requests, self.hits) = (policy, capacity, requests, hits)
    }
}

extension Trace {
    /// Asks for every key in turn, all of weight one, and counts the hits.
    public func replay(_ kind: PolicyKind, capacity: Int, seed: UInt64 = 1) -> ReplayResult {
        // Each policy by its own type, so that the compiler makes a loop of each.
        let hits =
            switch kind {
            case .lru: hits(LRU(capacity: capacity))
            case .fifo: hits(FIFO(capacity: capacity))
            case .random: hits(RandomEviction(capacity: capacity, seed: seed))
            case .lfu: hits(LFU(capacity: capacity, aging: .never))
            case .lfuAged: hits(LFU(capacity: capacity))
            case .arc: hits(ARC(capacity: capacity))
            case .s3fifo: hits(S3FIFO(capacity: capacity))
            case .sieve: hits(Sieve(capacity: capacity))
            case .wtinylfu: hits(WTinyLFU(capacity: capacity, seed: seed))
            case .opt: hits(Belady(capacity: capacity, of: self))
            }
        return ReplayResult(policy: kind, capacity: capacity, requests: keys.count, hits: hits)
    }

    @inline(__always)
    private func hits(_ policy: consuming some EvictionPolicy) -> Int {
        var policy = policy
        var hits = 0
        for key in keys where policy.access(UInt64(key)) { hits += 1 }
        return hits
    }
}
