import Synchronization
import Testing

@testable import Caching

private struct Broken: Error {}

/// What was reported of other caches: Caffeine, Guava, moka, Ristretto, groupcache, memcached and clients of Redis.
@Suite(.timeLimit(.minutes(10)))
struct ReportedTests {
    let clock = TestClock()

    private func cache(
        _ capacity: Int = 100, _ policy: PolicyKind = .lru, _ set: (inout CacheOptions) -> Void = { _ in }
    ) -> Cache<String, Int> {
        var options = CacheOptions(capacity: capacity, policy: policy)
        set(&options)
        return Cache(options, clock: clock.now)
    }

    private func until(_ what: String, _ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(240)
        while !condition() {
            try #require(ContinuousClock.now < deadline, "waited in vain: \(what)")
            await Task.yield()
        }
    }

    // MARK: Loading

    @Test func `a load that asks for its own key is told so instead of waiting for itself`() async throws {
        // ben-manes/caffeine 89 and 1489, google/guava 2743.
        let cache = cache()
        await #expect(throws: LoadWaitsForItself.self) {
            try await cache.value("a") { _ in Loaded(try await cache.value("a") { _ in Loaded(1) }) }
        }
        // Through another key too, and the cache goes on.
        await #expect(throws: LoadWaitsForItself(key: "a")) {
            try await cache.value("a") { _ in
                Loaded(try await cache.value("b") { _ in Loaded(try await cache.value("a") { _ in Loaded(1) }) })
            }
        }
        #expect(try await cache.value("a") { _ in Loaded(2) } == 2 && LoadsWithin.count == 0)
    }

    @Test func `a load may ask for other keys`() async throws {
        // ben-manes/caffeine 160, 209 and 960.
        let cache = cache()
        @Sendable func factorial(_ n: Int) async throws -> Int {
            try await cache.value("\(n)") { _ in Loaded(n < 2 ? 1 : n * (try await factorial(n - 1))) } ?? 0
        }
        #expect(try await factorial(20) == 2_432_902_008_176_640_000)
        #expect(cache.count == 20 && cache.statistics.loads == 20)
    }

    @Test func `two loads that ask for one another's keys do not wait for ever`() async throws {
        // ben-manes/caffeine 729.
        let cache = cache()
        let began = Counter()
        let tasks = [("a", "b"), ("b", "a")].map { own, other in
            Task {
                try await cache.value(own) { _ in
                    began.add()
                    while began.count < 2 { await Task.yield() }
                    return Loaded(try await cache.value(other) { _ in Loaded(1) })
                }
            }
        }
        var failures = 0
        for task in tasks {
            do { _ = try await task.value } catch is LoadWaitsForItself { failures += 1 }
        }
        // Who would have closed the circle is told; the other is told of that, for it waited.
        #expect(failures == 2 && LoadsWithin.count == 0)
        #expect(try await cache.value("a") { _ in Loaded(3) } == 3)
    }

    @Test func `a load that is cancelled over and over hands over each time, and its end is no failure`() async throws {
        // moka-rs/moka 59 (a panic after 200), mailgun/groupcache 30 (the cancellation was everybody's).
        let cache = cache { $0.failureTTL = .seconds(60) }
        let loads = Counter()
        for round in 1...250 {
            let task = Task {
                try await cache.value("a") { _ in
                    loads.add()
                    try await Task.sleep(for: .seconds(3_600))
                    return Loaded(0)
                }
            }
            try await until("load \(round)") { loads.count == round }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(try await cache.value("a") { _ in Loaded(7) } == 7)
    }

    @Test func `after a load that failed the key can be loaded`() async throws {
        // mailgun/groupcache 38, golang/groupcache 139, golang/go 41133, moka-rs/moka 43.
        let cache = cache()
        for _ in 0..<3 {
            await #expect(throws: Broken.self) { try await cache.value("a") { _ in throw Broken() } }
        }
        #expect(try await cache.value("a") { _ in Loaded(1) } == 1)
        #expect(cache.shards.allSatisfy { $0.state.withLock { $0.flights.isEmpty && $0.failures.isEmpty } })
    }

    @Test func `keys are loaded again and again though each load was invalidated`() async throws {
        // google/guava 2971 (it stopped loading for ever), google/guava 1881, trinodb/trino 10512, redis/lettuce 3481.
        let cache = cache()
        for round in 0..<100 {
            let value = try await cache.value("a") { key in
                cache.invalidate(key)
                return Loaded(round)
            }
            // Who asked before is given it; it is not kept.
            #expect(value == round && cache.lookup("a") == .miss)
        }
        #expect(try await cache.value("a") { _ in Loaded(-1) } == -1)
        #expect(cache.value("a") == -1)
    }

    @Test func `of loads that overlap with changes only the one that saw the last change is kept`() async throws {
        // memcached/memcached 1067.
        let cache = cache()
        guard case .lead(let first) = cache.begin("a") else { throw Broken() }
        cache.invalidate("a", version: 2)
        guard case .lead(let second) = cache.begin("a") else { throw Broken() }
        cache.invalidate("a", version: 3)
        guard case .lead(let third) = cache.begin("a") else { throw Broken() }
        #expect(cache.finish(first, "a", Loaded(1, version: 1)) == .stale(least: 3))
        #expect(cache.finish(third, "a", Loaded(3, version: 3)) == .stored)
        #expect(cache.finish(second, "a", Loaded(2, version: 2)) == .stale(least: 3))
        #expect(cache.value("a") == 3)
    }

    // MARK: Time

    @Test func `a time of an entry is its own, whatever it had before`() {
        // sebadob/hiqlite 356, dgraph-io/ristretto 129.
        let cache = cache()
        for key in ["a", "b", "c"] { cache.set(key, to: 1, ttl: .seconds(5)) }
        cache.set("b", to: 2, ttl: .seconds(9))
        cache.set("c", to: 3)
        clock.set(seconds: 5)
        #expect(cache.value("a") == nil && cache.value("b") == 2 && cache.value("c") == 3)
        cache.set("a", to: 4, ttl: .seconds(5))
        #expect(cache.value("a") == 4 && cache.removeExpired() == 0)
        clock.set(seconds: 9.5)
        #expect(cache.value("a") == 4 && cache.value("b") == nil && cache.removeExpired() == 1)
        clock.set(seconds: 1e9)
        #expect(cache.removeExpired() == 1 && cache.value("c") == 3 && cache.count == 1)
    }

    @Test func `clocks may say less than nothing, and near their end nothing is over too soon`() {
        // ben-manes/caffeine 28 and 217, jhalterman/expiringmap 93.
        for start: Int64 in [.min, -5_000_000_000, .max - 3_000_000_000] {
            let timed = Timed(start, ttl: .seconds(2))
            timed.cache.set("a", to: 1)
            timed.cache.set("b", to: 2, ttl: .seconds(Int64.max))
            #expect(timed.cache.value("a") == 1)
            timed.time.set(start + 1_999_999_999)
            #expect(timed.cache.value("a") == 1)
            timed.time.set(start + 2_000_000_000)
            #expect(timed.cache.value("a") == nil && timed.cache.value("b") == 2)
        }
    }

    @Test func `a value that is over when it comes takes the former one with it`() {
        // tkem/cachetools 400.
        let cache = cache()
        cache.set("a", to: 1)
        #expect(cache.set("a", to: 2, ttl: .seconds(-1)) == .notKept)
        #expect(cache.lookup("a") == .miss && cache.count == 0 && cache.weight == 0)
    }

    // MARK: Weight and room

    @Test(arguments: PolicyTests.kinds)
    func `entries without a weight do not come without end`(_ kind: PolicyKind) {
        // ben-manes/caffeine 1843, blemale/scaffeine 333 (it grew in a tight loop of writes).
        let cache = cache(50, kind)
        for i in 0..<2_000 {
            cache.set("\(i)", to: i, weight: i % 3 == 0 ? 0 : -i)
            #expect(cache.count <= 50)
        }
    }

    @Test(arguments: PolicyTests.kinds.filter { $0 != .lfu })
    func `heavy entries that nobody wants any more make room for those that are wanted`(_ kind: PolicyKind) {
        // ben-manes/caffeine 583: with 250 to weigh and 16 each, the first ones stayed for ever. LFU without aging does so by its name.
        let cache = cache(250, kind)
        func ask(_ keys: [String]) -> Int {
            keys.count { key in
                if cache.value(key) != nil { return true }
                cache.set(key, to: 1, weight: 16)
                return false
            }
        }
        for _ in 0..<20 { _ = ask((0..<15).map { "old \($0)" }) }
        let new = (0..<10).map { "new \($0)" }
        for _ in 0..<200 { _ = ask(new) }
        #expect((0..<20).reduce(0) { sum, _ in sum + ask(new) } >= 180)
    }

    // MARK: Keys

    @Test func `keys that are chosen to meet find their places all the same`() {
        // dgraph-io/ristretto 30: nobody compared the keys. And floods of one bucket.
        for step in [UInt64(1) << 32, 1 << 48, 64, 1 << 57] {
            let cache = Cache<UInt64, UInt64>(CacheOptions(capacity: 4_000, policy: .lru), clock: { 0 }, hash: { $0 })
            let keys = (1...UInt64(120)).map { $0 &* step }
            for key in keys { cache.set(key, to: key) }
            let alike = Dictionary(grouping: keys, by: { $0 }).count
            #expect(cache.count == alike && keys.allSatisfy { cache.value($0) == $0 })
        }
        let one = Cache<Int, Int>(CacheOptions(capacity: 100, policy: .wtinylfu), clock: { 0 }, hash: { _ in 1 })
        for key in 0..<500 {
            one.set(key, to: key)
            #expect(one.value(key) == key && one.value(key - 1) == nil && one.count == 1)
        }
    }

    /// A key that is not what it was when it came in.
    private final class Changing: Hashable, Sendable {
        let number: Atomic<Int>
        init(_ number: Int) { self.number = Atomic(number) }
        var value: Int { number.load(ordering: .relaxed) }
        static func == (a: Changing, b: Changing) -> Bool { a.value == b.value }
        func hash(into hasher: inout Hasher) { hasher.combine(value) }
    }

    @Test(arguments: PolicyTests.kinds)
    func `keys that change while they are held are lost, and the room they had is not`(_ kind: PolicyKind) {
        let cache = Cache<Changing, Int>(CacheOptions(capacity: 20, policy: kind), clock: { 0 })
        for i in 0..<300 {
            let key = Changing(i)
            cache.set(key, to: i)
            key.number.store(-1, ordering: .relaxed)
            #expect(cache.value(Changing(i)) == nil && cache.count <= 20 && cache.weight <= 20)
        }
        for i in 0..<300 { cache.invalidate(Changing(i)) }
        let numbers = cache.policy.withLock { state in (cache.table.count, state.policy.count) }
        #expect(numbers.0 == numbers.1)
    }

    // MARK: Who is told

    @Test func `who is told of what went may use the cache, and so may a value at its end`() {
        // ben-manes/caffeine 712.
        final class Last: Sendable {
            let end: @Sendable () -> Void
            init(_ end: @escaping @Sendable () -> Void) { self.end = end }
            deinit { end() }
        }
        let told = Counter()
        let reference = Mutex<Cache<Int, Last>?>(nil)
        let use: @Sendable () -> Void = {
            guard told.add() < 1_000, let cache = reference.withLock({ $0 }) else { return }
            _ = cache.value(1)
            cache.invalidate(2)
            _ = (cache.count, cache.statistics)
        }
        let cache = Cache<Int, Last>(
            CacheOptions(capacity: 3, policy: .sieve, ttl: .seconds(5)), clock: clock.now, removed: { _, _ in use() })
        reference.withLock { $0 = cache }
        for i in 0..<50 { cache.set(i, to: Last(use)) }
        cache.set(49, to: Last(use))
        clock.set(seconds: 6)
        cache.removeExpired()
        #expect(cache.count == 0 && told.count >= 100)
        reference.withLock { $0 = nil }
    }

    @Test func `a key that is asked for without end does not overflow its count, and is forgotten again`() {
        var sketch = FrequencySketch(entries: 64, halvedAfter: 10)
        for _ in 0..<1_000_000 { sketch.increment(1) }
        #expect(sketch.frequency(of: 1) <= FrequencySketch.mostFrequency && sketch.frequency(of: 1) > 0)
        for i in 0..<10_000 { sketch.increment(UInt64(1_000 + i)) }
        #expect(sketch.frequency(of: 1) < FrequencySketch.mostFrequency)
    }
}

/// A cache and the clock that it reads.
private struct Timed {
    final class Time: Sendable {
        private let time: Atomic<Int64>
        init(_ start: Int64) { time = Atomic(start) }
        func set(_ now: Int64) { time.store(now, ordering: .relaxed) }
        var now: Int64 { time.load(ordering: .relaxed) }
    }
    let cache: Cache<String, Int>
    let time: Time

    init(_ start: Int64, ttl: Duration) {
        let time = Time(start)
        self.time = time
        cache = Cache(CacheOptions(capacity: 9, policy: .lru, ttl: ttl), clock: { time.now })
    }
}
