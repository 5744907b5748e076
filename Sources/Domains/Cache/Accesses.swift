internal import EventModel
internal import SwiftProtobuf

extension CacheAccess: Envelope {}

/// What nodes tell of their caches: facts that need no decision.
enum Accesses: Telemetry {
    typealias Event = CacheAccess
    static let topic = "cache.accesses"

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .cacheAccessed(let e): e.node
        case .entryEvicted(let e): e.node
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .cacheAccessed(let e):
            try check(e.node, e.policy, e.key)
            try Check.range(e.sample, "sample", CacheLimits.sample)
        case .entryEvicted(let e):
            try check(e.node, e.policy, e.key)
            if !CacheLimits.removals.contains(e.why) {
                let all = CacheLimits.removals.joined(separator: ", ")
                let said = e.why.isEmpty ? "empty" : Shown.text(String(e.why.prefix(CacheLimits.why)))
                throw Malformed("why", "must be one of \(all), not \(said)")
            }
        }
    }

    private static func check(_ node: String, _ policy: String, _ key: String) throws(Malformed) {
        try Check.identifier(node, "node", atMost: CacheLimits.node)
        try Check.identifier(policy, "policy", atMost: CacheLimits.policy)
        try CacheLimits.check(key: key)
    }
}

/// What any of it may be at most.
enum CacheLimits {
    /// Bytes of a key.
    static let key = 512
    /// Bytes of a node's name, and of a policy's.
    static let node = 100
    static let policy = 40
    /// Bytes of a reason.
    static let why = 200
    /// Bytes of a value that is written through a cache.
    static let value = 65_536
    static let version: ClosedRange<Int64> = 1...Int64.max
    /// One access may stand for so many; 0 is 1.
    static let sample: ClosedRange<Int64> = 0...1_000_000
    /// Nodes that a key may be given to by one query.
    static let nodes = 1_000
    static let removals = ["evicted", "expired", "invalidated", "replaced"]

    static func check(key: String) throws(Malformed) { try Check.text(key, "key", atMost: Self.key) }
}
