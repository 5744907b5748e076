internal import EventModel

/// Why accounts says no.
enum AccountsRefusal: Refusal, Hashable {
    case nameTaken(String)
    case unknownUser(String)
    case deactivated(String)
    case staleCredential(String)
    case unknownSession(String, user: String)
    case sessionClosed(String)
    case sessionExists(String)
    case sessionLimit
    case sessionsOpen(Int)
    case otherExpiry
    case unchanged
    case idNamesNoSession(why: String)

    var reason: String {
        switch self {
        case .nameTaken: "name-taken"
        case .unknownUser: "unknown-user"
        case .deactivated: "user-deactivated"
        case .staleCredential: "stale-credential"
        case .unknownSession: "unknown-session"
        case .sessionClosed: "session-closed"
        case .sessionExists: "session-exists"
        case .sessionLimit: "session-limit"
        case .sessionsOpen: "sessions-open"
        case .otherExpiry: "other-expiry"
        case .unchanged: "unchanged"
        case .idNamesNoSession: "malformed"
        }
    }

    var message: String {
        switch self {
        case .nameTaken(let user): "the name \(user) is taken, or was once; choose another"
        case .unknownUser(let user): "nobody is registered as \(user)"
        case .deactivated(let user): "\(user) has left; the account is not used again"
        case .staleCredential(let user): "the password of \(user) that was shown does not hold any more; sign in again"
        case .unknownSession(let session, let user): "\(user) has no session \(session), or it ran out long ago"
        case .sessionClosed(let session): "session \(session) was closed; open another under an id of its own"
        case .sessionExists(let session): "session \(session) is there already"
        case .sessionLimit:
            "\(AccountsLimits.knownSessions) sessions were opened that have not run out; wait until some have"
        case .sessionsOpen(let count): "\(count) sessions are open, which end first"
        case .otherExpiry: "the session does not end then"
        case .unchanged: "that is so already"
        case .idNamesNoSession(let why): why
        }
    }
}
