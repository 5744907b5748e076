import DomainTesting
import EventModel
import MillraceTestKit
import SwiftProtobuf
import Testing

@testable import CacheDomain

@Suite("The views of caches")
struct CacheViewsTests {
    private func records<E: Envelope>(_ events: [E], _ topic: String) throws -> [Placed] {
        try events.enumerated().map { i, event in
            let record = Record(
                offset: Offset(Int64(i)), timestamp: after(Int64(i * 30)), key: Bytes("k"),
                value: Bytes(try event.serializedBytes() as [UInt8]))
            return (TopicPartition(topic, 0), record)
        }
    }
    private func versions(_ events: CacheEvent.Kind...) throws -> Fold {
        let envelopes = events.map { kind in CacheEvent.with { $0.kind = kind } }
        return try .everyWay(Domain.cache.projection("cache.versions"), records(envelopes, "cache.events"))
    }
    private func ratios(_ events: [CacheAccess.Kind]) throws -> Fold {
        let envelopes = events.map { kind in CacheAccess.with { $0.kind = kind } }
        return try .everyWay(Domain.cache.projection("cache.ratios"), records(envelopes, Accesses.topic))
    }
    private func access(_ node: String, _ policy: String, _ hit: Bool, _ sample: Int64 = 1) -> CacheAccess.Kind {
        .cacheAccessed(.with { ($0.node, $0.policy, $0.key, $0.hit, $0.sample) = (node, policy, "k", hit, sample) })
    }

    @Test func `show which version of a key may be cached`() throws {
        let fold = try versions(loaded(3), invalidated(5), loaded(6, by: "n2"), loaded(1, "other"))
        #expect(
            try fold.ask(.cache, "cache.version", ["key": "k"]).rows
                == [["k", 6, 5, "n2", "edited", Value(after(60))]])
        #expect(try fold.ask(.cache, "cache.version", ["key": "unknown"]).rows == [])
    }

    @Test func `show what was written last, as the store behind has it`() throws {
        let envelopes = [written("a", 1), loaded(2), written("b", 3), written("c", 1, "gone"), written("", 2, "gone")]
            .map { kind in CacheEvent.with { $0.kind = kind } }
        let fold = try Fold.everyWay(
            Domain.cache.projection("cache.store"), records(envelopes, "cache.events"))
        #expect(
            try fold.ask(.cache, "cache.entry", ["key": "k"]).rows == [["k", "b", 3, "n1", Value(after(60))]])
        #expect(try fold.ask(.cache, "cache.entry", ["key": "gone"]).rows == [])
    }

    @Test func `draw what each policy would have hit of the accesses told last`() throws {
        // A loop over six keys: LRU hits nothing below six, the best policy does.
        let accesses = (0..<600).map { number in
            CacheAccess.with {
                $0.kind = .cacheAccessed(
                    .with { ($0.node, $0.policy, $0.key, $0.sample) = ("n1", "lru", "k\(number % 6)", 10) })
            }
        }
        let fold = try Fold.everyWay(Domain.cache.projection("cache.recent"), records(accesses, Accesses.topic))
        let rows = try fold.ask(.cache, "cache.curves").rows
        func ratio(_ policy: String, _ capacity: Int64) -> Value? {
            rows.first { $0[0] == .text(policy) && $0[1] == .integer(capacity) }?[2]
        }
        // One access stands for ten, so six keys stand for sixty.
        #expect(ratio("lru", 50) == .real(0) && ratio("lru", 60) == .real(0.99) && ratio("opt", 60) == .real(0.99))
        guard case .real(let best)? = ratio("opt", 50) else { throw Malformed("opt", "is not there") }
        #expect(best > 0.7 && Set(rows.map { $0[0] }).count == 10 && rows.allSatisfy { $0[3] == 600 })
        #expect(try fold.ask(.cache, "cache.curves", ["node": "n2"]).rows == [])
    }

    @Test func `keep a bounded number of accesses of each partition, the last`() throws {
        let kept = Int(RecentAccesses.kept)
        let accesses = (0..<(kept + 500)).map { number in
            CacheAccess.with {
                $0.kind = .cacheAccessed(.with { ($0.node, $0.policy, $0.key) = ("n1", "lru", "k\(number)") })
            }
        }
        let fold = try Fold.everyWay(Domain.cache.projection("cache.recent"), records(accesses, Accesses.topic))
        let rows = try fold.ask(.cache, "cache.curves").rows
        #expect(rows.allSatisfy { $0[3] == .integer(Int64(kept)) })
    }

    @Test func `show the nodes that a key belongs to`() throws {
        let fold = try versions(loaded(3), invalidated(5))
        let page = try fold.ask(.cache, "cache.owners", ["key": "k", "nodes": "n1,n2,n3", "copies": 2])
        #expect(page.rows.count == 2 && page.rows.map { $0[0] } == [1, 2] && page.rows.allSatisfy { $0[2] == 5 })
        // Without the first, the second has it.
        let first = try #require(page.rows[0][1].text)
        let rest = ["n1", "n2", "n3"].filter { $0 != first }.joined(separator: ",")
        let less = try fold.ask(.cache, "cache.owners", ["key": "k", "nodes": .text(rest)])
        #expect(less.rows[0][1] == page.rows[1][1])
        for (nodes, copies) in [("", 1), (",", 1), ("n1,a b", 1), ("n1", 0)] as [(String, Int64)] {
            #expect(throws: Malformed.self) {
                try fold.ask(.cache, "cache.owners", ["key": "k", "nodes": .text(nodes), "copies": .integer(copies)])
            }
        }
    }

    @Test func `add up samples by node, by policy and by minute`() throws {
        let fold = try ratios([
            access("n1", "lru", true, 10), access("n1", "lru", false, 10), access("n2", "lru", true, 0),
            access("n2", "sieve", false), access("n1", "lru", true, 20),
            .entryEvicted(.with { ($0.node, $0.policy, $0.key, $0.why) = ("n1", "lru", "k", "evicted") }),
            .entryEvicted(.with { ($0.node, $0.policy, $0.key, $0.why) = ("n1", "lru", "k", "expired") }),
        ])
        #expect(
            try fold.ask(.cache, "cache.nodes").rows
                == [
                    ["n1", "lru", 40, 30, 3, 1, .real(0.75)], ["n2", "lru", 1, 1, 1, 0, .real(1)],
                    ["n2", "sieve", 1, 0, 1, 0, .real(0)],
                ])
        #expect(try fold.ask(.cache, "cache.nodes", ["node": "n2"]).rows.count == 2)
        #expect(
            try fold.ask(.cache, "cache.policies").rows
                == [["lru", 41, 31, 4, 1, .real(31.0 / 41)], ["sieve", 1, 0, 1, 0, .real(0)]])
        let minutes = try fold.ask(.cache, "cache.minutes", ["node": "n1", "policy": "lru"]).rows
        #expect(minutes.map { $0[2] } == [Value(noon), Value(after(120)), Value(after(180))])
        #expect(minutes.map { $0[3] } == [20, 20, 0])
        let since = try fold.ask(.cache, "cache.minutes", ["node": "n1", "policy": "lru", "since": Value(after(61))])
            .rows
        #expect(since.count == 2)
    }
}

@Suite("Caches, simulated")
struct CacheSimulation {
    @Test func `nothing stale is cached, whatever happens`() throws {
        print("cache: \(try Simulation(Traffic(.cache)).check(schedules: 10, from: 1))")
    }
}
