internal import EventLog
internal import EventModel

/// One life of a worker, from its start until it stops, fails or is killed.
final class Process: @unchecked Sendable {
    // All of a simulation runs on one thread, see OneThread.
    let name: String
    unowned let scheduler: Scheduler
    private(set) var isDead = false
    var isStalled = false
    var isStopping = false
    /// What its next commit meets.
    var fault: Fault?
    /// Whether it was dealt a fault that ends it.
    var isExcused = false
    /// How far its machine's clock is ahead, in milliseconds.
    var skew: Int64 = 0
    var memberships: [SimulatedMember] = []
    private(set) var ended: Result<Void, any Error>?
    private(set) var task: Task<Void, Never>?

    init(_ name: String, _ scheduler: Scheduler) {
        self.name = name
        self.scheduler = scheduler
    }

    var isRunning: Bool { ended == nil && !isDead }

    func start(_ run: @escaping @Sendable () async throws -> Void) {
        task = Task(executorPreference: scheduler.executor) { [self] in
            do {
                try await pause("start")
                try await run()
                ended = .success(())
            } catch {
                ended = .failure(error)
            }
        }
    }

    /// Where another may go first, and where this one may be killed.
    func pause(_ what: @autoclosure () -> String, until wake: Scheduler.Wake = .soon) async throws {
        if isDead { throw Killed() }
        try await scheduler.park(self, what(), until: wake)
    }

    /// Takes the fault that was dealt to it.
    func takeFault() -> Fault? {
        defer { fault = nil }
        if let fault { scheduler.note("\(name) meets \(fault.rawValue)") }
        return fault
    }

    /// Its memory is gone, and it does nothing more, wherever it was.
    func kill() {
        isDead = true
        scheduler.wake(self, throwing: Killed())
    }

    /// It is to finish what it has in hand.
    func stop() {
        isStopping = true
        task?.cancel()
    }
}

/// What a killed worker's calls come back with, so that its task ends; it can do nothing about it.
struct Killed: Error {}

/// What may happen to a commit.
public enum Fault: String, Sendable, Hashable, CaseIterable {
    /// The log gives the transaction up; nothing of it is there.
    case aborted
    /// It is there, but the worker is told that the log, or the view store, does not answer.
    case unknown
    /// The view store, or the log, does not answer; nothing is there.
    case unreachable
}
