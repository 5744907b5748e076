import DomainTesting
import EventModel
import SwiftProtobuf

@testable import AccountsDomain

typealias AccountFact = AccountsEvent.OneOf_Kind
typealias AccountCommand = AccountsCommand.OneOf_Kind

let annsProfile = Profile(
    firstName: "Ann", lastName: "Lee", location: "Oslo", interests: ["tea", "trains"], about: "hi")

/// A day after noon.
let aDayAfter: Int64 = 86_400

/// What accounts reports of Ann.
extension AccountsEvent.OneOf_Kind {
    static let registered = AccountFact.userRegistered(annsProfile.registered("ann", credential: "c0"))
    static let profiled = AccountFact.profileChanged(annsProfile.changed("ann"))
    static func password(_ credential: String) -> AccountFact {
        .passwordChanged(.with { ($0.user, $0.credential) = ("ann", credential) })
    }
    static func opened(_ session: String, by credential: String = "c0", until end: Int64 = aDayAfter) -> AccountFact {
        .sessionOpened(
            .with {
                ($0.user, $0.session, $0.credential, $0.expiresAt) = ("ann", session, credential, after(end).proto)
            })
    }
    static func closed(_ session: String, until end: Int64 = aDayAfter) -> AccountFact {
        .sessionClosed(.with { ($0.user, $0.session, $0.expiresAt) = ("ann", session, after(end).proto) })
    }
    static let deactivated = AccountFact.userDeactivated(.with { $0.user = "ann" })
}

/// What accounts is told to do with Ann.
extension AccountsCommand.OneOf_Kind {
    static let register = register()
    static func register(_ user: String = "ann", _ profile: Profile = annsProfile) -> AccountCommand {
        .registerUser(
            .with {
                ($0.user, $0.firstName, $0.lastName) = (user, profile.firstName, profile.lastName)
                ($0.location, $0.interests, $0.about) = (profile.location, profile.interests, profile.about)
            })
    }
    static let profile = profile()
    static func profile(_ profile: Profile = annsProfile) -> AccountCommand {
        .changeProfile(
            .with {
                ($0.user, $0.firstName, $0.lastName) = ("ann", profile.firstName, profile.lastName)
                ($0.location, $0.interests, $0.about) = (profile.location, profile.interests, profile.about)
            })
    }
    static func change(keeping session: String = "", proved: String = "") -> AccountCommand {
        .changePassword(.with { ($0.user, $0.session, $0.proved) = ("ann", session, proved) })
    }
    static func open(_ session: String = "", by credential: String = "c0", seconds: Int64 = 0) -> AccountCommand {
        .openSession(
            .with { ($0.user, $0.session, $0.credential, $0.seconds) = ("ann", session, credential, seconds) })
    }
    static func close(_ session: String) -> AccountCommand {
        .closeSession(.with { ($0.user, $0.session) = ("ann", session) })
    }
    static let deactivate = AccountCommand.deactivateUser(.with { $0.user = "ann" })
}

/// Given what happened to the name ann at noon, what a command or a fact comes to.
struct AccountLife {
    let state: Accounts.State

    init(_ events: AccountFact...) { self.init(events) }
    init(_ events: [AccountFact]) {
        state = events.reduce(into: Accounts.initial) { Accounts.evolve(&$0, with: $1, at: noon) }
    }

    func when(
        _ command: AccountCommand, id: String = "c1", at seconds: Int64 = 0
    ) -> Result<[AccountFact], AccountsRefusal> {
        Result { () throws(AccountsRefusal) in try Accounts.decide(command, id: id, on: state, at: after(seconds)) }
    }
    func admitting(_ fact: AccountFact, at seconds: Int64 = 0) -> AccountsRefusal? {
        do {
            try Accounts.admit(fact, on: state, at: after(seconds))
            return nil
        } catch {
            return error
        }
    }
}

/// Facts as they stand in one partition, a minute apart.
func records(_ facts: [AccountFact]) -> [Placed] {
    facts.enumerated().map { i, fact in
        (
            TopicPartition("accounts.events", 1),
            Record(
                offset: Offset(Int64(i)), timestamp: after(Int64(i) * 60), key: Bytes(Accounts.key(of: fact)),
                value: AccountsEvent.bytes(fact))
        )
    }
}
