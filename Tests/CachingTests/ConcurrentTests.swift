import Foundation
import Synchronization
import Testing

@testable import Caching

/// A value that knows whether it is still there; how many of its kind are is counted.
private final class Watched: Sendable {
    let key: Int
    let version: UInt64
    private let mark = Atomic<UInt64>(Watched.good)
    private static let good: UInt64 = 0x600D_600D_600D_600D
    private let count: Counted

    final class Counted: Sendable {
        private let alive = Atomic<Int>(0)
        var number: Int { alive.load(ordering: .sequentiallyConsistent) }
        func add(_ change: Int) { alive.wrappingAdd(change, ordering: .sequentiallyConsistent) }
    }

    init(_ key: Int, _ version: UInt64, _ count: Counted) {
        (self.key, self.version, self.count) = (key, version, count)
        count.add(1)
    }

    deinit {
        mark.store(0xDEAD, ordering: .relaxed)
        count.add(-1)
    }

    var isGood: Bool { mark.load(ordering: .relaxed) == Self.good }
}

/// What holds while many read, write, load and invalidate at once.
@Suite(.timeLimit(.minutes(10)))
struct ConcurrentTests {
    private static let tasks = 8

    @Test(arguments: [PolicyKind.lru, .sieve, .wtinylfu])
    func `a value is freed once, and not while somebody reads it`(_ kind: PolicyKind) async {
        let alive = Watched.Counted()
        do {
            var options = CacheOptions(capacity: 40, policy: kind)
            options.shards = 2
            let cache = Cache<Int, Watched>(options, clock: { 0 })
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<Self.tasks {
                    group.addTask {
                        var numbers = SeededNumbers(seed: UInt64(task))
                        for i in 0..<20_000 {
                            let key = numbers.next(below: 80)
                            switch numbers.next(below: 8) {
                            case 0: cache.invalidate(key)
                            case 1, 2: cache.set(key, to: Watched(key, UInt64(i), alive))
                            default:
                                guard let value = cache.value(key) else { continue }
                                if !value.isGood || value.key != key { Issue.record("\(key) is \(value.key)") }
                            }
                        }
                    }
                }
            }
            // Nobody reads any more: what the cache holds is all there is, after one more write.
            cache.invalidate(-1)
            #expect(alive.number == cache.count && cache.count <= 40)
        }
        #expect(alive.number == 0)
    }

    @Test func `what went is kept while somebody may read it, and freed with the next write`() {
        let alive = Watched.Counted()
        let cache = Cache<Int, Watched>(CacheOptions(capacity: 4, policy: .lru), clock: { 0 })
        let stripe = cache.stripes.own
        stripe.enterAgain()
        for i in 0..<500 { cache.set(i, to: Watched(i, 0, alive)) }
        // None of the 496 that went is freed while somebody may read it.
        #expect(alive.number == 500 && cache.count == 4)
        stripe.leave()
        cache.invalidate(-1)
        #expect(alive.number == 4)
    }

    @Test func `no one reads a value after its invalidation has returned`() async {
        let cache = Cache<Int, UInt64>(CacheOptions(capacity: 16, policy: .wtinylfu), clock: { 0 })
        let keys = 4
        let floors = (0..<keys).map { _ in Floor() }
        await withTaskGroup(of: Void.self) { group in
            for key in 0..<keys {
                // One writes: the source gets a version, then what is older is invalidated, then that is known.
                group.addTask {
                    for version in UInt64(1)...5_000 {
                        floors[key].source.store(version, ordering: .sequentiallyConsistent)
                        cache.invalidate(key, version: version)
                        floors[key].invalidated.store(version, ordering: .sequentiallyConsistent)
                    }
                }
            }
            for task in 0..<Self.tasks {
                group.addTask {
                    var numbers = SeededNumbers(seed: UInt64(task))
                    for i in 0..<20_000 {
                        let key = numbers.next(below: keys)
                        let least = floors[key].invalidated.load(ordering: .sequentiallyConsistent)
                        let found =
                            i.isMultiple(of: 2)
                            ? cache.value(key)
                            : try? await cache.value(key) { _ in
                                let version = floors[key].source.load(ordering: .sequentiallyConsistent)
                                if version.isMultiple(of: 7) { await Task.yield() }
                                return Loaded(version, version: version)
                            }
                        if let found, found < least { Issue.record("\(found) of \(key) after \(least)") }
                    }
                }
            }
        }
        #expect(cache.statistics.invalidations == keys * 5_000 && cache.statistics.hits > 0)
    }

    private final class Floor: Sendable {
        let source = Atomic<UInt64>(1)
        let invalidated = Atomic<UInt64>(0)
    }

    @Test(arguments: PolicyTests.kinds)
    func `every look-up is counted once, and the capacity holds at every moment`(_ kind: PolicyKind) async {
        let cache = Cache<Int, Int>(CacheOptions(capacity: 100, policy: kind), clock: { 0 })
        let (hits, misses, stored) = (Counter(), Counter(), Counter())
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<Self.tasks {
                group.addTask {
                    var numbers = SeededNumbers(seed: 77 &+ UInt64(task))
                    for _ in 0..<5_000 {
                        let key = numbers.next(below: 1 + numbers.next(below: 300))
                        if cache.value(key) != nil {
                            hits.add()
                        } else {
                            misses.add()
                            cache.set(key, to: key, weight: 1 + key % 5)
                            stored.add()
                        }
                        if cache.weight > 100 { Issue.record("\(cache.weight)") }
                    }
                }
            }
        }
        let statistics = cache.statistics
        #expect(statistics.hits == hits.count && statistics.misses == misses.count)
        #expect(statistics.requests == Self.tasks * 5_000)
        #expect(statistics.unrecordedReads < statistics.hits / 10 + 1, "\(statistics)")
        // What is held can be read, and nothing else.
        #expect((0..<300).filter { cache.value($0) == $0 }.count == cache.count)
    }

    @Test func `nothing that is held is missed while the table grows`() async {
        var options = CacheOptions(capacity: 100_000, policy: .lru)
        options.shards = 1
        let cache = Cache<Int, Int>(options, clock: { 0 })
        for key in 0..<50 { cache.set(key, to: key) }
        let isDone = Floor()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for key in 50..<40_000 { cache.set(key, to: key) }
                isDone.source.store(2, ordering: .releasing)
            }
            for _ in 0..<3 {
                group.addTask {
                    while isDone.source.load(ordering: .acquiring) == 1 {
                        for key in 0..<50 where cache.value(key) != key { Issue.record("\(key) is lost") }
                        await Task.yield()
                    }
                }
            }
        }
        #expect(cache.count == 40_000 && cache.statistics.misses == 0)
    }

    // MARK: What the policy is told

    /// Keys by Zipf's law: the n-th is asked for in proportion to n^-skew.
    private static func zipf(_ keys: Int, _ count: Int, skew: Double, seed: UInt64) -> [UInt64] {
        var sums: [Double] = []
        for rank in 1...keys { sums.append((sums.last ?? 0) + pow(Double(rank), -skew)) }
        var numbers = SeededNumbers(seed: seed)
        return (0..<count).map { _ in
            let at = Double(numbers.next(below: 1 << 50)) / Double(1 << 50) * (sums.last ?? 0)
            var (low, high) = (0, keys - 1)
            while low < high {
                let middle = (low + high) / 2
                if sums[middle] < at { low = middle + 1 } else { high = middle }
            }
            return UInt64(low + 1)
        }
    }

    @Test(arguments: PolicyTests.kinds)
    func `a cache hits as often as its policy alone`(_ kind: PolicyKind) throws {
        let keys = 6_000
        let trace = Self.zipf(keys, 60_000, skew: 0.99, seed: 5)
        for capacity in [60, 600, 5_400] {
            var policy = try #require(kind.policy(capacity: capacity))
            var alone = 0
            for key in trace where policy.access(key) { alone += 1 }
            let cache = Cache<UInt64, UInt64>(
                CacheOptions(capacity: capacity, policy: kind), clock: { 0 }, hash: { $0 })
            for key in trace where cache.value(key) == nil { cache.set(key, to: key) }
            let hits = cache.statistics.hits
            let points = 100 * Double(hits - alone) / Double(trace.count)
            #expect(abs(points) <= 0.2, "\(kind.title), capacity \(capacity), seed 5: \(hits) beside \(alone)")
        }
    }

    @Test func `of reads with no write in between ever fewer are told, of others all`() {
        let cache = Cache<Int, Int>(CacheOptions(capacity: 10, policy: .lru), clock: { 0 })
        for key in 0..<10 { cache.set(key, to: key) }
        for i in 0..<128 { _ = cache.value(i % 10) }
        #expect(cache.statistics.unrecordedReads == 0)
        for i in 0..<100_000 { _ = cache.value(i % 10) }
        let lost = cache.statistics.unrecordedReads
        #expect(lost > 90_000 && lost < 95_000)
        cache.set(3, to: 3)
        for i in 0..<64 { _ = cache.value(i % 10) }
        let statistics = cache.statistics
        #expect(statistics.unrecordedReads == lost && statistics.hits == 100_192)
    }

    @Test func `a writer does not wait for a reader that asks what time it is`() async throws {
        final class Gate: Sendable {
            let cache = Mutex<Cache<Int, Int>?>(nil)
            let reader = Mutex<ObjectIdentifier?>(nil)
            let isIn = Atomic(false)
            let mayGo = Atomic(false)
            let isDone = Atomic(false)

            func wait(for flag: borrowing Atomic<Bool>) async throws {
                while !flag.load(ordering: .acquiring) {
                    try Task.checkCancellation()
                    await Task.yield()
                }
            }
        }
        let gate = Gate()
        let cache = Cache<Int, Int>(CacheOptions(capacity: 10_000, policy: .lru, ttl: .seconds(1000))) {
            guard gate.reader.withLock({ $0 == ObjectIdentifier(Thread.current) }) else { return 0 }
            gate.isIn.store(true, ordering: .releasing)
            while !gate.mayGo.load(ordering: .acquiring) { sched_yield() }
            // It may ask what needs the writers' lock.
            return Int64(gate.cache.withLock { $0 }?.count ?? 0)
        }
        gate.cache.withLock { $0 = cache }
        cache.set(1, to: 1)
        Thread.detachNewThread {
            gate.reader.withLock { $0 = ObjectIdentifier(Thread.current) }
            _ = cache.value(1)
            gate.isDone.store(true, ordering: .releasing)
        }
        try await gate.wait(for: gate.isIn)
        for i in 0..<3000 { cache.set(2, to: i) }
        gate.mayGo.store(true, ordering: .releasing)
        try await gate.wait(for: gate.isDone)
        gate.cache.withLock { $0 = nil }
    }

    @Test func `the end of a remembered error may ask the cache`() async {
        final class Last: Sendable {
            let cache = Mutex<Cache<Int, Int>?>(nil)
            let ends = Atomic<Int>(0)
        }
        final class Asking: Error {
            let last: Last
            init(_ last: Last) { self.last = last }
            deinit {
                _ = last.cache.withLock { $0 }?.count
                last.ends.wrappingAdd(1, ordering: .relaxed)
            }
        }
        let (last, time) = (Last(), Last())
        var options = CacheOptions(capacity: 10, policy: .lru)
        (options.failureTTL, options.shards, options.rememberedFailures) = (.nanoseconds(10), 1, 4)
        let cache = Cache<Int, Int>(options) { Int64(time.ends.load(ordering: .relaxed)) }
        last.cache.withLock { $0 = cache }
        func fail(_ key: Int) async { _ = try? await cache.value(key) { _ in throw Asking(last) } }
        await fail(1)
        cache.invalidate(1)
        await fail(1)
        cache.set(1, to: 1)
        await fail(2)
        time.ends.store(100, ordering: .relaxed)
        await fail(2)
        for key in 3..<20 { await fail(key) }
        #expect(last.ends.load(ordering: .relaxed) >= 16)
        last.cache.withLock { $0 = nil }
    }

    @Test func `what waits for its readers is bounded by its number and by its weight`() {
        let (stripes, table) = (ReadStripes(), ReadTable<Int, Int>(parts: 1))
        var limbo = Limbo<Int, Int>()
        let stripe = stripes.own
        stripe.enterAgain()
        for (weight, isFull) in [(1_000, false), (100_000, true)] {
            let entry = CacheEntry<Int>(value: 1, expires: .max, version: 0, weight: weight)
            table.insert(1, 1, entry, retiring: &limbo)
            _ = table.remove(1, retiring: &limbo)
            #expect(limbo.free(stripes).isEmpty && limbo.isFull(10_000) == isFull, "\(weight)")
        }
        stripe.leave()
        var freed = 0
        for _ in 0..<2 { for one in limbo.free(stripes) { one.free(); freed += 1 } }
        #expect(freed == 2 && !limbo.isFull(10_000))
        table.free()
        stripes.free()
    }

    @Test func `readers that come without end do not keep what went before they came`() {
        let (stripes, table) = (ReadStripes(), ReadTable<Int, Int>(parts: 1))
        var limbo = Limbo<Int, Int>()
        let stripe = stripes.own
        // At each moment somebody is in: the next one comes before the last one leaves.
        var phase = stripes.phase
        stripe.enterAgain(phase)
        table.insert(1, 1, CacheEntry<Int>(value: 1, expires: .max, version: 0, weight: 1), retiring: &limbo)
        _ = table.remove(1, retiring: &limbo)
        var (freed, turns) = (0, 0)
        while freed == 0, turns < 10 {
            for one in limbo.free(stripes) { one.free(); freed += 1 }
            let next = stripes.phase
            stripe.enterAgain(next)
            stripe.leave(phase)
            (phase, turns) = (next, turns + 1)
        }
        #expect(freed == 1, "after \(turns) turns")
        stripe.leave(phase)
        table.free()
        stripes.free()
    }

    @Test func `one key that is invalidated again and again is remembered once`() {
        var floors = InvalidationFloors<Int>(limit: 1_000, memory: 1_000_000_000)
        for version in 1...100_000 as ClosedRange<UInt64> { floors.raise(7, to: version, at: Int64(version)) }
        #expect(floors.count == 1 && floors.kept <= 200 && floors.least(7, at: 100_000) == 100_000)
        for key in 0..<500 { floors.raise(key, to: 1, at: 100_001) }
        #expect(floors.count == 500 && floors.kept <= 1_100)
        #expect(floors.least(7, at: 100_002) == 100_000 && floors.least(499, at: 100_002) == 1)
    }
}
