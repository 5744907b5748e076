internal import Caching
internal import EventModel
internal import SwiftProtobuf

extension Demonstration {
    /// Three nodes with caches of other policies that are asked for the same keys, which change now and then.
    static let cache = Demonstration(
        asking: { Versions.request(&$0) },
        actors: { size, seed in
            [PolicyKind.wtinylfu, .lru, .fifo].enumerated().map { CacheNodes($0.offset, $0.element, size, seed: seed) }
        },
        showing: [
            Exhibit(
                "CACHES of three policies, asked for the same",
                proves: "Each cache is told the same requests; which of them hit is what its policy makes of them.",
                query: "cache.policies", [[:]],
                as: .table(["policy", "requests", "hits", ShownColumn("ratio", as: "hits of each request")]), past: true
            ),
            Exhibit(
                "VERSION of a key that changes", proves: "What is older than this is refused, whoever brings it.",
                query: "cache.version", [["key": CacheNodes.key(0)]],
                as: .table(["key", "cached", "invalidated", "node"])),
            Exhibit(
                "WRITTEN BEHIND a cache", proves: "What was logged first is in the store once it has come after.",
                query: "cache.entry", [["key": CacheNodes.key(1)]],
                as: .table(["key", "value", "revision", "node"])),
        ],
        replaying: ShownRecords(of: "cache.events", type: "KeyInvalidated"),
        trying: ["query cache.nodes", "query cache.owners --key \(CacheNodes.key(0)) --nodes n1,n2,n3"])
}

extension Versions {
    /// Four keys, three nodes; versions grow, and some come late.
    static func request(_ draw: inout LoadDraw) -> LoadRequest {
        let (key, node) = (draw.name("k", 4), draw.name("n", 3))
        let version = Int64(max(1, draw.number + 1 - draw.number(0...6)))
        switch draw.number(0...99) {
        case 0..<15:
            let value = draw.chance(20) ? "" : "v\(draw.number(0...9))"
            return LoadRequest(CacheWriteEntry.with { ($0.key, $0.node, $0.value) = (key, node, value) })
        case 15..<45: return LoadRequest(CacheSetEntry.with { ($0.key, $0.revision, $0.node) = (key, version, node) })
        case 45..<75:
            return LoadRequest(CacheInvalidateKey.with { ($0.key, $0.revision, $0.why) = (key, version, "changed") })
        case 75..<90:
            let (hit, sample) = (draw.chance(50), Int64(draw.number(0...3)))
            return LoadRequest(
                CacheCacheAccessed.with {
                    ($0.node, $0.policy, $0.key, $0.hit, $0.sample) = (node, "lru", key, hit, sample)
                })
        default:
            let why = draw.one(of: CacheLimits.removals)
            return LoadRequest(
                CacheEntryEvicted.with { ($0.node, $0.policy, $0.key, $0.why) = (node, "lru", key, why) })
        }
    }
}

/// A node with a cache. Keys are asked for as on the web: few of them very often, most hardly ever. The first node also changes them.
struct CacheNodes: LoadActor {
    private static let keys = 400
    private static let capacity = 40
    private static let pause = Duration.milliseconds(200)
    static func key(_ number: Int) -> String { "page-\(number)" }

    private let number: Int
    private let kind: PolicyKind
    private let each: Int
    private var policy: any EvictionPolicy
    private var random: SeededRandom
    private var version: Int64 = 0

    /// Of one seed every node is asked for the same keys.
    init(_ number: Int, _ kind: PolicyKind, _ size: Int, seed: UInt64) {
        (self.number, self.kind, each) = (number, kind, max(1, size))
        random = SeededRandom(seed, 41)
        policy = kind.policy(capacity: Self.capacity) ?? LRU(capacity: Self.capacity)
    }

    private var node: String { "n\(number + 1)" }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        var requests: [LoadRequest] = []
        for _ in 0..<each {
            // Three draws multiplied: of a Zipf-like shape.
            let share = Double.random(in: 0..<1, using: &random) * Double.random(in: 0..<1, using: &random)
            requests += ask(Int(share * Double.random(in: 0..<1, using: &random) * Double(Self.keys)))
        }
        if number == 0 { requests += change() }
        return LoadStep(requests, pause: Self.pause)
    }

    private mutating func ask(_ key: Int) -> [LoadRequest] {
        let identity = UInt64(key)
        let isHit = policy.touch(identity)
        var requests = [
            LoadRequest(
                CacheCacheAccessed.with {
                    ($0.node, $0.policy, $0.key, $0.hit, $0.sample) = (node, kind.rawValue, Self.key(key), isHit, 1)
                })
        ]
        if isHit { return requests }
        var gone: [UInt64] = []
        policy.admit(identity, weight: 1) { gone.append($0) }
        for identity in gone {
            requests.append(
                LoadRequest(
                    CacheEntryEvicted.with {
                        ($0.node, $0.policy, $0.key, $0.why) = (node, kind.rawValue, Self.key(Int(identity)), "evicted")
                    }))
        }
        return requests
    }

    /// The first key gets another version, and then comes a fill of the one before, which is refused.
    private mutating func change() -> [LoadRequest] {
        version += 2
        let (new, old) = (version, version - 1)
        let key = Self.key(0)
        let node = node
        return [
            LoadRequest(CacheInvalidateKey.with { ($0.key, $0.revision, $0.why) = (key, new, "edited") }),
            LoadRequest(CacheSetEntry.with { ($0.key, $0.revision, $0.node) = (key, old, node) }),
            LoadRequest(CacheSetEntry.with { ($0.key, $0.revision, $0.node) = (key, new, node) }),
            LoadRequest(
                CacheWriteEntry.with { ($0.key, $0.node, $0.value) = (Self.key(1), node, "edition \(new)") }),
        ]
    }
}
