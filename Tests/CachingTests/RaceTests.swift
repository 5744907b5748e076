import Synchronization
import Testing

@testable import Caching

/// Reads, loads, writes at the source, invalidations that come late and in any order, evictions and passing time, in thousands of orders.
@Suite(.timeLimit(.minutes(10)))
struct RaceTests {
    /// One order of events, that of a seed. A value in the cache is the version of the source that it was.
    private struct Play {
        var numbers: SeededNumbers
        let clock = TestClock()
        let cache: Cache<Int, UInt64>
        var seconds = 0.0
        /// The source, and a copy of it that lags.
        var source = [UInt64](repeating: 1, count: 3)
        var copy = [UInt64](repeating: 1, count: 3)
        var underWay: [(flight: Flight<UInt64>, key: Int, version: UInt64)] = []
        var undelivered: [(key: Int, version: UInt64)] = []
        /// The highest version of each key that was invalidated here.
        var told = [UInt64](repeating: 0, count: 3)
        var (stored, refused) = (0, 0)

        init(seed: UInt64) {
            numbers = SeededNumbers(seed: seed)
            var options = CacheOptions(
                capacity: 2, policy: PolicyTests.kinds[Int(seed % UInt64(PolicyTests.kinds.count))])
            (options.shards, options.rememberedInvalidations, options.ttl) = (2, 2 + 2 * Int(seed % 3), .seconds(40))
            cache = Cache(options, clock: clock.now, hash: { UInt64($0) + 1 })
        }

        mutating func step() {
            let key = numbers.next(below: 3)
            switch numbers.next(below: 10) {
            case 0, 1:
                source[key] += 1
                undelivered.append((key, source[key]))
            case 2: copy[key] = source[key]
            case 3, 4:
                guard case .lead(let flight) = cache.begin(key) else { return }
                underWay.append((flight, key, numbers.next(below: 2) == 0 ? source[key] : copy[key]))
            case 5, 6:
                guard !underWay.isEmpty else { return }
                let (flight, key, version) = underWay.remove(at: numbers.next(below: underWay.count))
                let fill = cache.finish(flight, key, Loaded(version, version: version))
                if case .stale = fill { refused += 1 } else { stored += 1 }
            case 7, 8:
                guard !undelivered.isEmpty else { return }
                let (key, version) = undelivered.remove(at: numbers.next(below: undelivered.count))
                told[key] = max(told[key], version)
                cache.invalidate(key, version: version)
            default:
                seconds += Double(numbers.next(below: 10)) / 10
                clock.set(seconds: seconds)
                if numbers.next(below: 4) == 0 { cache.set(key, to: Loaded(copy[key], version: copy[key])) }
            }
        }
    }

    @Test func `no value survives an invalidation that is newer, in whatever order things happen`() {
        var (stored, refused) = (0, 0)
        for seed in UInt64(1)...3_000 {
            var play = Play(seed: seed)
            for step in 0..<60 {
                play.step()
                for key in 0..<3 {
                    guard case .value(let version) = play.cache.lookup(key) else { continue }
                    #expect(version >= play.told[key], "seed \(seed), step \(step): \(version) of \(key)")
                }
                #expect(play.cache.weight <= 2)
            }
            (stored, refused) = (stored + play.stored, refused + play.refused)
        }
        // The orders are such that both happen often.
        #expect(stored > 10_000 && refused > 3_000, "\(stored) \(refused)")
    }

    @Test func `threads that read, write and invalidate leave a cache whose parts agree`() async {
        let cache = Cache<Int, Int>(CacheOptions(capacity: 64, policy: .wtinylfu), clock: { 0 })
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    var numbers = SeededNumbers(seed: UInt64(task))
                    for i in 0..<20_000 {
                        let key = numbers.next(below: 1 + numbers.next(below: 300))
                        switch numbers.next(below: 20) {
                        case 0: cache.invalidate(key)
                        case 1, 2, 3: cache.set(key, to: key * 1_000_000 + i, weight: 1 + key % 3)
                        default:
                            if let value = cache.value(key) { #expect(value / 1_000_000 == key) }
                        }
                    }
                }
            }
        }
        let numbers = cache.policy.withLock { state in (cache.table.count, state.policy.count) }
        #expect(numbers == (cache.count, cache.count) && cache.weight <= 64)
        let statistics = cache.statistics
        #expect(statistics.requests > 60_000 && statistics.hits > 0 && statistics.misses > 0)
    }
}
