internal import Dispatch
internal import Synchronization

/// Threads for calls that block: each makes one after another, and a call goes to the one that has the least to do.
///
/// GRDB's own way from a task to a connection and back changes threads three times; this one does twice.
final class BlockingPool: Sendable {
    private let queues: [DispatchQueue]
    private let waiting: Mutex<[Int]>

    init(_ label: String, count: Int) {
        queues = (0..<count).map { DispatchQueue(label: "\(label).\($0)") }
        waiting = Mutex(Array(repeating: 0, count: count))
    }

    func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try Task.checkCancellation()
        let lane = waiting.withLock { waiting in
            let lane = waiting.indices.min { waiting[$0] < waiting[$1] } ?? 0
            waiting[lane] += 1
            return lane
        }
        return try await withCheckedThrowingContinuation { continuation in
            queues[lane].async { [self] in
                let result = Result(catching: body)
                waiting.withLock { $0[lane] -= 1 }
                continuation.resume(with: result)
            }
        }
    }
}
