import Synchronization
import Testing

@testable import Caching

/// A clock that a test sets.
final class TestClock: Sendable {
    private let time = Atomic<Int64>(0)
    var now: @Sendable () -> Int64 { { self.time.load(ordering: .relaxed) } }
    func set(seconds: Double) { time.store(Int64(seconds * 1e9), ordering: .relaxed) }
}

/// How often something happened.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)
    var count: Int { number.load(ordering: .relaxed) }
    @discardableResult func add() -> Int { number.add(1, ordering: .relaxed).newValue }
}

/// What was told of entries that are gone.
final class Removals: Sendable {
    private let all = Mutex<[String]>([])
    var told: [String] { all.withLock { $0 } }
    func tell(_ key: String, _ why: CacheRemoval) { all.withLock { $0.append("\(key) \(why)") } }
}

struct CacheTests {
    let clock = TestClock()

    private func cache(
        _ capacity: Int = 10, _ policy: PolicyKind = .lru, _ set: (inout CacheOptions) -> Void = { _ in }
    )
        -> Cache<String, Int>
    {
        var options = CacheOptions(capacity: capacity, policy: policy)
        set(&options)
        return Cache(options, clock: clock.now)
    }

    @Test func `what was put in is found until others push it out`() {
        let cache = cache(2)
        cache.set("a", to: 1)
        cache.set("b", to: 2)
        #expect(cache.value("a") == 1)
        // The read is told to the policy before the next write decides.
        cache.set("c", to: 3)
        #expect(cache.value("b") == nil && cache.value("a") == 1 && cache.value("c") == 3 && cache.count == 2)
        let statistics = cache.statistics
        #expect(statistics.hits == 3 && statistics.misses == 1 && statistics.evictions == 1)
    }

    @Test(arguments: PolicyTests.kinds)
    func `a cache of no capacity answers and holds nothing`(_ kind: PolicyKind) async throws {
        let cache = cache(0, kind)
        #expect(cache.set("a", to: 1) == .notKept)
        #expect(cache.value("a") == nil && cache.count == 0)
        #expect(try await cache.value("a") { _ in Loaded(5) } == 5)
    }

    @Test(arguments: PolicyTests.kinds)
    func `what weighs too much is not kept, and nor is its former value`(_ kind: PolicyKind) {
        let cache = cache(100, kind)
        #expect(cache.set("a", to: 1, weight: 5) == .stored)
        #expect(cache.set("a", to: 2, weight: 101) == .notKept)
        #expect(cache.lookup("a") == .miss && cache.weight == 0 && cache.count == 0)
    }

    @Test func `a value written anew has its new weight, and others go for it`() {
        let removals = Removals()
        let cache = Cache<String, Int>(
            CacheOptions(capacity: 10, policy: .lru), clock: clock.now, removed: { removals.tell($0, $1) })
        cache.set("a", to: 1, weight: 4)
        cache.set("b", to: 1, weight: 4)
        cache.set("b", to: 2, weight: 7)
        #expect(cache.weight == 7 && cache.value("a") == nil && cache.value("b") == 2)
        cache.set("b", to: 3, weight: 1)
        #expect(cache.weight == 1 && removals.told == ["b replaced", "a evicted", "b replaced"])
    }

    @Test(arguments: PolicyTests.kinds)
    func `it never holds more than its capacity, and what is not held is not found`(_ kind: PolicyKind) {
        let cache = cache(50, kind) { $0.shards = 4 }
        var numbers = SeededNumbers(seed: 11)
        for step in 0..<5_000 {
            let key = "k\(numbers.next(below: 200))"
            if cache.value(key) == nil { cache.set(key, to: step, weight: 1 + numbers.next(below: 7)) }
            #expect(cache.weight <= 50)
        }
        #expect((0..<200).filter { cache.value("k\($0)") != nil }.count == cache.count)
    }

    @Test func `two keys of one hash are never taken for each other`() {
        let cache = Cache<String, Int>(CacheOptions(capacity: 10, policy: .lru), clock: clock.now, hash: { _ in 7 })
        cache.set("a", to: 1)
        cache.set("b", to: 2)
        #expect(cache.value("a") == nil && cache.value("b") == 2 && cache.count == 1)
        cache.invalidate("a")
        #expect(cache.value("b") == 2)
    }

    // MARK: Time

    @Test func `an entry is over at its time, not before and not later`() {
        let cache = cache { $0.ttl = .seconds(10) }
        cache.set("a", to: 1)
        cache.set("b", to: 2, ttl: .seconds(20))
        clock.set(seconds: 9.999)
        #expect(cache.value("a") == 1)
        clock.set(seconds: 10)
        #expect(cache.lookup("a") == .miss && cache.value("b") == 2)
        #expect(cache.count == 2)
        #expect(cache.removeExpired() == 1 && cache.count == 1 && cache.statistics.expirations == 1)
    }

