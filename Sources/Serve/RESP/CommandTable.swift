internal import EventModel
internal import KVDomain

/// A command that clients may send.
struct CommandEntry: Sendable {
    enum Kind: String, Sendable { case read = "readonly", write, connection = "fast" }
    let name: String
    /// With the command's own name; less than 0 is so many or more (redis.io/docs, COMMAND).
    let arity: Int
    let kind: Kind
    /// The first and the last argument that are keys, and the step between; 0 where there is none.
    let keys: (first: Int, last: Int, step: Int)
    let plan: @Sendable (_ arguments: [Bytes], _ session: inout Session, _ around: Around) -> Plan

    func takes(_ count: Int) -> Bool { arity < 0 ? count >= -arity : count == arity }
}

enum CommandTable {
    /// By names in small letters.
    static let all: [String: CommandEntry] = Dictionary(
        uniqueKeysWithValues: (ReadCommands.all + WriteCommands.all + ConnectionCommands.all
            + TransactionCommands.all).map { ($0.name, $0) })

    static func entry(_ word: Bytes) -> CommandEntry? {
        word.count > 20 ? nil : all[String(decoding: word.slice, as: UTF8.self).lowercased()]
    }

    static func plan(_ arguments: [Bytes], _ session: inout Session, _ around: Around) -> Plan {
        guard let entry = entry(arguments[0]) else {
            if ofBrowsers.contains(arguments[0].word) {
                return .close(.error("ERR this is a request over HTTP, and no command"))
            }
            return refuse(unknown(arguments), &session)
        }
        if !entry.takes(arguments.count) { return refuse(.arity(entry.name), &session) }
        around.checkToken(of: &session)
        if session.permissions == nil, !["auth", "hello", "quit", "reset"].contains(entry.name) {
            return .reply(.error("NOAUTH Authentication required."))
        }
        let isAllowed =
            switch entry.kind {
            case .read: session.permissions?.mayRead ?? false
            case .write: session.permissions?.mayWrite ?? false
            case .connection: true
            }
        if !isAllowed { return refuse(.noPermission(entry.name), &session) }
        if session.transaction != nil, !TransactionCommands.isDoneAtOnce(arguments[0]) {
            return .reply(session.transaction?.add(arguments) ?? .ok)
        }
        return entry.plan(arguments, &session, around)
    }

    /// A command that is none, or is not allowed: a transaction that it stands in puts nothing.
    private static func refuse(_ reply: Reply, _ session: inout Session) -> Plan {
        session.transaction?.isBroken = true
        return .reply(reply)
    }

    /// What a request over HTTP has in its head. A page of the web can have a browser send one to any port of this machine, with commands as
    /// its body: so the connection ends before that is read (`securityWarningCommand` of Redis).
    private static let ofBrowsers: Set = ["POST", "HOST:"]

    /// As Redis says it: no more than 128 bytes of a name and of its arguments.
    private static func unknown(_ arguments: [Bytes]) -> Reply {
        func shown(_ word: Bytes, _ limit: Int) -> String { String(decoding: word.slice.prefix(limit), as: UTF8.self) }
        var rest = ""
        for argument in arguments.dropFirst() where rest.utf8.count < 128 {
            rest += "'\(shown(argument, 128 - rest.utf8.count))' "
        }
        return .error("ERR unknown command '\(shown(arguments[0], 128))', with args beginning with: \(rest)")
    }
}

extension Bytes {
    /// A whole number, as Redis takes one.
    var number: Int64? { WholeNumber.of(slice) }
    var word: String { String(decoding: slice, as: UTF8.self).uppercased() }
}
