internal import EventModel
internal import SwiftProtobuf

/// What holds of accounts, whatever happens.
enum AccountsInvariants {
    /// A name's events, by the same rules by which facts are admitted.
    static let eachEventMayFollow = Invariant(
        "a name is given once, and nothing is done with one that is not", over: "accounts.events", AccountsEvent.self,
        from: [String: Accounts.State](),
        fold: { users, event, place in
            let user = Accounts.key(of: event)
            let state = users[user] ?? Accounts.initial
            do throws(AccountsRefusal) {
                try Accounts.admit(event, on: state, at: place.timestamp)
            } catch {
                throw Violation("\(place.words) may not follow: \(error.message)")
            }
            Accounts.evolve(&users[user, default: Accounts.initial], with: event, at: place.timestamp)
        })

    private struct Sessions: Sendable {
        var isClosed: [Row: Bool] = [:]
        var logins: [String: Int64] = [:]

        mutating func fold(_ record: Record) throws {
            switch try AccountsEvent.kind(in: record.value) {
            case .sessionOpened(let e):
                isClosed[[.text(e.user), .text(e.session)]] = false
                logins[e.user, default: 0] += 1
            case .sessionClosed(let e): isClosed[[.text(e.user), .text(e.session)]] = true
            default: break
            }
        }
    }

    static let sessionsAreShown = Invariant(
        "a session is shown as open until it is closed", over: ["accounts.events"], of: "accounts.people",
        from: Sessions(),
        fold: { sessions, record, _ in try sessions.fold(record) },
        rows: { sessions, reader in
            var shown: [Row: Bool] = [:]
            try reader.everyRow(Scan(People.sessions)) { row in
                shown[[row[0], row[1]]] = row[People.Session.closed] == 1
            }
            for name in Set(shown.keys).union(sessions.isClosed.keys) where shown[name] != sessions.isClosed[name] {
                throw Violation(
                    "\(name) is shown closed: \(shown[name].words), and should be: \(sessions.isClosed[name].words)")
            }
        })

    static let loginsAreCounted = Invariant(
        "a user has as many logins as sessions", over: ["accounts.events"], of: "accounts.people", from: Sessions(),
        fold: { sessions, record, _ in try sessions.fold(record) },
        rows: { sessions, reader in
            var shown: [String: Int64] = [:]
            try reader.everyRow(Scan(People.logins)) { row in
                shown[row[People.Login.user] ?? "", default: 0] += row[People.Login.count] ?? 0
            }
            if shown != sessions.logins {
                throw Violation("logins are shown as \(shown), and should be \(sessions.logins)")
            }
        })
}

extension Bool? {
    fileprivate var words: String { map { $0 ? "yes" : "no" } ?? "not there" }
}
