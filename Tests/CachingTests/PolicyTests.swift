import Testing

@testable import Caching

/// What holds of every policy.
struct PolicyTests {
    static let kinds = PolicyKind.allCases.filter { !$0.isForesighted }

    /// Asks, takes in, forgets and reweighs at random, beside a plain set of who must be held.
    @Test(arguments: kinds)
    func `a policy holds who came and was not told to go, within its capacity`(_ kind: PolicyKind) throws {
        for seed in UInt64(1)...30 {
            var numbers = SeededNumbers(seed: seed)
            let capacity = 1 + numbers.next(below: 60)
            var policy = try #require(kind.policy(capacity: capacity, seed: seed))
            var held: [UInt64: Int] = [:]
            for step in 0..<2_000 {
                let key = UInt64(numbers.next(below: 100))
                switch numbers.next(below: 10) {
                case 0:
                    let (was, wasHeld) = (policy.remove(key), held.removeValue(forKey: key) != nil)
                    #expect(was == wasHeld)
                case 1:
                    let weight = numbers.next(below: 9)
                    var gone: [UInt64] = []
                    let was = policy.reweigh(key, to: weight) { gone.append($0) }
                    #expect(was == (held[key] != nil))
                    if was { held[key] = max(1, weight) }
                    for key in gone {
                        let wasHeld = held.removeValue(forKey: key) != nil
                        #expect(wasHeld)
                    }
                default:
                    let isHit = policy.touch(key)
                    #expect(isHit == (held[key] != nil), "seed \(seed), step \(step)")
                    if isHit { continue }
                    let weight = numbers.next(below: 3) == 0 ? numbers.next(below: capacity + 5) : 1
                    held[key] = max(1, weight)
                    policy.admit(key, weight: weight) { key in
                        let wasHeld = held.removeValue(forKey: key) != nil
                        #expect(wasHeld, "seed \(seed): \(key) went twice")
                    }
                }
                #expect(policy.weight <= capacity && policy.count == held.count, "seed \(seed), step \(step)")
                #expect(policy.weight == held.values.reduce(0, +), "seed \(seed), step \(step)")
            }
            for key in UInt64(0)..<100 { #expect(policy.weight(of: key) == held[key]) }
        }
    }

    @Test(arguments: kinds)
    func `a cache of no capacity holds nothing and says so of each`(_ kind: PolicyKind) throws {
        for capacity in [0, -5] {
            var policy = try #require(kind.policy(capacity: capacity))
            var gone: [UInt64] = []
            for key in UInt64(0)..<50 {
                let isHit = policy.touch(key)
                #expect(!isHit)
                policy.admit(key, weight: 1) { gone.append($0) }
            }
            #expect(gone == Array(0..<50) && policy.count == 0 && policy.weight == 0)
        }
    }

    @Test(arguments: kinds)
    func `what weighs more than all is sent away and nobody else goes for it`(_ kind: PolicyKind) throws {
        var policy = try #require(kind.policy(capacity: 10))
        for key in UInt64(0)..<5 { policy.admit(key, weight: 1) { _ in } }
        let before = policy.weight
        var gone: [UInt64] = []
        policy.admit(99, weight: 11) { gone.append($0) }
        policy.admit(98, weight: .max) { gone.append($0) }
        #expect(gone == [99, 98] && policy.weight == before)
    }

    @Test(arguments: kinds)
    func `the same requests give the same entries`(_ kind: PolicyKind) throws {
        func run() throws -> [UInt64] {
            var policy = try #require(kind.policy(capacity: 50, seed: 7))
            var numbers = SeededNumbers(seed: 3)
            for _ in 0..<5_000 { _ = policy.access(UInt64(numbers.next(below: 40) * numbers.next(below: 10))) }
            return (UInt64(0)..<400).filter(policy.holds)
        }
        #expect(try run() == run())
        #expect(try run().count == 50)
    }

    @Test func `what is only remembered does not grow, however many pass`() {
        var (arc, s3, tiny) = (ARC(capacity: 100), S3FIFO(capacity: 100), WTinyLFU(capacity: 100))
        for key in UInt64(0)..<100_000 {
            _ = (arc.access(key), s3.access(key), tiny.access(key))
            if key % 3 == 0 { _ = (arc.access(key / 2), s3.access(key / 2), tiny.access(key / 2)) }
        }
        #expect(arc.ghosts <= 100 && s3.ghosts <= 90 && tiny.ghosts <= 6)
        #expect(arc.count == 100 && s3.count == 100 && tiny.count == 100)
    }

    @Test func `SIEVE's hand goes on where the one that it stood on was removed`() {
        var sieve = Sieve(capacity: 3)
        for key in UInt64(1)...3 { _ = sieve.access(key) }
        for key in UInt64(1)...3 { _ = sieve.touch(key) }
        _ = sieve.access(4)
        // The hand sifted out 1 after a round; it stands on 2.
        #expect(!sieve.holds(1) && sieve.holds(2))
        sieve.remove(2)
        _ = sieve.access(5)
        _ = sieve.access(6)
        #expect(!sieve.holds(3) && sieve.holds(4) && sieve.holds(5) && sieve.holds(6))
    }

    @Test func `of keys asked for equally often LFU lets go who was asked for longest ago`() {
        var lfu = LFU(capacity: 3, aging: .never)
        for key: UInt64 in [1, 2, 3, 2, 1] { _ = lfu.access(key) }
        _ = lfu.access(4)
        #expect(!lfu.holds(3))
        _ = lfu.access(4)
        _ = lfu.access(5)
        #expect(!lfu.holds(2) && lfu.holds(1) && lfu.holds(4) && lfu.holds(5))
    }

    @Test func `with aging, what was popular once goes, and without it stays`() {
        func holdsOldHit(_ aging: LFU.Aging) -> Bool {
            var lfu = LFU(capacity: 10, aging: aging)
            for _ in 0..<200 { _ = lfu.access(0) }
            for round in 0..<400 {
                for key in UInt64(1)...10 { for _ in 0..<3 { _ = lfu.access(key + UInt64(round / 40) * 100) } }
            }
            return lfu.holds(0)
        }
        #expect(holdsOldHit(.never))
        #expect(!holdsOldHit(.halving(every: 10)))
    }

    @Test func `an evicted entry's place is used again, so the table does not grow`() {
        var table = EntryTable(expecting: 4)
        var list = EntryList()
        for key in UInt64(0)..<10_000 {
            if table.count == 4 { _ = table.deleteBack(of: &list) }
            table.pushFront(table.insert(key, weight: 1), of: &list)
            #expect(table.find(key) < 4 && (key < 4 || table.find(key - 4) == EntryTable.none))
        }
    }
}

struct FrequencySketchTests {
    @Test func `a frequency is never told too low before it is halved, and stops at fifteen`() {
        var sketch = FrequencySketch(entries: 64, halvedAfter: 1_000)
        var counts: [UInt64: Int] = [:]
        var numbers = SeededNumbers(seed: 5)
        for _ in 0..<3_000 {
            let key = UInt64(numbers.next(below: 200))
            sketch.increment(key)
            counts[key, default: 0] += 1
        }
        for (key, count) in counts { #expect(sketch.frequency(of: key) >= min(15, count)) }
        for _ in 0..<100 { sketch.increment(7) }
        #expect(sketch.frequency(of: 7) == 15)
    }

    @Test func `it forgets by halves`() {
        var sketch = FrequencySketch(entries: 16, halvedAfter: 4)
        for _ in 0..<12 { sketch.increment(1) }
        #expect(sketch.frequency(of: 1) == 12)
        for key in UInt64(100)..<152 { sketch.increment(key) }
        #expect(sketch.frequency(of: 1) == 6)
    }

    @Test func `it keeps what it knows when it grows`() {
        var sketch = FrequencySketch(entries: 16, halvedAfter: 1_000)
        for key in UInt64(0)..<10 { for _ in 0...key { sketch.increment(key) } }
        sketch.grow(to: 4_096)
        for key in UInt64(0)..<10 { #expect(sketch.frequency(of: key) >= Int(key) + 1) }
        sketch.grow(to: 8)
        #expect(sketch.entries == 4_096)
    }
}
