internal import EventModel
internal import SwiftProtobuf

/// What accounts allows at most.
enum AccountsLimits {
    /// Letters of a user's name.
    static let user = 20
    /// Bytes of a first name, and of a last.
    static let name = 100
    static let location = 100
    static let interest = 50
    static let interests = 20
    static let about = 1000
    static let session = 128
    /// Sessions that are open at once; one more ends the one that would run out first.
    static let openSessions = 100
    /// Sessions that have not run out, closed ones among them.
    static let knownSessions = 1000
    static let shortestLife = Duration.seconds(60)
    static let longestLife = Duration.seconds(30 * 86_400)
    static let usualLife = Duration.seconds(86_400)
    /// How long a closed session is told of after its time.
    static let leeway = Duration.seconds(120)
}

extension Accounts {
    static func check(_ command: Command.Kind) throws(Malformed) {
        switch command {
        case .registerUser(let c):
            try check(user: c.user)
            try Profile(c).check()
        case .changeProfile(let c):
            try check(user: c.user)
            try Profile(c).check()
        case .changePassword(let c):
            try check(user: c.user)
            if !c.session.isEmpty { try check(session: c.session) }
            if !c.proved.isEmpty { try check(credential: c.proved, "proved") }
        case .openSession(let c):
            try check(user: c.user)
            try check(credential: c.credential, "credential")
            if !c.session.isEmpty { try check(session: c.session) }
            if c.seconds != 0 {
                let (least, most) = (AccountsLimits.shortestLife, AccountsLimits.longestLife)
                try Check.range(c.seconds, "seconds", least.milliseconds / 1000...most.milliseconds / 1000)
            }
        case .closeSession(let c):
            try check(user: c.user)
            try check(session: c.session)
        case .deactivateUser(let c): try check(user: c.user)
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .userRegistered(let e):
            try canonical(e.user)
            try Profile(e).check()
            try check(credential: e.credential, "credential")
        case .profileChanged(let e):
            try canonical(e.user)
            try Profile(e).check()
        case .passwordChanged(let e):
            try canonical(e.user)
            try check(credential: e.credential, "credential")
        case .sessionOpened(let e):
            try canonical(e.user)
            try check(session: e.session)
            try check(credential: e.credential, "credential")
            if !e.hasExpiresAt { throw Malformed("expiresAt", "is missing") }
            try Check.moment(e.expiresAt, "expiresAt")
        case .sessionClosed(let e):
            try canonical(e.user)
            try check(session: e.session)
            if !e.hasExpiresAt { throw Malformed("expiresAt", "is missing") }
            try Check.moment(e.expiresAt, "expiresAt")
        case .userDeactivated(let e): try canonical(e.user)
        }
    }

    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(Rejection) {
        switch event {
        case .userRegistered(let e): if state.user != nil { throw .nameTaken(e.user) }
        case .profileChanged(let e): if try active(e.user, state).profile == Profile(e) { throw .unchanged }
        case .passwordChanged(let e):
            let user = try active(e.user, state)
            if user.credential == e.credential { throw .unchanged }
            // One may go on.
            let open = user.open(at: now).count
            if open > 1 { throw .sessionsOpen(open) }
        case .sessionOpened(let e):
            let user = try active(e.user, state)
            if e.credential != user.credential { throw .staleCredential(e.user) }
            if let known = user.sessions[e.session], known.expires > now { throw .sessionExists(e.session) }
            if user.sessions.values.count(where: { $0.expires > now }) >= AccountsLimits.knownSessions
                || user.open(at: now).count >= AccountsLimits.openSessions
            {
                throw .sessionLimit
            }
            let end = Timestamp(e.expiresAt)
            if end < now + AccountsLimits.shortestLife || end > now + AccountsLimits.longestLife { throw .otherExpiry }
        case .sessionClosed(let e):
            guard let session = try known(e.user, state).sessions[e.session], session.expires > now else {
                throw .unknownSession(e.session, user: e.user)
            }
            if session.isClosed { throw .sessionClosed(e.session) }
            if session.expires != Timestamp(e.expiresAt) { throw .otherExpiry }
        case .userDeactivated(let e):
            let open = try active(e.user, state).open(at: now).count
            if open > 0 { throw .sessionsOpen(open) }
        }
    }

    /// A session that takes its command's id must be one that later commands can name.
    static func identifier(_ given: String, _ id: String) throws(Rejection) -> String {
        if !given.isEmpty { return given }
        do {
            try Check.identifier(id, "the command's id, which names the session", atMost: AccountsLimits.session)
        } catch {
            throw .idNamesNoSession(why: error.message)
        }
        return id
    }

    static func check(user: String) throws(Malformed) {
        if user.isEmpty { throw Malformed("user", "is missing") }
        let isName = user.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
        }
        if !isName || user.utf8.count > AccountsLimits.user {
            throw Malformed(
                "user", "is \(user.prefix(40)); a name has 1 to \(AccountsLimits.user) letters of ASCII, digits or _")
        }
    }

    private static func canonical(_ user: String) throws(Malformed) {
        try check(user: user)
        if user != name(user) { throw Malformed("user", "is \(user); a fact has names in lower case") }
    }

    private static func check(session: String) throws(Malformed) {
        try Check.identifier(session, "session", atMost: AccountsLimits.session)
    }

    /// The id of a command.
    private static func check(credential: String, _ field: String) throws(Malformed) {
        try Check.text(credential, field, atMost: 512)
    }
}
