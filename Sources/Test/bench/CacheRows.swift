internal import Caching
internal import EventModel
internal import Foundation
internal import Synchronization
internal import TestSupport

extension Bench {
    private static let cacheKeys = 10_000
    private static let cacheReads = 1_000_000
    private static let cachePolicies: [PolicyKind] = [.wtinylfu, .lru, .sieve]

    /// Hits of a cache beside those of a dictionary with one lock, and how often a cache hits beside its policy alone.
    func cacheRows() async throws -> [Row] {
        let traces = (1...2).map { zipf(Self.cacheKeys, Self.cacheReads, seed: UInt64($0)) }
        let locked = LockedDictionary(Self.cacheKeys)
        let caches = Self.cachePolicies.map { filled($0) }
        var (others, values) = ([[Double]](repeating: [], count: 2), [String: [Double]]())
        for _ in 0..<rounds {
            for threads in 1...2 {
                others[threads - 1].append(try undisturbed { try reads(threads, traces) { locked.value($0) } })
                for (policy, cache) in zip(Self.cachePolicies, caches) {
                    let rate = try undisturbed { try reads(threads, traces) { cache.value($0) } }
                    values["\(policy) \(threads)", default: []].append(rate)
                }
            }
        }
        var rows: [Row] = []
        for policy in Self.cachePolicies {
            for threads in 1...2 {
                let name = "cache: hits of \(policy.title), \(threads == 1 ? "1 thread" : "2 threads")"
                let row = Row(name, .perSecond, values["\(policy) \(threads)"] ?? [])
                var held = row.held(against: "a dictionary with one lock", others[threads - 1])
                if threads == 2 { held.goals = [.timesAtLeast(1)] }
                rows.append(held)
            }
        }
        return try rows + Self.cachePolicies.map { try hitRatio($0, traces[0].map { UInt64($0) + 1 }) }
    }

    /// The run in which the threads had to give way to others the least, of up to forty: where they take turns on one processor, they do not
    /// meet.
    private func undisturbed(_ run: () throws -> Double) throws -> Double {
        var best: (rate: Double, switches: Int) = (0, .max)
        for _ in 0..<40 where best.switches > 2 {
            let before = Self.switches
            let rate = try run()
            let switches = Self.switches - before
            if switches < best.switches { best = (rate, switches) }
        }
        return best.rate
    }

    /// How often threads of this process were taken from their processor.
    private static var switches: Int {
        var usage = rusage()
        // RUSAGE_SELF, which systems' headers have in different types.
        getrusage(0, &usage)
        return Int(usage.ru_nivcsw)
    }

    private func filled(_ policy: PolicyKind) -> Cache<Int, Int> {
        let cache = Cache<Int, Int>(CacheOptions(capacity: Self.cacheKeys * 2, policy: policy), clock: { 0 })
        for key in 0..<Self.cacheKeys { cache.set(key, to: key) }
        return cache
    }

    /// How often a tenth of the keys hits, through a cache and its lossy rings, and of the policy alone.
    private func hitRatio(_ kind: PolicyKind, _ trace: [UInt64]) throws -> Row {
        let capacity = Self.cacheKeys / 10
        guard var policy = kind.policy(capacity: capacity) else {
            throw Overdue(description: "\(kind.title) cannot stand behind a cache")
        }
        var alone = 0
        for key in trace where policy.access(key) { alone += 1 }
        let cache = Cache<UInt64, UInt64>(CacheOptions(capacity: capacity, policy: kind), clock: { 0 }, hash: { $0 })
        for key in trace where cache.value(key) == nil { cache.set(key, to: key) }
        let row = Row(
            "… \(kind.title) with room for a tenth: hits", .percent, [100 * cache.statistics.hitRatio],
            .timesAtLeast(0.997))
        return row.held(against: "its policy alone", [100 * Double(alone) / Double(trace.count)])
    }

    /// How many reads a second some threads have together, each with its own trace. All must be hits.
    private func reads(_ threads: Int, _ traces: [[Int]], _ read: @escaping @Sendable (Int) -> Int?) throws -> Double {
        let line = StartingLine()
        let group = DispatchGroup()
        for trace in traces[..<threads] {
            group.enter()
            Thread.detachNewThread {
                line.wait(for: threads)
                var missed = 0
                for key in trace where read(key) != key { missed += 1 }
                line.missed.add(missed, ordering: .relaxed)
                group.leave()
            }
        }
        while line.arrived.load(ordering: .acquiring) < threads {}
        let start = ContinuousClock.now
        group.wait()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let missed = line.missed.load(ordering: .relaxed)
        if missed > 0 { throw Overdue(description: "\(missed) keys that are there were not found") }
        return Double(threads * Self.cacheReads) / seconds
    }

    /// Keys by Zipf's law: the n-th is asked for in proportion to 1/n.
    private func zipf(_ keys: Int, _ count: Int, seed: UInt64) -> [Int] {
        var sums: [Double] = []
        for rank in 1...keys { sums.append((sums.last ?? 0) + 1 / Double(rank)) }
        var random = SeededRandom(seed)
        return (0..<count).map { _ in
            let at = Double.random(in: 0..<(sums.last ?? 1), using: &random)
            var (low, high) = (0, keys - 1)
            while low < high {
                let middle = (low + high) / 2
                if sums[middle] < at { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }
}

/// Threads that begin at once.
private final class StartingLine: Sendable {
    let arrived = Atomic<Int>(0)
    let missed = Atomic<Int>(0)

    func wait(for threads: Int) {
        arrived.add(1, ordering: .acquiringAndReleasing)
        while arrived.load(ordering: .acquiring) < threads {}
    }
}

private final class LockedDictionary: Sendable {
    private let values: Mutex<[Int: Int]>
    init(_ keys: Int) { values = Mutex(Dictionary(uniqueKeysWithValues: (0..<keys).map { ($0, $0) })) }
    func value(_ key: Int) -> Int? { values.withLock { $0[key] } }
}
