package import EventModel

/// A password that somebody has shown. It has no description, so that it stands in no message.
package struct Password: Sendable {
    /// In Unicode's composed form: keyboards differ in how they write one letter (RFC 8265, section 4.2).
    let bytes: [UInt8]
    private let characters: Int

    /// - Throws: ``Malformed`` where it is empty or too long. The message does not repeat it.
    package init(_ text: String) throws(Malformed) {
        if text.isEmpty { throw Malformed("password", "is missing") }
        let composed = Check.composed(text)
        if composed.utf8.count > PasswordLimits.bytes {
            throw Malformed("password", "has over \(PasswordLimits.bytes) bytes")
        }
        if composed.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw Malformed("password", "has a control character")
        }
        (bytes, characters) = (Array(composed.utf8), composed.count)
    }

    /// Refuses what may not become somebody's password.
    package func checkNew(of user: String) throws(Malformed) {
        if characters < PasswordLimits.shortest {
            throw Malformed("password", "is too short; take at least \(PasswordLimits.shortest) characters")
        }
        if String(decoding: bytes, as: UTF8.self).lowercased().hasPrefix(user.lowercased()),
            characters <= user.count + 3
        {
            throw Malformed("password", "is the user's name; take another")
        }
        if Set(bytes).count < 3 { throw Malformed("password", "is one letter again and again; take another") }
    }
}

extension Password: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "a password" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
