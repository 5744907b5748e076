package import EventModel

/// What a token says (RFC 7519, section 4).
package struct Claims: Sendable, Hashable {
    /// Whom tokens are for: `aud`. Those for others are not taken.
    package static let audience = "millrace"

    /// Who acts: `sub`.
    package var subject: String
    /// What may be done, as `tickets:send`: `scope` (RFC 8693, section 4.2).
    package var scopes: [String]
    /// Its own identifier, by which it may be denied: `jti`.
    package var id: String?
    /// From when on it holds: `nbf`.
    package var notBefore: Timestamp?
    /// Until when it holds: `exp`.
    package var expires: Timestamp

    package init(
        subject: String, scopes: [String], id: String? = nil, notBefore: Timestamp? = nil, expires: Timestamp
    ) {
        (self.subject, self.scopes, self.id) = (subject, scopes, id)
        (self.notBefore, self.expires) = (notBefore, expires)
    }

    /// Whether it is neither too early nor too late for it.
    package func holds(at now: Timestamp) -> Bool { !isOver(at: now) && !isEarly(at: now) }

    func isOver(at now: Timestamp) -> Bool { now >= expires + TokenLimits.leeway }
    func isEarly(at now: Timestamp) -> Bool { notBefore.map { now < $0 - TokenLimits.leeway } ?? false }
}

/// Why a token is not taken. It says nothing that only who made it may know.
package struct TokenRefusal: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable, CaseIterable {
        case tooLong, malformed, unknownKey, algorithm, signature, claims, audience, expired, notYet, denied
    }
    package var kind: Kind
    package var why: String
    init(_ kind: Kind, _ why: String) { (self.kind, self.why) = (kind, why) }
}
