internal import EventModel
internal import SwiftProtobuf

extension AccountsCommand: Envelope {}
extension AccountsEvent: Envelope {}

/// Who has a name, what they say of themselves, and where they are signed in.
///
/// An aggregate is a name, so it is given once, whoever asks for it at the same time. Of a password nothing is known here but
/// under which name a store of credentials has what checks it: the id of the command that set it.
enum Accounts: Decider {
    typealias Command = AccountsCommand
    typealias Event = AccountsEvent
    typealias Rejection = AccountsRefusal

    struct Session: Hashable, Codable, Sendable {
        var expires: Timestamp
        var isClosed = false

        func isOpen(at now: Timestamp) -> Bool { !isClosed && expires > now }
    }

    struct User: Codable, Sendable {
        var profile: Profile
        var credential: String
        var isActive = true
        /// Those that have not run out; so the identifier of one that was closed is not used again while a token may have it.
        var sessions: [String: Session] = [:]

        /// The open ones, those that run out first before others.
        func open(at now: Timestamp) -> [(name: String, expires: Timestamp)] {
            sessions.filter { $0.value.isOpen(at: now) }.map { (name: $0.key, expires: $0.value.expires) }
                .sorted { ($0.expires, $0.name) < ($1.expires, $1.name) }
        }
    }

    struct State: Codable, Sendable {
        var user: User?
    }

    static var initial: State { State() }

    /// A name as keys have it: case makes no difference. It is of ASCII, so no other letter has its case.
    static func name(_ user: String) -> String { user.lowercased() }

    static func key(of command: Command.Kind) -> String {
        switch command {
        case .registerUser(let c): name(c.user)
        case .changeProfile(let c): name(c.user)
        case .changePassword(let c): name(c.user)
        case .openSession(let c): name(c.user)
        case .closeSession(let c): name(c.user)
        case .deactivateUser(let c): name(c.user)
        }
    }

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .userRegistered(let e): e.user
        case .profileChanged(let e): e.user
        case .passwordChanged(let e): e.user
        case .sessionOpened(let e): e.user
        case .sessionClosed(let e): e.user
        case .userDeactivated(let e): e.user
        }
    }

    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        switch command {
        case .registerUser(let c):
            // Whoever has the name may be another, who says the same of himself: only the command's own id tells.
            if let user = state.user {
                if user.isActive, user.credential == id { return [] }
                throw .nameTaken(name(c.user))
            }
            return [.userRegistered(Profile(c).registered(name(c.user), credential: id))]
        case .changeProfile(let c):
            let profile = Profile(c)
            if try active(c.user, state).profile == profile { return [] }
            return [.profileChanged(profile.changed(name(c.user)))]
        case .changePassword(let c): return try changePassword(c, id: id, on: state, at: now)
        case .openSession(let c): return try open(c, id: id, on: state, at: now)
        case .closeSession(let c): return try close(c, on: state, at: now)
        case .deactivateUser(let c):
            let user = try known(c.user, state)
            if !user.isActive { return [] }
            return closed(name(c.user), user.open(at: now))
                + [.userDeactivated(.with { $0.user = name(c.user) })]
        }
    }

    /// The account of a name, also one that was given up.
    static func known(_ user: String, _ state: State) throws(Rejection) -> User {
        guard let found = state.user else { throw .unknownUser(name(user)) }
        return found
    }

    static func active(_ user: String, _ state: State) throws(Rejection) -> User {
        let found = try known(user, state)
        if !found.isActive { throw .deactivated(name(user)) }
        return found
    }

    private static func changePassword(
        _ c: AccountsChangePassword, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let user = try active(c.user, state)
        if user.credential == id { return [] }
        if !c.proved.isEmpty, c.proved != user.credential { throw .staleCredential(name(c.user)) }
        return closed(name(c.user), user.open(at: now).filter { $0.name != c.session })
            + [.passwordChanged(.with { ($0.user, $0.credential) = (name(c.user), id) })]
    }

    private static func open(
        _ c: AccountsOpenSession, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let user = try active(c.user, state)
        // Whoever has checked the password did so at a time when it may have been another's or an older one.
        if c.credential != user.credential { throw .staleCredential(name(c.user)) }
        let session = try identifier(c.session, id)
        if let known = user.sessions[session], known.expires > now {
            if known.isClosed { throw .sessionClosed(session) }
            return []
        }
        let known = user.sessions.values.count { $0.expires > now }
        let open = user.open(at: now)
        if known >= AccountsLimits.knownSessions { throw .sessionLimit }
        let life = c.seconds == 0 ? AccountsLimits.usualLife : .seconds(c.seconds)
        let opened = AccountsSessionOpened.with {
            ($0.user, $0.session, $0.credential) = (name(c.user), session, c.credential)
            $0.expiresAt = (now + life).proto
        }
        let first = open.count < AccountsLimits.openSessions ? [] : [open[0]]
        return closed(name(c.user), first) + [.sessionOpened(opened)]
    }

    private static func close(
        _ c: AccountsCloseSession, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        guard let session = try known(c.user, state).sessions[c.session] else {
            throw .unknownSession(c.session, user: name(c.user))
        }
        return session.isOpen(at: now) ? closed(name(c.user), [(c.session, session.expires)]) : []
    }

    private static func closed(_ user: String, _ sessions: [(name: String, expires: Timestamp)]) -> [Event.Kind] {
        sessions.map { session in
            .sessionClosed(
                .with { ($0.user, $0.session, $0.expiresAt) = (user, session.name, session.expires.proto) })
        }
    }

    static func evolve(_ state: inout State, with event: Event.Kind, at time: Timestamp) {
        switch event {
        case .userRegistered(let e): state.user = User(profile: Profile(e), credential: e.credential)
        case .profileChanged(let e): state.user?.profile = Profile(e)
        case .passwordChanged(let e): state.user?.credential = e.credential
        case .sessionOpened(let e):
            if let sessions = state.user?.sessions {
                state.user?.sessions = sessions.filter { $0.value.expires > time }
            }
            state.user?.sessions[e.session] = Session(expires: Timestamp(e.expiresAt))
        case .sessionClosed(let e): state.user?.sessions[e.session]?.isClosed = true
        case .userDeactivated: state.user?.isActive = false
        }
    }
}