    @Test func `where the clock goes back, what was over does not come back`() {
        let cache = cache { $0.ttl = .seconds(10) }
        clock.set(seconds: 100)
        cache.set("a", to: 1)
        clock.set(seconds: 111)
        #expect(cache.value("a") == nil)
        clock.set(seconds: 50)
        #expect(cache.value("a") == nil)
        // And what is written meanwhile is over in time.
        cache.set("b", to: 2)
        #expect(cache.value("b") == 2)
        clock.set(seconds: 121)
        #expect(cache.value("b") == nil)
    }

    @Test func `a time that is over already, or longer than there are nanoseconds, is no trouble`() {
        let cache = cache()
        cache.set("a", to: 1)
        #expect(cache.set("a", to: 2, ttl: .zero) == .notKept)
        #expect(cache.lookup("a") == .miss && cache.count == 0)
        #expect(cache.set("b", to: 1, ttl: .seconds(Int64.max)) == .stored)
        #expect(cache.value("b") == 1)
    }

    @Test func `an entry written again and again leaves nothing behind`() {
        var queue = ExpiryQueue()
        for i in 0..<10_000 { queue.set(UInt64(i % 5), at: Int64(i)) }
        #expect(queue.count == 5 && queue.places <= 65)
        let (none, first, second) = (queue.next(by: 9_994), queue.next(by: 9_995), queue.next(by: 10_000))
        #expect(none == nil && first == 0 && second == 1)
    }

    // MARK: What is not there

    @Test func `that there is nothing is remembered for its time, and no longer`() async throws {
        let cache = cache { $0.absentTTL = .seconds(5) }
        let loads = Counter()
        func ask() async throws -> Int? {
            try await cache.value("a") { _ in
                loads.add()
                return Loaded(nil)
            }
        }
        _ = (try await ask(), try await ask())
        #expect(loads.count == 1 && cache.lookup("a") == .absent)
        #expect(cache.statistics.absentHits == 2)
        clock.set(seconds: 5)
        _ = try await ask()
        #expect(loads.count == 2)
        // A value ends it.
        cache.set("a", to: 3)
        #expect(cache.value("a") == 3)
    }

    @Test func `without a time for it, that there is nothing is not remembered`() async throws {
        let cache = cache()
        #expect(try await cache.value("a") { _ in Loaded(nil) } == nil)
        #expect(cache.lookup("a") == .miss && cache.count == 0)
    }

    // MARK: Versions

    @Test func `an older fill is refused, whether the newer is cached or only was invalidated`() {
        let cache = cache()
        #expect(cache.set("a", to: Loaded(1, version: 5)) == .stored)
        #expect(cache.set("a", to: Loaded(0, version: 4)) == .stale(least: 5))
        #expect(cache.value("a") == 1)
        #expect(cache.invalidate("a", version: 7) == .removed)
        #expect(cache.set("a", to: Loaded(1, version: 6)) == .stale(least: 7))
        #expect(cache.lookup("a") == .miss)
        #expect(cache.set("a", to: Loaded(2, version: 7)) == .stored)
        #expect(cache.statistics.staleFills == 2)
    }

    @Test func `an invalidation that is older than what is cached changes nothing`() {
        let cache = cache()
        cache.set("a", to: Loaded(1, version: 5))
        #expect(cache.invalidate("a", version: 4) == .newer(5))
        #expect(cache.invalidate("a", version: 5) == .newer(5))
        #expect(cache.invalidate("b", version: 5) == .notHeld)
        #expect(cache.value("a") == 1)
    }

    @Test func `an invalidation is forgotten after its time, and invalidations do not gather`() {
        let cache = cache { ($0.invalidationMemory, $0.rememberedInvalidations, $0.shards) = (.seconds(60), 8, 1) }
        for i in 0..<1_000 { cache.invalidate("k\(i)", version: UInt64(1 + i)) }
        #expect(cache.shards[0].state.withLock { $0.floors.count } == 8)
        // What was forgotten by name still holds: older than it is refused for everyone.
        #expect(cache.set("k3", to: Loaded(1, version: 3)) == .stale(least: 992))
        #expect(cache.set("other", to: Loaded(1, version: 993)) == .stored)
        clock.set(seconds: 60)
        #expect(cache.set("k3", to: Loaded(1, version: 3)) == .stored)
    }
}
