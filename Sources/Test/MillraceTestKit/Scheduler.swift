internal import EventModel

/// Decides who goes on, and what time it is: the only source of order in a simulation.
final class Scheduler: @unchecked Sendable {
    // All of a simulation runs on one thread, see OneThread.
    /// When a process that waits may go on.
    enum Wake {
        case soon
        /// When the log has changed since, or at a moment.
        case change(since: Int, until: Timestamp)
    }
    private struct Parked {
        let process: Process
        let what: String
        let wake: Wake
        let continuation: CheckedContinuation<Void, any Error>
    }

    let executor = OneThread()
    private(set) var now: Timestamp
    /// How often the log has changed.
    private(set) var version = 0
    /// What the choice of the moment is drawn from.
    var random = SeededRandom(0)
    /// The most records that a process is given at once.
    var mostRecords = 4
    private(set) var picks = 0
    private var parked: [Parked] = []
    private var line = 0
    /// The lines of the trace, where they are wanted.
    private(set) var trace: [String]?

    init(now: Timestamp, tracing: Bool) {
        self.now = now
        trace = tracing ? [] : nil
    }

    func note(_ what: @autoclosure () -> String) {
        if trace != nil { trace?.append("\(now.rawValue) \(what())") }
    }

    func changed() { version += 1 }
    func pass(_ time: Duration) { now = now + time }

    func park(_ process: Process, _ what: String, until wake: Wake) async throws {
        try await withCheckedThrowingContinuation { continuation in
            parked.append(Parked(process: process, what: what, wake: wake, continuation: continuation))
        }
    }

    private func isReady(_ parked: Parked) -> Bool {
        if parked.process.isStalled { return false }
        if parked.process.isStopping { return true }
        switch parked.wake {
        case .soon: return true
        case .change(let since, let until): return since != version || until <= now
        }
    }

    /// Lets one of those who are ready go on; false where nobody is.
    func pick() -> Bool {
        let ready = parked.indices.filter { isReady(parked[$0]) }
        guard let i = ready.randomElement(using: &random) else { return false }
        let one = parked.remove(at: i)
        picks += 1
        pass(.milliseconds(1))
        note("\(one.process.name) \(one.what)")
        one.continuation.resume()
        executor.drain()
        return true
    }

    /// Lets time pass until somebody is ready; false where all are stalled or gone.
    func idle() -> Bool {
        let moments = parked.compactMap { parked -> Timestamp? in
            guard !parked.process.isStalled, case .change(_, let until) = parked.wake else { return nil }
            return until
        }
        guard let first = moments.min() else { return false }
        now = max(now, first)
        return true
    }

    /// Lets time pass until all who wait for a moment have reached theirs.
    func idleAll() {
        for case .change(_, let until) in parked.map(\.wake) { now = max(now, until) }
    }

    /// Has a process go on at once, with an error.
    func wake(_ process: Process, throwing error: any Error) {
        let its = parked.filter { $0.process === process }
        parked.removeAll { $0.process === process }
        for one in its { one.continuation.resume(throwing: error) }
        executor.drain()
    }
}
