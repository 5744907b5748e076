internal import EventLog
internal import EventModel
internal import KVDomain

/// Commands about the connection and the server.
enum ConnectionCommands {
    private static let none = (0, 0, 0)

    static let all: [CommandEntry] = [
        entry("ping", -1) { arguments, _, _ in
            if arguments.count > 2 { return .reply(.arity("ping")) }
            return .reply(arguments.count == 2 ? .bulk(Array(arguments[1].slice)) : .simple("PONG"))
        },
        entry("echo", 2) { arguments, _, _ in .reply(.bulk(Array(arguments[1].slice))) },
        entry("quit", -1) { _, _, _ in .close(.ok) },
        entry("select", 2) { arguments, _, _ in
            guard let number = arguments[1].number else { return .reply(.noInteger) }
            return .reply(number == 0 ? .ok : .error("ERR DB index is out of range"))
        },
        entry("auth", -2) { arguments, session, around in
            if arguments.count > 3 { return .reply(.syntax) }
            return .reply(authenticate(arguments[arguments.count - 1], &session, around) ?? .ok)
        },
        entry("hello", -1) { arguments, session, around in hello(arguments, &session, around) },
        entry("client", -2) { arguments, session, _ in .reply(client(arguments, &session)) },
        entry("command", -1) { arguments, _, _ in .reply(command(arguments)) },
        entry("config", -2) { arguments, _, _ in .reply(config(arguments)) },
        entry("info", -1) { arguments, _, around in .reply(info(arguments, around)) },
        entry("consistency", -1) { arguments, session, _ in
            if arguments.count == 1 { return .reply(.text(session.consistency.rawValue)) }
            guard arguments.count == 2, let level = Consistency(rawValue: arguments[1].word.lowercased()) else {
                let all = Consistency.allCases.map(\.rawValue).joined(separator: ", ")
                return .reply(.error("ERR consistency is \(all)"))
            }
            session.consistency = level
            return .reply(.ok)
        },
        entry("staleness", 1) { _, _, around in
            let (records, since) = around.store.staleness
            return .reply(.list([.integer(records), .integer(since.milliseconds)]))
        },
        entry("verify", 2) { arguments, session, around in
            if !(session.permissions?.mayRead ?? false) { return .reply(.noPermission("verify")) }
            guard let number = arguments[1].number, around.store.events.indices.contains(Int(number)) else {
                return .reply(noPartition(around))
            }
            return .verify(Int(number))
        },
        entry("digest", 2) { arguments, session, around in
            if !(session.permissions?.mayRead ?? false) { return .reply(.noPermission("digest")) }
            guard let number = arguments[1].number, around.store.events.indices.contains(Int(number)) else {
                return .reply(noPartition(around))
            }
            return .read { copies, _ in
                let sums = try copies.parts[Int(number)].checksums()
                return .list([
                    .text("\(around.topic)/\(number)@\(copies.ends[Int(number)])"), .text(hex(sums.root)),
                    .list(sums.leaves.map { .text(hex($0)) }),
                ])
            }
        },
        entry("place", 1) { _, session, around in
            .reply(session.last.map { .text("\(around.topic)/\($0.partition)@\($0.offset)") } ?? .null)
        },
        entry("after", 2) { arguments, _, around in
            guard let place = place(arguments[1], around) else {
                return .reply(.error("ERR a place is \(around.topic)/PARTITION@OFFSET, of a partition that there is"))
            }
            return .place(partition: place.partition, place.offset)
        },
    ]

