internal import EventModel
internal import KVDomain

/// What stands between `MULTI` and `EXEC`: values for keys of one tag, which one `PutMany` puts at once.
struct KeyTransaction: Sendable {
    /// The number of values that each command has.
    private(set) var commands: [(name: String, keys: Int)] = []
    private(set) var pairs: [KeyWrite.Pair] = []
    /// A command was refused: so is the whole.
    var isBroken = false

    /// Takes a command.
    mutating func add(_ arguments: [Bytes]) -> Reply {
        let name = arguments[0].word
        let isSet = name == "SET" && arguments.count == 3
        guard isSet || name == "MSET" && arguments.count > 2 && arguments.count % 2 == 1 else {
            isBroken = true
            return .error(
                "ERR '\(arguments[0].text.prefix(64).lowercased())' cannot be in a transaction here: MULTI takes SET key value and MSET, "
                    + "of keys of one tag; CAS changes one key where its revision is the expected one")
        }
        let added = stride(from: 1, to: arguments.count, by: 2).map { at in
            KeyWrite.Pair(key: arguments[at], value: arguments[at + 1])
        }
        if let tag = (pairs.first ?? added.first).map({ HashTag.of($0.key) }),
            added.contains(where: { HashTag.of($0.key) != tag })
        {
            isBroken = true
            return .crossSlot
        }
        if pairs.count + added.count > KVLimits.pairs {
            isBroken = true
            return .error("ERR a transaction has at most \(KVLimits.pairs) keys")
        }
        pairs += added
        commands.append((name, added.count))
        return .simple("QUEUED")
    }

    /// Puts all of it at once; of several values of a key the last counts.
    var plan: Plan {
        if isBroken { return .reply(.error("EXECABORT Transaction discarded because of previous errors.")) }
        if pairs.isEmpty { return .reply(.list([])) }
        var (places, last) = ([Bytes: Int](), [KeyWrite.Pair]())
        for pair in pairs {
            if let place = places[pair.key] {
                last[place] = pair
            } else {
                places[pair.key] = last.count
                last.append(pair)
            }
        }
        let answers = Reply.list(Array(repeating: .ok, count: commands.count))
        return WriteCommands.single("exec", .putMany(last, ifAbsent: false)) { _, _, _ in answers }
    }
}

/// `MULTI`, `EXEC` and `DISCARD`.
enum TransactionCommands {
    static let all: [CommandEntry] = [
        entry("multi") { session, _ in
            if session.transaction != nil { return .reply(.error("ERR MULTI calls can not be nested")) }
            session.transaction = KeyTransaction()
            return .reply(.ok)
        },
        entry("exec") { session, _ in
            guard let transaction = session.transaction else { return .reply(.error("ERR EXEC without MULTI")) }
            session.transaction = nil
            if !(session.permissions?.mayWrite ?? false) {
                return .reply(.noPermission("exec"))
            }
            return transaction.plan
        },
        entry("discard") { session, _ in
            if session.transaction == nil { return .reply(.error("ERR DISCARD without MULTI")) }
            session.transaction = nil
            return .reply(.ok)
        },
    ]

    /// Whether a command is done at once within a transaction.
    static func isDoneAtOnce(_ word: Bytes) -> Bool {
        ["MULTI", "EXEC", "DISCARD", "QUIT", "AUTH", "HELLO"].contains(word.word)
    }

    private static func entry(
        _ name: String, _ plan: @escaping @Sendable (inout Session, Around) -> Plan
    ) -> CommandEntry {
        CommandEntry(name: name, arity: 1, kind: .connection, keys: (0, 0, 0)) { _, session, around in
            plan(&session, around)
        }
    }
}
