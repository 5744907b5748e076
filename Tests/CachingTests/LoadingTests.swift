import Synchronization
import Testing

@testable import Caching

private struct Broken: Error {}

/// Loads that end when a test says so.
private final class Gate: Sendable {
    private let state = Mutex<(waiting: [CheckedContinuation<Void, Never>], isOpen: Bool, arrived: Int)>(([], false, 0))
    var arrived: Int { state.withLock { $0.arrived } }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                state.arrived += 1
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// Waits for what must come.
private func until(_ what: String, _ condition: () -> Bool) async throws {
    // Tests that compute for minutes may have all threads on a slow machine.
    let deadline = ContinuousClock.now + .seconds(240)
    while !condition() {
        try #require(ContinuousClock.now < deadline, "waited in vain: \(what)")
        await Task.yield()
    }
}

@Suite(.timeLimit(.minutes(10)))
struct LoadingTests {
    let clock = TestClock()

    private func cache(_ set: (inout CacheOptions) -> Void = { _ in }) -> Cache<String, Int> {
        var options = CacheOptions(capacity: 100, policy: .lru)
        set(&options)
        return Cache(options, clock: clock.now)
    }

    private func waiting(_ cache: Cache<String, Int>, _ key: String) -> Int {
        cache.shard(cache.identity(key)).state.withLock { $0.flights[key]?.waiting ?? 0 }
    }

    @Test func `of many who ask at once one loads`() async throws {
        let (cache, gate, loads) = (cache(), Gate(), Counter())
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await cache.value("a") { _ in
                        loads.add()
                        await gate.pass()
                        return Loaded(7)
                    }
                }
            }
            try await until("all wait") { waiting(cache, "a") == 49 }
            gate.open()
            for try await value in group { #expect(value == 7) }
        }
        #expect(loads.count == 1 && cache.statistics.sharedLoads == 49)
    }

    @Test func `an error is told to all who wait, and the next who asks tries again`() async throws {
        let (cache, gate, loads) = (cache(), Gate(), Counter())
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do {
                        _ = try await cache.value("a") { _ in
                            loads.add()
                            await gate.pass()
                            throw Broken()
                        }
                        return false
                    } catch { return error is Broken }
                }
            }
            try? await until("all wait") { waiting(cache, "a") == 19 }
            gate.open()
            for await isBroken in group { #expect(isBroken) }
        }
        #expect(loads.count == 1)
        #expect(try await cache.value("a") { _ in Loaded(1) } == 1)
        #expect(cache.statistics.failedLoads == 1)
    }

    @Test func `after an error nobody stampedes while its time lasts`() async throws {
        let (cache, loads) = (cache { $0.failureTTL = .seconds(2) }, Counter())
        func ask() async throws -> Int? {
            try await cache.value("a") { _ in
                loads.add()
                throw Broken()
            }
        }
        for _ in 0..<5 { await #expect(throws: Broken.self) { try await ask() } }
        #expect(loads.count == 1)
        clock.set(seconds: 2)
        await #expect(throws: Broken.self) { try await ask() }
        #expect(loads.count == 2)
        // What is put in, or invalidated, ends it sooner.
        cache.set("a", to: 4)
        #expect(try await ask() == 4)
    }

    @Test func `who waits can be cancelled, and the load goes on for others`() async throws {
        let (cache, gate) = (cache(), Gate())
        let load: @Sendable (String) async throws -> Loaded<Int> = { _ in
            await gate.pass()
            return Loaded(7)
        }
        let leader = Task { try await cache.value("a", load: load) }
        try await until("one loads") { gate.arrived == 1 }
        let waiter = Task { try await cache.value("a", load: load) }
        try await until("one waits") { waiting(cache, "a") == 1 }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        gate.open()
        #expect(try await leader.value == 7 && cache.value("a") == 7)
    }

    @Test func `where the one who loads is cancelled, another loads`() async throws {
        let (cache, loads) = (cache(), Counter())
        let load: @Sendable (String) async throws -> Loaded<Int> = { _ in
            if loads.add() == 1 {
                // As long as nobody cancels.
                try await Task.sleep(for: .seconds(3_600))
            }
            return Loaded(9)
        }
        let leader = Task { try await cache.value("a", load: load) }
        try await until("one loads") { loads.count == 1 }
        let waiter = Task { try await cache.value("a", load: load) }
        try await until("one waits") { waiting(cache, "a") == 1 }
        leader.cancel()
        await #expect(throws: CancellationError.self) { try await leader.value }
        #expect(try await waiter.value == 9)
        #expect(cache.value("a") == 9 && loads.count == 2)
    }

    @Test func `who asks after an invalidation is not given what was loaded before`() async throws {
        let (cache, gate) = (cache(), Gate())
        let old = Task {
            try await cache.value("a") { _ in
                await gate.pass()
                return Loaded(1)
            }
        }
        try await until("one loads") { gate.arrived == 1 }
        cache.invalidate("a")
        #expect(try await cache.value("a") { _ in Loaded(2) } == 2)
        gate.open()
        #expect(try await old.value == 1)
        #expect(cache.value("a") == 2)
    }

    @Test func `a load that began before a write does not undo it`() async throws {
        let (cache, gate) = (cache(), Gate())
        let old = Task {
            try await cache.value("a") { _ in
                await gate.pass()
                return Loaded(1)
            }
        }
        try await until("one loads") { gate.arrived == 1 }
        cache.set("a", to: 2)
        gate.open()
        _ = try await old.value
        #expect(cache.value("a") == 2 && cache.statistics.staleFills == 1)
    }
}
