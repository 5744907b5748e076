package import EventModel
internal import JSONText
internal import MillraceBus

/// A command's JSON, and the passwords that came with it and go no further.
package struct PasswordedCommand: Sendable {
    /// The field of the password that is shown, or is to hold from now on.
    package static let password = "password"
    /// The field of the one that holds until then.
    package static let oldPassword = "oldPassword"

    package private(set) var password: Password?
    package private(set) var oldPassword: Password?
    private var members: [JSONValue.Member]

    /// - Throws: ``Malformed`` where it is no JSON object. The message repeats nothing of it.
    package init(_ json: String) throws(Malformed) {
        guard case .object(let all)? = JSONValue(Array(json.utf8)[...]) else {
            throw Malformed("command", "is no JSON object")
        }
        if Set(all.map(\.name)).count < all.count { throw Malformed("command", "has a field twice") }
        members = all.filter { $0.name != Self.password && $0.name != Self.oldPassword }
        password = try Self.taken(Self.password, of: all)
        oldPassword = try Self.taken(Self.oldPassword, of: all)
    }

    private static func taken(_ field: String, of members: [JSONValue.Member]) throws(Malformed) -> Password? {
        guard let member = members.first(where: { $0.name == field }) else { return nil }
        guard case .text(let text) = member.value else { throw Malformed(field, "must be a text") }
        do throws(Malformed) {
            return try Password(text)
        } catch {
            throw Malformed(field, error.why)
        }
    }

    /// The command without them.
    package var json: String { JSON.value(.object(members)) }

    /// Fills in what only whoever has checked the password may say.
    package mutating func set(_ field: String, to text: String) throws(Malformed) {
        if members.contains(where: { $0.name == field }) {
            throw Malformed(field, "is said by whoever checks the password; leave it out")
        }
        members.append(JSONValue.Member(name: field, value: .text(text)))
    }
}
