internal import Dispatch
public import EventModel
internal import Synchronization

/// Lets many tasks wait, with a deadline, until something has changed: in some partitions, or anywhere.
public final class Signal: Sendable {
    private struct Waiter {
        var continuation: CheckedContinuation<Void, Never>
        var deadline: ContinuousClock.Instant
        /// Nil is any.
        var partitions: Set<TopicPartition>?
    }
    private struct State {
        var version: UInt64 = 0
        var nextID: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
        /// When the next deadline is looked for. An alarm that was set earlier for a later moment is ignored.
        var alarm: ContinuousClock.Instant?
        var alarms: UInt64 = 0

        mutating func take(where holds: (Waiter) -> Bool) -> [Waiter] {
            if waiters.isEmpty { return [] }
            let taken = waiters.filter { holds($0.value) }
            for id in taken.keys { waiters[id] = nil }
            return Array(taken.values)
        }

        /// The number of the alarm that is needed for a deadline; nil where one comes before it.
        mutating func setAlarm(_ deadline: ContinuousClock.Instant) -> UInt64? {
            if let alarm, alarm <= deadline { return nil }
            alarm = deadline
            alarms += 1
            return alarms
        }
    }
    private let state = Mutex(State())
    private static let clock = DispatchQueue(label: "millrace.deadlines")

    public init() {}

    /// Counts the changes so far. Read it before looking, and wait past it.
    public var version: UInt64 { state.withLock(\.version) }

    /// How many wait.
    public var waiting: Int { state.withLock(\.waiters.count) }

    /// Wakes those who wait for one of these partitions; nil where anything may have changed.
    public func notify(_ partitions: [TopicPartition]? = nil) {
        let woken = state.withLock { state in
            state.version += 1
            return state.take { waiter in
                guard let partitions, let awaited = waiter.partitions else { return true }
                return partitions.contains { awaited.contains($0) }
            }
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    /// Returns when something has changed since `version`, when the time is over, or when the task is cancelled.
    ///
    /// - Parameter partitions: A change elsewhere does not end the wait, though it may keep it from beginning.
    public func wait(past version: UInt64, atMost limit: Duration, in partitions: Set<TopicPartition>? = nil) async {
        if limit <= .zero { return }
        let deadline = ContinuousClock.now + limit
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (now, alarm) = state.withLock { state -> (Bool, UInt64?) in
                    if state.version != version || Task.isCancelled { return (true, nil) }
                    state.waiters[id] = Waiter(continuation: continuation, deadline: deadline, partitions: partitions)
                    return (false, state.setAlarm(deadline))
                }
                if now { continuation.resume() }
                if let alarm { wake(at: deadline, alarm) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
        }
    }

    /// Looks, and looks again after each change, until there is something, the time is over or the task is cancelled. Where
    /// nothing has changed until then, there is no last look.
    ///
    /// - Parameters:
    ///   - pause: how long to go without a look where nothing changes; asked after each look.
    ///   - partitions: where a change is worth a look; nil is anywhere.
    public func first<Found>(
        within limit: Duration, pause: () -> Duration = { .seconds(3600) },
        in partitions: () -> Set<TopicPartition>? = { nil },
        _ look: () async throws -> Found?
    ) async rethrows -> Found? {
        let deadline = ContinuousClock.now + limit
        while true {
            let version = version
            if let found = try await look() { return found }
            let left = deadline - .now
            if left <= .zero || Task.isCancelled { return nil }
            let pause = pause()
            await wait(past: version, atMost: min(left, pause), in: partitions())
            if left <= pause, self.version == version, ContinuousClock.now >= deadline { return nil }
        }
    }

    private func wake(at deadline: ContinuousClock.Instant, _ alarm: UInt64) {
        let left = max(deadline - .now, .zero) / .nanoseconds(1)
        Self.clock.asyncAfter(deadline: .now() + .nanoseconds(Int(left))) { [weak self] in self?.ring(alarm) }
    }

    /// Wakes those whose time is over.
    private func ring(_ alarm: UInt64) {
        let now = ContinuousClock.now
        let (late, next) = state.withLock { state -> ([Waiter], (ContinuousClock.Instant, UInt64)?) in
            if alarm != state.alarms { return ([], nil) }
            state.alarm = nil
            let late = state.take { $0.deadline <= now }
            guard let next = state.waiters.values.map(\.deadline).min() else { return (late, nil) }
            return (late, state.setAlarm(next).map { (next, $0) })
        }
        for waiter in late { waiter.continuation.resume() }
        if let next { wake(at: next.0, next.1) }
    }
}
