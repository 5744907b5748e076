import Synchronization
import Testing

@testable import Caching

/// A log and a source that outlive the processes that use them.
private final class World: Sendable {
    struct State {
        var log: [LoggedWrite<Int, Int>] = []
        var source: [Int: (value: Int?, place: UInt64)] = [:]
        var numbers: SeededNumbers
        var applied = 0
    }
    let state: Mutex<State>
    init(seed: UInt64) { state = Mutex(State(numbers: SeededNumbers(seed: seed))) }

    struct Failed: Error {}

    /// Fails now and then, with the change on the log or without it.
    func append(_ key: Int, _ value: Int?) throws -> UInt64 {
        try state.withLock { state in
            let luck = state.numbers.next(below: 10)
            if luck == 0 { throw Failed() }
            let place = UInt64(state.log.count + 1)
            state.log.append(LoggedWrite(key, value, place: place))
            if luck == 1 { throw Failed() }
            return place
        }
    }

    /// By place, as a source has to; it may fail with some of them applied.
    func apply(_ batch: [LoggedWrite<Int, Int>]) throws {
        try state.withLock { state in
            let fails = state.numbers.next(below: 4) == 0
            for write in fails ? Array(batch.prefix(state.numbers.next(below: batch.count + 1))) : batch {
                if (state.source[write.key]?.place ?? 0) < write.place {
                    state.source[write.key] = (write.value, write.place)
                    state.applied += 1
                }
            }
            if fails { throw Failed() }
        }
    }

    func load(_ key: Int) -> Loaded<Int> {
        state.withLock { state in
            Loaded(state.source[key]?.value, version: state.source[key]?.place ?? 0)
        }
    }
    var log: [LoggedWrite<Int, Int>] { state.withLock { $0.log } }
    var source: [Int: Int] { state.withLock { $0.source.compactMapValues(\.value) } }
    /// What each key is by the log.
    var truth: [Int: Int] {
        log.reduce(into: [:]) { $0[$1.key] = $1.value }
    }
}

@Suite("Write-behind", .timeLimit(.minutes(10)))
struct WriteBehindTests {
    private typealias Node = WriteBehind<Int, Int>

    private func node(_ world: World, from applied: UInt64, capacity: Int = 3, limit: Int = 1_000) -> Node {
        var options = CacheOptions(capacity: capacity, policy: .lru)
        options.absentTTL = .seconds(1)
        let cache = Cache<Int, Int>(options, clock: { 0 }, hash: { UInt64($0) + 1 })
        let node = Node(
            cache, limit: limit, appliedThrough: applied, append: { try world.append($0, $1) },
            apply: { try world.apply($0) })
        for write in world.log where write.place > applied { node.heard(write) }
        return node
    }

    @Test
    func `who was told that a change is done reads it, through failures and kills, and the source comes to the log`()
        async throws
    {
        var (kills, evicted, unknown) = (0, 0, 0)
        for seed in UInt64(1)...400 {
            let world = World(seed: seed)
            var numbers = SeededNumbers(seed: seed &* 7)
            var running = node(world, from: 0)
            // What was said to be applied to all when a process was asked last: all that a new one knows.
            var applied: UInt64 = 0
            for step in 0..<120 {
                let key = numbers.next(below: 8)
                switch numbers.next(below: 12) {
                case 0..<4:
                    let value = numbers.next(below: 5) == 0 ? nil : step
                    do {
                        try await running.write(key, value)
                    } catch is World.Failed {
                        // It may be on the log: whoever follows it hears of it.
                        unknown += 1
                        for write in world.log.suffix(1) { running.heard(write) }
                    }
                case 4..<9:
                    let read = try await running.value(key) { world.load($0) }
                    #expect(read == world.truth[key], "seed \(seed), step \(step), key \(key)")
                case 9, 10:
                    _ = try? await running.flush(atMost: 1 + numbers.next(below: 4))
                    applied = running.appliedThrough
                default:
                    evicted += running.cache.statistics.evictions
                    running = node(world, from: applied)
                    kills += 1
                }
            }
            while running.pending > 0 { _ = try? await running.flush() }
            #expect(world.source == world.truth, "seed \(seed)")
            #expect(running.appliedThrough == UInt64(world.log.count))
        }
        #expect(kills > 2_000 && evicted > 2_000 && unknown > 1_000, "\(kills) \(evicted) \(unknown)")
    }

