internal import EventModel
internal import SwiftProtobuf

extension Demonstration {
    /// People who register, sign in and out, change what they say of themselves and their passwords, and leave.
    static let accounts = Demonstration(
        asking: { Accounts.request(&$0) },
        showing: [
            Exhibit(
                "SESSIONS of u1, newest first",
                proves: "A session ends where it is closed, where the password is changed, or by itself.",
                query: "accounts.sessions", [["user": "u1"]], limit: 6,
                as: .table(["session", ShownColumn("opened_at", as: "opened, UTC"), "closed_at"]), past: true)
        ],
        replaying: ShownRecords(of: "accounts.events", type: "SessionOpened"),
        trying: ["query accounts.profile --user u1", "query accounts.logins --user u1"])
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
