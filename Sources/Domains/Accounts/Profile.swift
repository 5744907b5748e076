internal import EventModel
internal import SwiftProtobuf

/// What somebody says of themselves.
struct Profile: Hashable, Codable, Sendable {
    var firstName = ""
    var lastName = ""
    var location = ""
    var interests: [String] = []
    var about = ""

    func check() throws(Malformed) {
        try text(firstName, "firstName", atMost: AccountsLimits.name)
        try text(lastName, "lastName", atMost: AccountsLimits.name)
        try text(location, "location", atMost: AccountsLimits.location)
        try text(about, "about", atMost: AccountsLimits.about)
        if interests.count > AccountsLimits.interests {
            throw Malformed("interests", "are \(interests.count), at most \(AccountsLimits.interests) are allowed")
        }
        for (i, interest) in interests.enumerated() {
            let field = "interests[\(i)]"
            try Check.text(interest, field, atMost: AccountsLimits.interest)
            try Check.composition(interest, field)
            if interest.utf8.contains(UInt8(ascii: ",")) {
                throw Malformed(field, "has a comma; give each interest by itself")
            }
            if interests[..<i].contains(interest) { throw Malformed(field, "is \(interest), which is there before") }
        }
    }

    /// It is told apart by its bytes, so it is composed.
    private func text(_ value: String, _ field: String, atMost limit: Int) throws(Malformed) {
        try Check.optionalText(value, field, atMost: limit)
        try Check.composition(value, field)
    }

    func registered(_ user: String, credential: String) -> AccountsUserRegistered {
        .with {
            ($0.user, $0.firstName, $0.lastName) = (user, firstName, lastName)
            ($0.location, $0.interests, $0.about) = (location, interests, about)
            $0.credential = credential
        }
    }

    func changed(_ user: String) -> AccountsProfileChanged {
        .with {
            ($0.user, $0.firstName, $0.lastName) = (user, firstName, lastName)
            ($0.location, $0.interests, $0.about) = (location, interests, about)
        }
    }
}

/// A message that says what somebody says of themselves.
protocol SaysProfile {
    var firstName: String { get }
    var lastName: String { get }
    var location: String { get }
    var interests: [String] { get }
    var about: String { get }
}
extension AccountsRegisterUser: SaysProfile {}
extension AccountsChangeProfile: SaysProfile {}
extension AccountsUserRegistered: SaysProfile {}
extension AccountsProfileChanged: SaysProfile {}

extension Profile {
    init(_ message: some SaysProfile) {
        self.init(
            firstName: message.firstName, lastName: message.lastName, location: message.location,
            interests: message.interests, about: message.about)
    }
}