    @Test func `a load that began before a change is not kept, though the change was applied and evicted meanwhile`()
        async throws
    {
        let world = World(seed: 3)
        let running = node(world, from: 0)
        world.state.withLock { $0.source[1] = (10, 0) }
        let read = try await running.value(1) { key in
            let old = world.load(key)
            while (try? await running.write(key, 11)) == nil {}
            while running.pending > 0 { _ = try? await running.flush() }
            for other in 2..<8 { running.cache.set(other, to: Loaded(0, version: 1)) }
            return old
        }
        // Asked before the change: either is right.
        #expect(read == 10 || read == 11)
        #expect(try await running.value(1) { world.load($0) } == 11)
    }

    @Test func `of many changes of a key the newest is applied, and places stay behind what is not`() {
        var pending = PendingWrites<String, Int>()
        for place in UInt64(1)...100 {
            pending.logged(LoggedWrite(place % 2 == 0 ? "a" : "b", Int(place), place: place))
        }
        #expect(pending.count == 2 && pending.appliedThrough == 98)
        let first = pending.next(atMost: 1)
        #expect(first == [LoggedWrite("b", 99, place: 99)])
        pending.logged(LoggedWrite("b", 101, place: 101))
        // What is on its way has to be there before the next of the same key goes.
        let second = pending.next(atMost: 9)
        #expect(second == [LoggedWrite("a", 100, place: 100)])
        pending.applied(first)
        #expect(pending.pending("b")?.place == 101 && pending.appliedThrough == 99)
        pending.applied(second)
        let last = pending.next(atMost: 9)
        #expect(last == [LoggedWrite("b", 101, place: 101)])
        pending.failed(last)
        let again = pending.next(atMost: 9)
        #expect(again == last)
        pending.applied(last)
        #expect(pending.isEmpty && pending.appliedThrough == 101)
        // It is heard of again by who follows the log.
        let news = [99, 101, 102].map { pending.logged(LoggedWrite("b", 0, place: $0)) }
        #expect(news == [false, false, true])
    }

    @Test func `places of what was applied are forgotten beyond a bound`() {
        var pending = PendingWrites<Int, Int>(remembered: 4)
        for place in UInt64(1)...10_000 {
            pending.logged(LoggedWrite(Int(place % 100), 0, place: place))
            pending.applied(pending.next(atMost: 9))
        }
        #expect(pending.isEmpty && pending.appliedThrough == 10_000)
        let news = [(0, 10_000), (99, 9_999), (50, 9_950)].map { pending.logged(LoggedWrite($0, 0, place: $1)) }
        #expect(news == [false, false, true])
    }

    @Test func `what is heard late does not undo what is newer`() {
        var pending = PendingWrites<String, Int>()
        let news = [("a", 2), ("a", 1), ("a", 2), ("b", 1)].map { pending.logged(LoggedWrite($0, 0, place: $1)) }
        #expect(news == [true, false, false, true])
        let places = pending.next(atMost: 9).map(\.place)
        #expect(places == [1, 2])
    }

    @Test func `more changes than the source may be behind are refused, and taken when it has come after`() async throws
    {
        let world = World(seed: 5)
        let running = node(world, from: 0, limit: 2)
        for key in 1...2 { while (try? await running.write(key, key)) == nil {} }
        await #expect(throws: WriteBehindFull(limit: 2)) { try await running.write(3, 3) }
        while running.pending > 0 { _ = try? await running.flush() }
        while (try? await running.write(3, 3)) == nil {}
        #expect(running.pending == 1)
    }

    @Test func `a run brings what comes into the source, and stops when it is told to`() async throws {
        let world = World(seed: 9)
        let running = node(world, from: 0)
        let run = Task { try await running.run { _ in await Task.yield() } }
        for key in 0..<50 { while (try? await running.write(key, key)) == nil {} }
        let end = ContinuousClock.now + .seconds(300)
        while running.pending > 0, ContinuousClock.now < end { await Task.yield() }
        #expect(running.pending == 0 && world.source == world.truth)
        run.cancel()
        try await run.value
    }
}
