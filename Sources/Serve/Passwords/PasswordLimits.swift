package import Secrets

/// What a password and a store of credentials may be. Each limit has its name here and nowhere else.
package enum PasswordLimits {
    /// Characters of a password at least (NIST SP 800-63B-4, section 3.1.1.2, for one that is shown with nothing beside it
    /// says 15 and allows 8).
    package static let shortest = 8
    /// Bytes of a password at most.
    package static let bytes = 1024
    /// What a password is hashed with: OWASP's Password Storage Cheat Sheet, scrypt with N = 2^17 (128 MiB), r = 8, p = 1.
    package static let cost = ScryptCost(log2N: 17, r: 8, p: 1)
    /// Passwords that are hashed at once; each takes 128 MiB.
    package static let hashing = 2
    /// Passwords that wait for it.
    package static let waiting = 32
    /// Wrong passwords of a name, and from an address, that are taken at once.
    package static let attempts = 10.0
    /// How often one more is taken after that.
    package static let attemptEvery = Duration.seconds(30)
    /// Names and addresses whose attempts are remembered at once.
    package static let remembered = 10_000
    /// How long the store of credentials is waited for where another process writes to it.
    package static let storeWait = Duration.seconds(5)
    /// A credential that no account names is kept so long: the command that sets it may still be on its way.
    package static let orphan = Duration.seconds(86_400)
}
