package import Secrets
internal import Synchronization

/// What checks a password, as the store of credentials keeps it.
package typealias PasswordVerifier = ScryptVerifier

extension ScryptVerifier {
    /// Makes one of a password, with a salt of its own.
    package init(_ password: Password, cost: ScryptCost = PasswordLimits.cost) {
        self.init(password.bytes, cost: cost)
    }

    /// Whether it is the password. It takes as long whichever byte differs.
    package func matches(_ password: Password) -> Bool { matches(password.bytes) }
}

/// Hashes the passwords of accounts.
package struct Hashing: Sendable {
    package typealias Busy = ScryptThreads.Busy
    private let threads: ScryptThreads

    package init(cost: ScryptCost = PasswordLimits.cost) {
        threads = ScryptThreads(cost: cost, threads: PasswordLimits.hashing, waiting: PasswordLimits.waiting)
    }

    /// What checks a password from now on.
    package func verifier(_ password: Password) async throws -> PasswordVerifier {
        try await threads.verifier(password.bytes)
    }

    /// Whether a verifier is of a password. Where there is none it takes as long, and it is not.
    package func matches(_ password: Password, _ verifier: PasswordVerifier?) async throws -> Bool {
        try await threads.matches(password.bytes, verifier)
    }

    /// Makes a call that blocks, as the store of credentials does, on one of its threads.
    package func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await threads.run(body)
    }
}

/// How often a wrong password is taken of each name, and from each address; or how often one may register.
///
/// An attempt counts before its password is looked at, so that many at once are not all looked at; a right one is given back.
package final class Attempts: Sendable {
    private struct Bucket {
        var left: Double
        var filled: ContinuousClock.Instant

        mutating func fill(at now: ContinuousClock.Instant, _ most: Double, _ every: Duration) {
            left = min(most, left + max(0, (now - filled) / every))
            filled = now
        }
    }
    private let most: Double
    private let every: Duration
    private let buckets = Mutex<[String: Bucket]>([:])

    /// - Parameters:
    ///   - most: Attempts at once.
    ///   - every: How often one more is taken after that.
    package init(most: Double = PasswordLimits.attempts, oneMoreEvery every: Duration = PasswordLimits.attemptEvery) {
        (self.most, self.every) = (most, every)
    }

    /// Takes an attempt of each.
    ///
    /// - Returns: nil where there was one of all; else after how long there will be, and nothing is taken.
    package func take(_ names: [String], at now: ContinuousClock.Instant = .now) -> Duration? {
        buckets.withLock { buckets in
            makeRoom(&buckets, at: now)
            var wait: Duration?
            for name in names {
                buckets[name, default: Bucket(left: most, filled: now)].fill(at: now, most, every)
                let left = buckets[name]?.left ?? 0
                if left < 1 { wait = max(wait ?? .zero, every * (1 - left)) }
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
            bucket.fill(at: now, most, every)
            if bucket.left >= most { buckets[name] = nil }
        }
        // Everybody is wrong: those who were so least go, or who guesses would begin anew by naming many.
        if buckets.count >= PasswordLimits.remembered {
            for (name, _) in buckets.sorted(by: { $0.value.left > $1.value.left }).prefix(buckets.count / 2) {
                buckets[name] = nil
            }
        }
    }
}
