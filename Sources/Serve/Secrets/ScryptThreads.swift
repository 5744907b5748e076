internal import Dispatch
internal import Synchronization

/// Hashes passwords, few at once: each takes as much memory as a cache of pages, and a processor for a good part of a second.
package final class ScryptThreads: Sendable {
    /// Too many wait already.
    package struct Busy: Error, Sendable {}

    private let cost: ScryptCost
    private let queues: [DispatchQueue]
    /// Passwords that may wait at once.
    private let limit: Int
    private let waiting: Mutex<[Int]>
    private let nothing: ScryptVerifier

    /// - Parameters:
    ///   - count: Passwords that are hashed at once.
    ///   - limit: Passwords that may wait for it, those among them.
    package init(cost: ScryptCost, threads count: Int, waiting limit: Int) {
        (self.cost, self.limit) = (cost, limit)
        queues = (0..<count).map { DispatchQueue(label: "passwords.\($0)") }
        waiting = Mutex(Array(repeating: 0, count: count))
        nothing = ScryptVerifier(matchingNothing: cost)
    }

    /// What checks a password from now on.
    package func verifier(_ password: [UInt8], salt: [UInt8]? = nil) async throws -> ScryptVerifier {
        try await run { [cost] in ScryptVerifier(password, cost: cost, salt: salt) }
    }

    /// Whether a verifier is of a password. Where there is none it takes as long, and it is not.
    package func matches(_ password: [UInt8], _ verifier: ScryptVerifier?) async throws -> Bool {
        let asked = verifier ?? nothing
        let isRight = try await run { asked.matches(password) }
        return isRight && verifier != nil
    }

    /// Makes a call that blocks on one of its threads.
    package func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        let lane = waiting.withLock { waiting -> Int? in
            if waiting.reduce(0, +) >= limit { return nil }
            let lane = waiting.indices.min { waiting[$0] < waiting[$1] } ?? 0
            waiting[lane] += 1
            return lane
        }
        guard let lane else { throw Busy() }
        return try await withCheckedThrowingContinuation { continuation in
            queues[lane].async { [self] in
                let result = Result(catching: body)
                waiting.withLock { $0[lane] -= 1 }
                continuation.resume(with: result)
            }
        }
    }
}
