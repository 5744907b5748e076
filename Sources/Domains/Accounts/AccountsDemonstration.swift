internal import EventModel
internal import SwiftProtobuf

extension Demonstration {
    /// People who register, sign in and out, change what they say of themselves and their passwords, and leave.
    static let accounts = Demonstration(
        asking: { Accounts.request(&$0) },
        actors: { size, seed in (0..<max(4, size)).map { Visitor($0, seed: seed) } },
        showing: [
            Exhibit(
                "SESSIONS of \(Visitor.first), newest first",
                proves: "A session ends where it is closed, where the password is changed, or by itself.",
                query: "accounts.sessions", [["user": Visitor.first]], limit: 6,
                as: .table(["session", ShownColumn("opened_at", as: "opened, UTC"), "closed_at"]), past: true)
        ],
        replaying: ShownRecords(of: "accounts.events", type: "SessionOpened"),
        trying: ["query accounts.profile --user \(Visitor.first)"])
}

extension Accounts {
    /// Three users at a time, who give way to others; each with two passwords after the first.
    static func request(_ draw: inout LoadDraw) -> LoadRequest {
        let user = draw.name("u", number: draw.number / 60 * draw.keys.size + draw.number(1...3 * draw.keys.size))
        // A credential is named as the command that sets it.
        let (first, later) = ("register-\(user)", "password-\(user)-\(draw.number(1...2))")
        let session = "s\(draw.number(1...4))"
        switch draw.number(0...99) {
        case 0..<30:
            let register = AccountsRegisterUser.with {
                ($0.user, $0.firstName, $0.interests) = (user, "Ann", ["tea", "trains"])
            }
            // Some come too late, or again without saying that it is the same.
            return LoadRequest(register, id: draw.chance(70) ? first : nil)
        case 30..<40:
            return LoadRequest(
                AccountsChangeProfile.with { ($0.user, $0.location) = (user, draw.one(of: ["Oslo", "Bonn"])) })
        case 40..<46:
            return LoadRequest(AccountsChangePassword.with { ($0.user, $0.session) = (user, "s1") }, id: later)
        case 46..<80:
            let shown = draw.chance(70) ? first : later
            return LoadRequest(
                AccountsOpenSession.with { ($0.user, $0.session, $0.credential) = (user, session, shown) })
        case 80..<96:
            return LoadRequest(AccountsCloseSession.with { ($0.user, $0.session) = (user, session) })
        default: return LoadRequest(AccountsDeactivateUser.with { $0.user = user })
        }
    }
}

/// Somebody who registers, and then comes and goes.
struct Visitor: LoadActor {
    /// Whose sessions are shown.
    static let first = "ann"

    private let number: Int
    private let name: String
    private var random: SeededRandom
    private var turn = 0
    private var passwords = 0
    private var hasLeft = false

    init(_ number: Int, seed: UInt64) {
        (self.number, name) = (number, number == 0 ? Self.first : "visitor\(number)")
        random = SeededRandom(seed, UInt64(number))
    }

    /// Named as the command that sets it.
    private var credential: String { passwords == 0 ? "register-\(name)" : "password-\(name)-\(passwords)" }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        if hasLeft { return nil }
        defer { turn += 1 }
        return LoadStep(request(), pause: random.pause(80...300))
    }

    private mutating func request() -> LoadRequest {
        let (name, shown) = (name, credential)
        if turn == 0 {
            let register = AccountsRegisterUser.with { ($0.user, $0.firstName, $0.interests) = (name, name, ["tea"]) }
            return LoadRequest(register, id: shown)
        }
        switch random.number(0...19) {
        case 0:
            let city = random.one(of: ["Oslo", "Bonn", "Rome"])
            return LoadRequest(AccountsChangeProfile.with { ($0.user, $0.location) = (name, city) })
        case 1:
            passwords += 1
            return LoadRequest(AccountsChangePassword.with { $0.user = name }, id: credential)
        // With a password of before.
        case 2: return open("\(name)-\(turn)", "password-\(name)-0")
        case 3 where number % 4 == 3 && turn > 6:
            hasLeft = true
            return LoadRequest(AccountsDeactivateUser.with { $0.user = name })
        case 4..<10:
            let session = "\(name)-\(max(1, turn - random.number(1...2)))"
            return LoadRequest(AccountsCloseSession.with { ($0.user, $0.session) = (name, session) })
        default: return open("\(name)-\(turn)", shown)
        }
    }

    private func open(_ session: String, _ credential: String) -> LoadRequest {
        let name = name
        return LoadRequest(
            AccountsOpenSession.with { ($0.user, $0.session, $0.credential) = (name, session, credential) })
    }
}
