package import EventModel
internal import JSONText
internal import MillraceBus
internal import Secrets

/// JSON Web Tokens in compact form (RFC 7515, RFC 7519), with what RFC 8725 asks of who takes them.
package enum Token {
    /// Makes a token.
    ///
    /// - Parameter now: When it is made.
    /// - Throws: ``Malformed`` where the claims could not be taken again, or the key makes none.
    package static func make(_ claims: Claims, with key: TokenKey, at now: Timestamp) throws(Malformed) -> String {
        try check(subject: claims.subject)
        if let id = claims.id { try Check.text(id, "id", atMost: TokenLimits.nameBytes) }
        if claims.scopes.count > TokenLimits.scopes { throw Malformed("scope", "is over \(TokenLimits.scopes) scopes") }
        let header = [("alg", JSON.string(key.algorithm.rawValue)), ("kid", JSON.string(key.name)), ("typ", "\"JWT\"")]
        let payload =
            [
                ("sub", JSON.string(claims.subject)), ("aud", JSON.string(Claims.audience)),
                ("scope", JSON.string(claims.scopes.joined(separator: " "))),
                ("iat", String(now.second)), ("exp", String(claims.expires.second)),
            ] + (claims.notBefore.map { [("nbf", String($0.second))] } ?? [])
            + (claims.id.map { [("jti", JSON.string($0))] } ?? [])
        let signed = [header, payload].map { UnpaddedBase64.url.text(JSON.object($0).utf8) }.joined(separator: ".")
        guard let signature = key.signature(of: Array(signed.utf8)) else {
            throw Malformed("key", "\(key.name) is the public key alone, which checks tokens and makes none")
        }
        let token = "\(signed).\(UnpaddedBase64.url.text(signature))"
        if token.utf8.count > TokenLimits.tokenBytes {
            throw Malformed("token", "would have over \(TokenLimits.tokenBytes) bytes; say fewer scopes")
        }
        return token
    }

    /// A new identifier of a token: 128 bits that nobody guesses.
    package static func newID() -> String {
        var random = SystemRandomNumberGenerator()
        return UnpaddedBase64.url.text((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    package static func check(subject: String) throws(Malformed) {
        try Check.text(subject, "subject", atMost: TokenLimits.nameBytes)
        try Check.spelling(subject, "subject")
    }
}

extension KeySet {
    /// What a token says, where one of these keys has signed it, and it holds now.
    package func claims(of token: String, at now: Timestamp) throws(TokenRefusal) -> Claims {
        let bytes = Array(token.utf8)
        if bytes.count > TokenLimits.tokenBytes {
            throw TokenRefusal(.tooLong, "the token has over \(TokenLimits.tokenBytes) bytes")
        }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Object(parts[0]), let signature = UnpaddedBase64.url.bytes(parts[2]) else {
            throw TokenRefusal(.malformed, "this is no token of three parts in base64url, header.claims.signature")
        }
        let key = try key(of: header)
        // Nothing of the claims is looked at before it is known who wrote them.
        if !key.verifies(signature, of: Array(bytes.prefix(parts[0].count + 1 + parts[1].count))) {
            throw TokenRefusal(.signature, "the token's signature is not of the key that it names")
        }
        guard let body = Object(parts[1]) else {
            throw TokenRefusal(.malformed, "the token's claims are no JSON object with each of its members once")
        }
        let claims = try Claims(body)
        try check(claims, at: now)
        return claims
    }

    /// The key that a header names. The key says by what it is checked, and the header has to agree.
    private func key(of header: Object) throws(TokenRefusal) -> TokenKey {
        if header["crit"] != nil {
            throw TokenRefusal(.malformed, "the token's header has \"crit\", and nothing of that is known here")
        }
        if let type = header["typ"] {
            guard case .text(let type) = type, ["jwt", "at+jwt", "application/at+jwt"].contains(type.lowercased())
            else {
                throw TokenRefusal(.malformed, "the token is of another \"typ\" than JWT")
            }
        }
        guard case .text(let name)? = header["kid"], let key = key(named: name) else {
            throw TokenRefusal(.unknownKey, "the token names no key (\"kid\") that is known here")
        }
        guard case .text(let algorithm)? = header["alg"], key.algorithm.names.contains(algorithm) else {
            throw TokenRefusal(.algorithm, "the token's \"alg\" is not that of the key it names")
        }
        return key
    }

    private func check(_ claims: Claims, at now: Timestamp) throws(TokenRefusal) {
        if claims.isOver(at: now) {
            throw TokenRefusal(.expired, "the token expired at \(claims.expires.rfc3339)")
        }
        if let first = claims.notBefore, claims.isEarly(at: now) {
            throw TokenRefusal(.notYet, "the token holds from \(first.rfc3339) on")
        }
        if deniedSubjects.contains(claims.subject) || claims.id.map(deniedTokens.contains) ?? false {
            throw TokenRefusal(.denied, "the token is not taken any more")
        }
    }
}

/// A part of a token that is a JSON object, each of whose members is there once.
private struct Object {
    private let json: JSONValue

    init?(_ part: ArraySlice<UInt8>) {
        guard let bytes = UnpaddedBase64.url.bytes(part), let json = JSONValue(bytes[...]),
            case .object(let members) = json,
            Set(members.map(\.name)).count == members.count
        else { return nil }
        self.json = json
    }

    subscript(name: String) -> JSONValue? { json[name] }
}

extension Claims {
    fileprivate init(_ body: Object) throws(TokenRefusal) {
        guard case .text(let subject)? = body["sub"], (try? Token.check(subject: subject)) != nil else {
            throw TokenRefusal(.claims, "the token has no \"sub\" that can be a name: who acts")
        }
        guard let expires = try Self.moment(body, "exp") else {
            throw TokenRefusal(.claims, "the token has no \"exp\": until when it holds")
        }
        self.init(
            subject: subject, scopes: try Self.scopes(body), id: try Self.id(body),
            notBefore: try Self.moment(body, "nbf"), expires: expires)
        _ = try Self.moment(body, "iat")
        let audiences: [JSONValue] = if case .list(let all)? = body["aud"] { all } else { [body["aud"] ?? .null] }
        if !audiences.contains(.text(Self.audience)) {
            throw TokenRefusal(.audience, "the token is not for \"aud\" \(Self.audience)")
        }
    }

    private static func id(_ body: Object) throws(TokenRefusal) -> String? {
        guard let value = body["jti"] else { return nil }
        guard case .text(let id) = value else { throw TokenRefusal(.claims, "the token's \"jti\" is no text") }
        return id
    }

    private static func scopes(_ body: Object) throws(TokenRefusal) -> [String] {
        guard let value = body["scope"] else { return [] }
        guard case .text(let text) = value else {
            throw TokenRefusal(.claims, "the token's \"scope\" is no text of scopes with spaces between")
        }
        let scopes = text.split(separator: " ").map(String.init)
        if scopes.count > TokenLimits.scopes {
            throw TokenRefusal(.claims, "the token has over \(TokenLimits.scopes) scopes")
        }
        return scopes
    }

    /// Seconds since 1970, with a fraction where there is one (RFC 7519, section 2).
    private static func moment(_ body: Object, _ name: String) throws(TokenRefusal) -> Timestamp? {
        guard let value = body[name] else { return nil }
        guard case .number(let text) = value, let milliseconds = DecimalText(text)?.scaled(by: 3),
            Timestamp.calendar.contains(Timestamp(milliseconds))
        else { throw TokenRefusal(.claims, "the token's \"\(name)\" is no time in seconds since 1970") }
        return Timestamp(milliseconds)
    }
}
