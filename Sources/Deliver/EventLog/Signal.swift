internal import Synchronization

/// Lets many tasks wait, with a deadline, until something has changed.
public final class Signal: Sendable {
    private struct State {
        var version: UInt64 = 0
        var nextID: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }
    private let state = Mutex(State())

    public init() {}

    /// Counts the changes so far. Read it before looking, and wait past it.
    public var version: UInt64 { state.withLock(\.version) }

    public func notify() {
        let waiters = state.withLock { state in
            state.version += 1
            defer { state.waiters = [:] }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when something has changed since `version`, when the time is over, or when the task is cancelled.
    public func wait(past version: UInt64, atMost limit: Duration) async {
        if self.version != version || limit <= .zero { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.change(past: version) }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Looks, and looks again after each change, until there is something, the time is over or the task is cancelled.
    ///
    /// - Parameter pause: how long to go without a look where nothing changes.
    public func first<Found>(
        within limit: Duration, pause: Duration = .seconds(3600), _ look: () async throws -> Found?
    ) async rethrows -> Found? {
        let deadline = ContinuousClock.now + limit
        while true {
            let version = version
            if let found = try await look() { return found }
            let left = deadline - .now
            if left <= .zero || Task.isCancelled { return nil }
            await wait(past: version, atMost: min(left, pause))
        }
    }

    private func change(past version: UInt64) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    if state.version != version || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
