internal import EventLog
internal import EventModel
internal import KVDomain

/// What somebody may do.
package struct Permissions: Sendable, Hashable {
    package var mayRead: Bool
    package var mayWrite: Bool
    package init(mayRead: Bool, mayWrite: Bool) { (self.mayRead, self.mayWrite) = (mayRead, mayWrite) }
    package static let all = Permissions(mayRead: true, mayWrite: true)
}

/// What a token says; nil where it says nothing.
package typealias Authorize = @Sendable (_ token: String) -> Permissions?

/// What is known of a connection.
struct Session: Sendable {
    /// How long a token is believed: it runs out, and may be denied.
    static let belief = Duration.seconds(1)

    let id: Int64
    /// 2 or 3, of the protocol.
    var version = 2
    var name = ""
    /// Nil until somebody has said who he is, where that is asked for.
    var permissions: Permissions?
    /// What he has said, and when it was looked at.
    var token: (text: String, at: ContinuousClock.Instant)?
    var consistency: Consistency
    /// What its reads wait for, by partition.
    var after: [Int: Offset] = [:]
    /// What came since `MULTI`; nil outside of one.
    var transaction: KeyTransaction?
    /// Where its last change stands.
    var last: (partition: Int, offset: Offset)?
}

/// What commands go by that is no connection's own.
struct Around: Sendable {
    let store: KeyStore
    /// Nil where everybody may do everything.
    let authorize: Authorize?
    let info: @Sendable () -> [(section: String, lines: [(String, String)])]
    let topic: String

    /// Looks again at what somebody was let in with, where that is due.
    func checkToken(of session: inout Session) {
        guard let authorize, let token = session.token, ContinuousClock.now - token.at > Session.belief else { return }
        session.permissions = authorize(token.text)
        if session.permissions == nil { session.token = nil } else { session.token?.at = .now }
    }
}

/// What a command comes to.
enum Plan {
    /// The answer is known.
    case reply(Reply)
    /// The answer is known, and nothing more is said.
    case close(Reply)
    case write([KeyWrite], WriteAnswer)
    case read(ReadAnswer)
    /// Reads are to see a place, where the log has it.
    case place(partition: Int, Offset)
    /// A partition's copy is compared with the log.
    case verify(Int)
}

/// Made of what became of the changes, and of what the copies have since.
typealias WriteAnswer =
    @Sendable (_ results: ArraySlice<WriteResult>, _ copies: Copies, _ now: Timestamp) throws -> Reply
typealias ReadAnswer = @Sendable (_ copies: Copies, _ now: Timestamp) throws -> Reply

extension Reply {
    static func noPermission(_ name: String) -> Reply {
        .error("NOPERM this user has no permissions to run the '\(name)' command")
    }
    static func arity(_ name: String) -> Reply { .error("ERR wrong number of arguments for '\(name)' command") }
    static let syntax = Reply.error("ERR syntax error")
    static let noInteger = Reply.error("ERR value is not an integer or out of range")
    static let crossSlot = Reply.error("CROSSSLOT Keys in request don't hash to the same slot")
    static let tooLong = Reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
    static func expiry(_ name: String) -> Reply { .error("ERR invalid expire time in '\(name)' command") }

    /// A change that was not made.
    init(refused reason: String, _ message: String, of name: String) {
        self =
            switch reason {
            case "not-a-number": .noInteger
            case "overflow": .error("ERR increment or decrement would overflow")
            case "value-too-long": .tooLong
            case "expiry-over", "expiry-too-far": .expiry(name)
            default: .error("ERR \(message)")
            }
    }
    init(failed why: String) { self = .error("TRYAGAIN \(why)") }
}
