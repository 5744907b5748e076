internal import JSONText
internal import MillraceBus

/// Keys by their names, and who is let in no more: a JSON Web Key Set (RFC 7517) with one member of our own.
///
/// ```json
/// {"keys":[{"kty":"OKP","crv":"Ed25519","kid":"2026-11","x":"...","d":"..."}],
///  "denied":{"tokens":["a token's jti"],"subjects":["ann"]}}
/// ```
package struct KeySet: Sendable {
    /// In the order of the file.
    package let keys: [TokenKey]
    /// Tokens that are not taken any more, by their `jti`.
    package let deniedTokens: Set<String>
    /// Subjects whose tokens are not taken any more.
    package let deniedSubjects: Set<String>
    /// Whether it has what makes tokens: it is to be read by its owner alone.
    package let isSecret: Bool
    private let json: JSONValue

    /// - Throws: ``KeyRefusal`` where the text is no set of keys, or has none that checks tokens.
    package init(_ text: String) throws(KeyRefusal) {
        guard let json = JSONValue(Array(text.utf8)[...]), case .object(let members) = json,
            case .list(let all)? = json["keys"], Set(members.map(\.name)).count == members.count
        else { throw KeyRefusal("it is no JSON Web Key Set: {\"keys\":[...]}, with each member once") }
        if all.count > TokenLimits.keys { throw KeyRefusal("it has over \(TokenLimits.keys) keys") }
        var keys: [TokenKey] = []
        for one in all {
            guard let key = try TokenKey(one) else { continue }
            if keys.contains(where: { $0.name == key.name }) { throw KeyRefusal("it has two keys named \(key.name)") }
            keys.append(key)
        }
        if keys.isEmpty {
            throw KeyRefusal("it has no key that checks tokens: of \"kty\" OKP with \"crv\" Ed25519, or of \"kty\" oct")
        }
        (self.keys, self.json) = (keys, json)
        isSecret = all.contains { $0["d"] != nil || $0["k"] != nil }
        deniedTokens = try Self.names(json["denied"], "tokens")
        deniedSubjects = try Self.names(json["denied"], "subjects")
    }

    private static func names(_ denied: JSONValue?, _ member: String) throws(KeyRefusal) -> Set<String> {
        guard let denied else { return [] }
        // A slip here would let somebody in: so nothing else may stand there.
        guard case .object(let members) = denied, members.allSatisfy({ ["tokens", "subjects"].contains($0.name) })
        else {
            throw KeyRefusal("\"denied\" must be {\"tokens\":[...],\"subjects\":[...]}, and have nothing else")
        }
        guard let value = denied[member] else { return [] }
        guard case .list(let values) = value, values.count <= TokenLimits.denied else {
            throw KeyRefusal("\"denied\" must have at most \(TokenLimits.denied) names in a list of \"\(member)\"")
        }
        var names: Set<String> = []
        for value in values {
            guard case .text(let name) = value else {
                throw KeyRefusal("\"denied\" has a name in \"\(member)\" that is no text")
            }
            names.insert(name)
        }
        return names
    }

    package func key(named name: String) -> TokenKey? { keys.first { $0.name == name } }

    /// A set with one new key.
    package static func made(_ name: String, _ algorithm: TokenAlgorithm) throws(KeyRefusal) -> KeySet {
        let keys = JSONValue.Member(name: "keys", value: .list([TokenKey.made(name, algorithm)]))
        return try KeySet(JSON.value(.object([keys])))
    }

    /// With a new key behind the others: tokens are made with it from now on, and those of the others still hold.
    package func adding(_ name: String, _ algorithm: TokenAlgorithm) throws(KeyRefusal) -> KeySet {
        if key(named: name) != nil { throw KeyRefusal("it has a key named \(name) already") }
        return try changed { $0 + [TokenKey.made(name, algorithm)] }
    }

    /// What checks tokens and makes none. Secret keys have nothing that may be shown.
    ///
    /// - Returns: nil where it has secret keys only.
    package func opened() throws(KeyRefusal) -> KeySet? {
        let open = keys.filter { $0.algorithm == .edDSA }.map(\.name)
        if open.isEmpty { return nil }
        return try changed { all in
            all.filter { key in open.contains { key["kid"] == .text($0) } }.map { key in
                guard case .object(let members) = key else { return key }
                return .object(members.filter { $0.name != "d" })
            }
        }
    }

    private func changed(_ change: ([JSONValue]) -> [JSONValue]) throws(KeyRefusal) -> KeySet {
        guard case .object(var members) = json, let i = members.lastIndex(where: { $0.name == "keys" }),
            case .list(let all) = members[i].value
        else { preconditionFailure("it was read as a set of keys") }
        members[i].value = .list(change(all))
        return try KeySet(JSON.value(.object(members)))
    }

    /// As a file has it, a key a line.
    package var text: String {
        guard case .object(let members) = json else { preconditionFailure("it was read as a set of keys") }
        let lines = members.map { member in
            guard member.name == "keys", case .list(let keys) = member.value else {
                return "\(JSON.string(member.name)):\(JSON.value(member.value))"
            }
            return "\"keys\":[\n" + keys.map { "  \(JSON.value($0))" }.joined(separator: ",\n") + "\n]"
        }
        return "{" + lines.joined(separator: ",\n") + "}\n"
    }
}
