internal import EventModel
internal import KVDomain

/// Commands that change nothing.
enum ReadCommands {
    private static let one = (1, 1, 1)

    static let all: [CommandEntry] = [
        CommandEntry(name: "get", arity: 2, kind: .read, keys: one) { arguments, _, _ in
            .read { copies, now in try copies.live(arguments[1], at: now).map { .bulk($0.value) } ?? .null }
        },
        CommandEntry(name: "mget", arity: -2, kind: .read, keys: (1, -1, 1)) { arguments, _, _ in
            .read { copies, now in
                var (all, bytes) = ([Reply](), 0)
                for key in arguments.dropFirst() {
                    let entry = try copies.live(key, at: now)
                    bytes += entry?.value.count ?? 0
                    if bytes > RESPLimits.answer {
                        return .error(
                            "ERR these values have over \(RESPLimits.answer) bytes; ask for fewer keys at once")
                    }
                    all.append(entry.map { .bulk($0.value) } ?? .null)
                }
                return .list(all)
            }
        },
        CommandEntry(name: "exists", arity: -2, kind: .read, keys: (1, -1, 1)) { arguments, _, _ in
            .read { copies, now in
                .integer(Int64(try arguments.dropFirst().count { try copies.live($0, at: now) != nil }))
            }
        },
        CommandEntry(name: "strlen", arity: 2, kind: .read, keys: one) { arguments, _, _ in
            .read { copies, now in .integer(Int64(try copies.live(arguments[1], at: now)?.value.count ?? 0)) }
        },
        CommandEntry(name: "type", arity: 2, kind: .read, keys: one) { arguments, _, _ in
            .read { copies, now in .simple(try copies.live(arguments[1], at: now) == nil ? "none" : "string") }
        },
        CommandEntry(name: "ttl", arity: 2, kind: .read, keys: one) { arguments, _, _ in
            left(arguments[1]) { ($0 + 500) / 1000 }
        },
        CommandEntry(name: "pttl", arity: 2, kind: .read, keys: one) { arguments, _, _ in left(arguments[1]) { $0 } },
        CommandEntry(name: "revision", arity: 2, kind: .read, keys: one) { arguments, _, _ in
            .read { copies, now in .integer(try copies.live(arguments[1], at: now)?.revision ?? 0) }
        },
        CommandEntry(name: "getrev", arity: 2, kind: .read, keys: one) { arguments, _, _ in
            .read { copies, now in
                try copies.live(arguments[1], at: now).map { .list([.bulk($0.value), .integer($0.revision)]) } ?? .null
            }
        },
        CommandEntry(name: "dbsize", arity: 1, kind: .read, keys: (0, 0, 0)) { _, _, _ in
            .read { copies, _ in .integer(Int64(copies.count)) }
        },
        CommandEntry(name: "scan", arity: -2, kind: .read, keys: (0, 0, 0)) { arguments, _, _ in scan(arguments) },
    ]

    /// Milliseconds until a key is gone, as a client asked for them: -1 of one that stays, -2 of none.
    private static func left(_ key: Bytes, _ unit: @escaping @Sendable (Int64) -> Int64) -> Plan {
        .read { copies, now in
            guard let entry = try copies.live(key, at: now) else { return .integer(-2) }
            return .integer(entry.expires.map { unit($0.rawValue - now.rawValue) } ?? -1)
        }
    }

    private static func scan(_ arguments: [Bytes]) -> Plan {
        guard let text = arguments[1].validText, let cursor = UInt64(text) else {
            return .reply(.error("ERR invalid cursor"))
        }
        var (pattern, places, isWanted) = (nil as Glob?, 10, true)
        var rest = arguments.dropFirst(2)
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else { return .reply(.syntax) }
            switch option.word {
            case "MATCH": pattern = Glob(value)
            case "COUNT":
                guard let number = value.number else { return .reply(.noInteger) }
                if number < 1 { return .reply(.syntax) }
                places = Int(min(number, Int64(RESPLimits.scanned)))
            case "TYPE": isWanted = value.word == "STRING"
            default: return .reply(.syntax)
            }
        }
        return .read { [pattern, places, isWanted] copies, now in
            let (keys, next) = try copies.scan(from: cursor, places: places, at: now)
            let found = isWanted ? keys.filter { pattern?.matches($0) ?? true } : []
            return .list([.text(String(next)), .list(found.map { .bulk(Array($0.slice)) })])
        }
    }
}
