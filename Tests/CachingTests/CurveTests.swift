import Testing

@testable import Caching

struct CurveTests {
    private func skewed(_ requests: Int, _ keys: Int, seed: UInt64) -> Trace {
        var numbers = SeededNumbers(seed: seed)
        return Trace((0..<requests).map { _ in UInt64(numbers.next(below: 1 + numbers.next(below: keys))) })
    }

    @Test func `one pass gives what LRU has at every capacity`() {
        for seed in UInt64(1)...5 {
            let trace = skewed(3_000, 200, seed: seed)
            let curve = MissRatioCurve(lru: trace)
            for capacity in 0...trace.distinct + 3 {
                #expect(curve.hitRatio(at: capacity) == trace.replay(.lru, capacity: capacity).hitRatio, "\(capacity)")
            }
            #expect(curve.distinct == trace.distinct && curve.sampled == 3_000)
        }
    }

    @Test func `a sample of a tenth is near the whole`() {
        let trace = skewed(400_000, 40_000, seed: 9)
        let (whole, part) = (MissRatioCurve(lru: trace), MissRatioCurve(lru: trace, sample: 0.1))
        #expect(part.sampled < 60_000)
        for capacity in [100, 1_000, 5_000, 20_000, 40_000] {
            #expect(abs(whole.hitRatio(at: capacity) - part.hitRatio(at: capacity)) < 0.02, "\(capacity)")
        }
    }

    @Test func `an empty trace has no hits, and neither has an empty sample`() {
        #expect(MissRatioCurve(lru: Trace()).hitRatio(at: 10) == 0)
        #expect(MissRatioCurve(lru: Trace([1, 1, 1]), sample: 0).hitRatio(at: 10) == 0)
    }

    @Test func `the best that there can be evicts who is asked for last`() {
        // Belady's own example, with three frames: nine faults.
        let trace = Trace([7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1])
        #expect(trace.replay(.opt, capacity: 3).hits == 11)
    }

    @Test func `a trace numbers its keys as they come`() {
        let trace = Trace([50, 7, 50, 9])
        #expect(trace.keys == [0, 1, 0, 2] && trace.distinct == 3)
    }
}

struct RendezvousHashTests {
    private static let keys = (0..<20_000).map { "key-\($0)" }

    @Test func `keys are spread evenly, and by weight`() {
        let hash = RendezvousHash([.init("a"), .init("b"), .init("c", weight: 2)])
        let counts = Dictionary(grouping: Self.keys) { hash.node(of: $0) ?? "" }.mapValues(\.count)
        #expect(abs(counts["a", default: 0] - 5_000) < 300 && abs(counts["b", default: 0] - 5_000) < 300)
        #expect(abs(counts["c", default: 0] - 10_000) < 300)
    }

    @Test func `when a node goes, only its keys move, each to the one that was next`() {
        let (all, less) = (RendezvousHash(["a", "b", "c", "d"]), RendezvousHash(["d", "a", "b"]))
        for key in Self.keys {
            let order = all.nodes(of: key, count: 2)
            #expect(less.node(of: key) == (order[0] == "c" ? order[1] : order[0]))
        }
    }

    @Test func `it is the same in every process`() {
        let hash = RendezvousHash(["n1", "n2", "n3"])
        #expect((0..<12).map { hash.node(of: "key-\($0)") ?? "" } == Self.recorded)
    }
    /// As another program has it, in Python.
    private static let recorded = ["n1", "n3", "n2", "n2", "n2", "n1", "n1", "n3", "n1", "n3", "n1", "n2"]

    @Test func `without nodes there is no owner`() {
        #expect(RendezvousHash([String]()).node(of: "a") == nil)
        #expect(RendezvousHash(["a", "a"]).nodes(of: "k", count: 5) == ["a"])
    }

    @Test func `the logarithm is one`() {
        for x in [1e-16, 0.001, 0.25, 0.5, 0.7071, 0.9, 0.999_999] {
            // ln(x) + ln(x) = ln(x * x), and ln(1/2) is known.
            #expect(abs(2 * RendezvousHash.logarithm(x) - RendezvousHash.logarithm(x * x)) < 1e-9)
        }
        #expect(abs(RendezvousHash.logarithm(0.5) + 0.693_147_180_559_945_3) < 1e-15)
    }
}