    private static func hex(_ number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
    private static func noPartition(_ around: Around) -> Reply {
        .error("ERR a partition is 0 to \(around.store.events.count - 1)")
    }

    private static func entry(
        _ name: String, _ arity: Int, _ plan: @escaping @Sendable ([Bytes], inout Session, Around) -> Plan
    ) -> CommandEntry { CommandEntry(name: name, arity: arity, kind: .connection, keys: none, plan: plan) }

    /// Nil where it is done.
    private static func authenticate(_ token: Bytes, _ session: inout Session, _ around: Around) -> Reply? {
        guard let authorize = around.authorize else {
            return .error(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
                    + "configuration is correct?")
        }
        guard let text = token.validText, let permissions = authorize(text) else {
            return .error("WRONGPASS invalid username-password pair or user is disabled.")
        }
        session.permissions = permissions
        session.token = (text, ContinuousClock.now)
        return nil
    }

    private static func hello(_ arguments: [Bytes], _ session: inout Session, _ around: Around) -> Plan {
        var version = session.version
        var rest = arguments.dropFirst()
        if let word = rest.popFirst() {
            guard let number = word.number, number == 2 || number == 3 else {
                return .reply(
                    word.number == nil
                        ? .error("ERR Protocol version is not an integer or out of range")
                        : .error("NOPROTO unsupported protocol version"))
            }
            version = Int(number)
        }
        while let option = rest.popFirst() {
            switch option.word {
            case "AUTH":
                guard rest.popFirst() != nil, let token = rest.popFirst() else { return .reply(.syntax) }
                if let refusal = authenticate(token, &session, around) { return .reply(refusal) }
            case "SETNAME":
                guard let name = rest.popFirst(), isName(name) else { return .reply(.syntax) }
                session.name = name.text
            default: return .reply(.syntax)
            }
        }
        if session.permissions == nil {
            return .reply(
                .error(
                    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH "
                        + "<user> <pass> option can be used to authenticate the client and select the RESP protocol "
                        + "version at the same time"))
        }
        session.version = version
        return .reply(
            .map([
                .text("server"), .text("millrace"), .text("version"), .text(RESPServer.redisVersion), .text("proto"),
                .integer(Int64(version)), .text("id"), .integer(session.id), .text("mode"), .text("standalone"),
                .text("role"), .text("master"), .text("modules"), .list([]),
            ]))
    }

    private static func isName(_ name: Bytes) -> Bool {
        name.count <= RESPLimits.name && name.slice.allSatisfy { (0x21...0x7e).contains($0) }
    }

    private static func client(_ arguments: [Bytes], _ session: inout Session) -> Reply {
        switch (arguments[1].word, arguments.count) {
        case ("ID", 2): return .integer(session.id)
        case ("GETNAME", 2): return session.name.isEmpty ? .null : .text(session.name)
        case ("SETNAME", 3):
            if !isName(arguments[2]) {
                return .error("ERR Client names cannot contain spaces, newlines or special characters.")
            }
            session.name = arguments[2].text
            return .ok
        case ("SETINFO", 4): return .ok
        default:
            return .error(
                "ERR unknown subcommand or wrong number of arguments for '\(arguments[1].text.prefix(64))'. Try CLIENT HELP."
            )
        }
    }

    private static func command(_ arguments: [Bytes]) -> Reply {
        let all = CommandTable.all.values.sorted { $0.name < $1.name }
        func shown(_ entry: CommandEntry) -> Reply {
            .list([
                .text(entry.name), .integer(Int64(entry.arity)), .list([.simple(entry.kind.rawValue)]),
                .integer(Int64(entry.keys.first)), .integer(Int64(entry.keys.last)), .integer(Int64(entry.keys.step)),
            ])
        }
        switch arguments.dropFirst().first?.word {
        case nil: return .list(all.map(shown))
        case "COUNT": return .integer(Int64(all.count))
        case "LIST": return .list(all.map { .text($0.name) })
        case "INFO": return .list(arguments.dropFirst(2).map { CommandTable.entry($0).map(shown) ?? .null })
        // What clients show of commands is not kept here.
        case "DOCS": return .map([])
        default: return .error("ERR unknown subcommand '\(arguments[1].text.prefix(64))'. Try COMMAND HELP.")
        }
    }

    /// What tools ask for before they begin. Every change is on the log before it is answered, which Redis calls appendonly.
    private static func config(_ arguments: [Bytes]) -> Reply {
        guard arguments[1].word == "GET", arguments.count > 2 else {
            return .error("ERR unknown subcommand '\(arguments[1].text.prefix(64))'. Try CONFIG HELP.")
        }
        let known = [("appendonly", "yes"), ("databases", "1"), ("save", "")]
        let asked = arguments.dropFirst(2).map { Glob(Bytes($0.text.lowercased())) }
        let found = known.filter { name, _ in asked.contains { $0.matches(Bytes(name)) } }
        return .map(found.flatMap { [.text($0.0), .text($0.1)] })
    }

    private static func info(_ arguments: [Bytes], _ around: Around) -> Reply {
        let asked = Set(arguments.dropFirst().map(\.word))
        let isAll = asked.isEmpty || !asked.isDisjoint(with: ["ALL", "DEFAULT", "EVERYTHING"])
        let sections = around.info().filter { isAll || asked.contains($0.section.uppercased()) }
        return .text(
            sections.map { section, lines in
                "# \(section)\r\n" + lines.map { "\($0.0):\($0.1)\r\n" }.joined()
            }.joined(separator: "\r\n"))
    }

    private static func place(_ text: Bytes, _ around: Around) -> (partition: Int, offset: Offset)? {
        let parts = text.text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let offset = Int64(parts[1]), offset >= 0, offset < .max else { return nil }
        let place = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        guard place.count == 2, place[0] == around.topic, let number = Int(place[1]),
            around.store.events.indices.contains(number)
        else { return nil }
        return (number, Offset(offset))
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
