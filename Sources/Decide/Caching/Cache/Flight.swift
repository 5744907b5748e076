internal import Synchronization

/// One load of a key that several wait for.
final class Flight<Value: Sendable>: Sendable {
    enum Landing: Sendable {
        case loaded(Value?)
        case failed(any Error)
        /// Who was loading was cancelled: somebody else has to.
        case abandoned
    }

    private struct State {
        var waiting: [Int: CheckedContinuation<Landing, any Error>] = [:]
        var cancelled: Set<Int> = []
        var next = 0
        var landing: Landing?
    }

    private let state = Mutex(State())
    private let leastVersion = Atomic<UInt64>(0)

    /// What it brings must be of at least this version, for something became known while it was under way. The highest one: nothing
    /// that it can bring.
    var least: UInt64 { leastVersion.load(ordering: .acquiring) }
    func raise(to version: UInt64) {
        // `max` of an unsigned atomic compares as if it were signed on some machines, and the highest version would be the lowest.
        var known = leastVersion.load(ordering: .acquiring)
        while known < version {
            let (isDone, now) = leastVersion.compareExchange(
                expected: known, desired: version, ordering: .acquiringAndReleasing)
            if isDone { return }
            known = now
        }
    }

    /// Waits for the landing. Who is cancelled meanwhile stops waiting; the load goes on for others.
    func wait() async throws -> Landing {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Landing, any Error>? = state.withLock { state in
                    if let landing = state.landing { return .success(landing) }
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    state.waiting[number] = continuation
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                let waiting = state.waiting.removeValue(forKey: number)
                if waiting == nil { state.cancelled.insert(number) }
                return waiting
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    /// How many wait now.
    var waiting: Int { state.withLock { $0.waiting.count } }

    func land(_ landing: Landing) {
        let waiting = state.withLock { state in
            state.landing = landing
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: landing) }
    }
}
