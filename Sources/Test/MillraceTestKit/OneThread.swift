internal import Synchronization

/// Runs the jobs of all its tasks on whichever one thread calls ``drain()``, in the order in which they became ready.
///
/// A task that was made with this as its preferred executor comes back to it after everything it awaits, so nothing runs
/// while nobody drains.
final class OneThread: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Runs what is ready, and what that makes ready, until all tasks wait for something.
    func drain() {
        while true {
            let ready = jobs.withLock { jobs in
                defer { jobs = [] }
                return jobs
            }
            if ready.isEmpty { return }
            for job in ready { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }

    /// Does something that waits for nobody but itself.
    func now<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
        let result = Mutex<Result<R, any Error>?>(nil)
        let box = Box(result)
        Task(executorPreference: self) {
            let done: Result<R, any Error>
            do { done = .success(try await body()) } catch { done = .failure(error) }
            box.value.withLock { $0 = done }
        }
        drain()
        guard let done = box.value.withLock({ $0 }) else {
            preconditionFailure("what the simulation does between two steps may not wait for a step")
        }
        return try done.get()
    }

    private final class Box<R: Sendable>: Sendable {
        let value: Mutex<Result<R, any Error>?>
        init(_ value: consuming sending Mutex<Result<R, any Error>?>) { self.value = value }
    }
}
