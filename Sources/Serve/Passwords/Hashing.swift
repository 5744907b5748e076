internal import Dispatch
internal import Synchronization

/// Hashes passwords, few at once: each takes as much memory as a cache of pages, and a processor for a good part of a second.
package final class Hashing: Sendable {
    /// Too many wait already.
    package struct Busy: Error, Sendable {}

    private let cost: ScryptCost
    private let queues: [DispatchQueue]
    private let waiting: Mutex<[Int]>
    private let nothing: PasswordVerifier

    package init(cost: ScryptCost = PasswordLimits.cost) {
        self.cost = cost
        queues = (0..<PasswordLimits.hashing).map { DispatchQueue(label: "passwords.\($0)") }
        waiting = Mutex(Array(repeating: 0, count: PasswordLimits.hashing))
        nothing = PasswordVerifier(matchingNothing: cost)
    }

    /// What checks a password from now on.
    package func verifier(_ password: Password) async throws -> PasswordVerifier {
        try await run { [cost] in PasswordVerifier(password, cost: cost) }
    }

    /// Whether a verifier is of a password. Where there is none it takes as long, and it is not.
    package func matches(_ password: Password, _ verifier: PasswordVerifier?) async throws -> Bool {
        let asked = verifier ?? nothing
        let isRight = try await run { asked.matches(password) }
        return isRight && verifier != nil
    }

    /// Makes a call that blocks, as the store of credentials does, on one of its threads.
    package func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        let lane = waiting.withLock { waiting -> Int? in
            if waiting.reduce(0, +) >= PasswordLimits.waiting { return nil }
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

/// How often a wrong password is taken of each name, and from each address.
///
/// An attempt counts before its password is looked at, so that many at once are not all looked at; a right one is given back.
package final class Attempts: Sendable {
    private struct Bucket {
        var left: Double
        var filled: ContinuousClock.Instant

        mutating func fill(at now: ContinuousClock.Instant) {
            left = min(PasswordLimits.attempts, left + max(0, (now - filled) / PasswordLimits.attemptEvery))
            filled = now
        }
    }
    private let buckets = Mutex<[String: Bucket]>([:])

    package init() {}

    /// Takes an attempt of each.
    ///
    /// - Returns: nil where there was one of all; else after how long there will be, and nothing is taken.
    package func take(_ names: [String], at now: ContinuousClock.Instant = .now) -> Duration? {
        buckets.withLock { buckets in
            makeRoom(&buckets, at: now)
            var wait: Duration?
            for name in names {
                buckets[name, default: Bucket(left: PasswordLimits.attempts, filled: now)].fill(at: now)
                let left = buckets[name]?.left ?? 0
                if left < 1 { wait = max(wait ?? .zero, PasswordLimits.attemptEvery * (1 - left)) }
            }
            if wait == nil { for name in names { buckets[name]?.left -= 1 } }
            return wait
        }
    }

    /// Gives back what was no wrong password.
    package func giveBack(_ names: [String]) {
        buckets.withLock { buckets in
            for name in names { buckets[name]?.left += 1 }
        }
    }

    private func makeRoom(_ buckets: inout [String: Bucket], at now: ContinuousClock.Instant) {
        if buckets.count < PasswordLimits.remembered { return }
        for (name, var bucket) in buckets {
            bucket.fill(at: now)
            if bucket.left >= PasswordLimits.attempts { buckets[name] = nil }
        }
        // Everybody is wrong: those who were so least go, or who guesses would begin anew by naming many.
        if buckets.count >= PasswordLimits.remembered {
            for (name, _) in buckets.sorted(by: { $0.value.left > $1.value.left }).prefix(buckets.count / 2) {
                buckets[name] = nil
            }
        }
    }
}
