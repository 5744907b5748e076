/// What a token and a file of keys may be. Each limit has its name here and nowhere else.
package enum TokenLimits {
    /// Bytes of a token: with its name it fits into a cookie (RFC 6265, section 6.1).
    package static let tokenBytes = 4000
    /// Bytes of a subject, of a key's name and of a token's own identifier.
    package static let nameBytes = 200
    /// Scopes of a token.
    package static let scopes = 100
    /// How far the clocks of who makes tokens and who checks them may differ.
    package static let leeway = Duration.seconds(30)
    /// The longest that a token is made for.
    package static let longest = Duration.seconds(366 * 86_400)
    /// How long a token is made for where nothing is said.
    package static let usual = Duration.seconds(3600)
    /// Bytes of a file of keys.
    package static let fileBytes = 1_000_000
    /// Keys of a file.
    package static let keys = 100
    /// Tokens and subjects that a file denies.
    package static let denied = 10_000
    /// Bytes of a secret key for HS256, at least (RFC 7518, section 3.2).
    package static let secretBytes = 32
    /// Bytes of both halves of an Ed25519 key (RFC 8032).
    package static let ed25519Bytes = 32
}
