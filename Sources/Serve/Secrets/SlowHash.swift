/// A salted hash of a password that guards little, as text: what checks it may be kept where the log is.
package enum SlowHash {
    /// N = 2^14, 16 MiB.
    private static let cost = ScryptCost(log2N: 14, r: 8, p: 1)
    /// At most 32 passwords wait.
    private static let threads = ScryptThreads(cost: cost, threads: 1, waiting: 32)

    /// Makes the hash of a password, with a salt of its own.
    ///
    /// - Parameter seed: What the salt follows from, which must be nobody else's; nil is a salt by chance.
    /// - Throws: ``ScryptThreads/Busy``.
    package static func make(_ password: String, saltOf seed: String? = nil) async throws -> String {
        let salt = seed.map { KeyedHash(key: Array("a salt".utf8)).bytes(of: $0) }
        return try await threads.verifier(Array(password.utf8), salt: salt).text
    }

    /// Whether a text is a hash that is looked at. One that costs more than those that are made here is none: whoever gives it would have this
    /// process spend all its time and memory on others' guesses.
    package static func isOne(_ text: String) -> Bool { verifier(text) != nil }

    private static func verifier(_ text: String) -> ScryptVerifier? {
        guard let verifier = ScryptVerifier(text), verifier.cost.work <= cost.work else { return nil }
        return verifier
    }

    /// Whether a hash is of a password.
    ///
    /// - Throws: ``ScryptThreads/Busy``.
    package static func matches(_ password: String, _ text: String) async throws -> Bool {
        try await threads.matches(Array(password.utf8), verifier(text))
    }
}
