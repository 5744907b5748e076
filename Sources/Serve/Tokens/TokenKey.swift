internal import JSONText
internal import Secrets

/// What a key signs with. A key is for one of them and checks no other, whatever a token says of itself.
package enum TokenAlgorithm: String, Sendable, CaseIterable {
    /// HMAC with SHA-256: who checks tokens can make them too (RFC 7518, section 3.2).
    case hs256 = "HS256"
    /// Ed25519: who checks tokens needs the public key only (RFC 8037, section 3.1).
    case edDSA = "EdDSA"

    /// The names that it has in a token's header: RFC 9864 has a second for the second.
    var names: [String] { self == .edDSA ? ["EdDSA", "Ed25519"] : [rawValue] }
}

/// A key with its name: one of a JSON Web Key Set (RFC 7517).
package struct TokenKey: Sendable {
    /// Its `kid`, which tokens name it by.
    package let name: String
    package var algorithm: TokenAlgorithm { if case .hmac = material { .hs256 } else { .edDSA } }
    private enum Material: Sendable {
        case hmac(HMACKey)
        case ed25519(Ed25519Key)
    }
    private let material: Material

    /// Whether it makes tokens, and does not only check them.
    package var canSign: Bool { if case .ed25519(let key) = material { key.canSign } else { true } }

    func signature(of message: [UInt8]) -> [UInt8]? {
        switch material {
        case .hmac(let key): key.code(of: message)
        case .ed25519(let key): key.signature(of: message)
        }
    }

    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        switch material {
        case .hmac(let key): key.verifies(signature, of: message)
        case .ed25519(let key): key.verifies(signature, of: message)
        }
    }

    /// A key as a set has it.
    ///
    /// - Returns: nil for a key of another kind, or for another use: it is none of ours.
    init?(_ json: JSONValue) throws(KeyRefusal) {
        guard case .object(let members) = json, let kind = json["kty"]?.plain else {
            throw KeyRefusal("a key is no object with \"kty\"")
        }
        if Set(members.map(\.name)).count < members.count { throw KeyRefusal("a key has a member twice") }
        if kind != "oct", kind != "OKP" || json["crv"]?.plain != "Ed25519" { return nil }
        if let use = json["use"], use != .text("sig") { return nil }
        guard case .text(let name)? = json["kid"], !name.isEmpty, name.utf8.count <= TokenLimits.nameBytes else {
            throw KeyRefusal(
                "a key has no \"kid\": the name, of 1 to \(TokenLimits.nameBytes) bytes, that tokens name it by")
        }
        self.name = name
        material = kind == "oct" ? try Self.secret(json, name) : try Self.pair(json, name)
        if let said = json["alg"], !algorithm.names.contains(where: { said == .text($0) }) {
            throw KeyRefusal(
                "the key \(name) is for another \"alg\" than \(algorithm.rawValue), which its \"kty\" is for")
        }
    }

    private static func secret(_ json: JSONValue, _ name: String) throws(KeyRefusal) -> Material {
        guard let secret = try bytes(json, "k", name) else { throw KeyRefusal("the key \(name) has no \"k\"") }
        if secret.count < TokenLimits.secretBytes {
            throw KeyRefusal(
                "the key \(name) has \(secret.count) bytes, HS256 needs at least \(TokenLimits.secretBytes)")
        }
        return .hmac(HMACKey(secret: secret))
    }

    private static func pair(_ json: JSONValue, _ name: String) throws(KeyRefusal) -> Material {
        guard let half = try bytes(json, "x", name), let open = Ed25519Key(public: half) else {
            throw KeyRefusal("the key \(name) has no \"x\" of \(TokenLimits.ed25519Bytes) bytes, the public key")
        }
        guard let seed = try bytes(json, "d", name) else { return .ed25519(open) }
        guard let whole = Ed25519Key(private: seed), whole.publicBytes == half else {
            throw KeyRefusal("the key \(name) has a \"d\", the private key, that is not the other half of its \"x\"")
        }
        return .ed25519(whole)
    }

    private static func bytes(_ json: JSONValue, _ member: String, _ name: String) throws(KeyRefusal) -> [UInt8]? {
        guard let value = json[member] else { return nil }
        guard case .text(let text) = value, let bytes = UnpaddedBase64.url.bytes(Array(text.utf8)) else {
            throw KeyRefusal("the key \(name) has a \"\(member)\" that is not base64url")
        }
        return bytes
    }

    /// A new key as a set has it.
    static func made(_ name: String, _ algorithm: TokenAlgorithm) -> JSONValue {
        var random = SystemRandomNumberGenerator()
        let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        var members: [(String, String)] = [("kid", name), ("use", "sig"), ("alg", algorithm.rawValue)]
        switch algorithm {
        case .hs256: members += [("kty", "oct"), ("k", UnpaddedBase64.url.text(secret))]
        case .edDSA:
            guard let pair = Ed25519Key(private: secret) else { preconditionFailure("any 32 bytes are a private key") }
            members += [
                ("kty", "OKP"), ("crv", "Ed25519"), ("x", UnpaddedBase64.url.text(pair.publicBytes)),
                ("d", UnpaddedBase64.url.text(secret)),
            ]
        }
        return .object(members.map { JSONValue.Member(name: $0.0, value: .text($0.1)) })
    }
}

/// What is wrong with a file of keys.
package struct KeyRefusal: Error, Sendable, Hashable {
    package var why: String
    init(_ why: String) { self.why = why }
}
