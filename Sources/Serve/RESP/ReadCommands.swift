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

/// A pattern of names as Redis has it: `*`, `?`, `[a-c]`, `[^a]` and `\` (`stringmatchlen`).
struct Glob: Sendable {
    /// The bytes that a set in brackets has, as bits.
    private struct ByteSet: Sendable {
        private var words: SIMD4<UInt64> = .zero
        mutating func add(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
        func has(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }
    }
    private enum Sign: Sendable {
        case any
        case one
        case byte(UInt8)
        case set(ByteSet, isNot: Bool)
        var isAny: Bool { if case .any = self { true } else { false } }

        func takes(_ byte: UInt8) -> Bool {
            switch self {
            case .any: false
            case .one: true
            case .byte(let own): own == byte
            case .set(let set, let isNot): set.has(byte) != isNot
            }
        }
    }
    private let signs: [Sign]

    init(_ pattern: Bytes) {
        let pattern = Array(pattern.slice)
        var (signs, p) = ([Sign](), 0)
        while p < pattern.count {
            switch pattern[p] {
            case UInt8(ascii: "*"): signs.append(.any)
            case UInt8(ascii: "?"): signs.append(.one)
            case UInt8(ascii: "\\") where p + 1 < pattern.count:
                p += 1
                signs.append(.byte(pattern[p]))
            case UInt8(ascii: "["): signs.append(Self.set(pattern, &p))
            default: signs.append(.byte(pattern[p]))
            }
            p += 1
        }
        self.signs = signs
    }

    func matches(_ name: Bytes) -> Bool {
        let name = Array(name.slice)
        // One place to come back to is enough: a later star takes over from an earlier one, so the time is at most the product
        // of both lengths.
        var (p, n) = (0, 0)
        var star: (p: Int, n: Int)?
        while n < name.count {
            if p < signs.count, signs[p].isAny {
                star = (p + 1, n)
                p += 1
            } else if p < signs.count, signs[p].takes(name[n]) {
                (p, n) = (p + 1, n + 1)
            } else if let back = star {
                star = (back.p, back.n + 1)
                (p, n) = (back.p, back.n + 1)
            } else {
                return false
            }
        }
        return signs[p...].allSatisfy(\.isAny)
    }

    /// Reads a set once, however often it is asked.
    ///
    /// - Parameter p: The place of its bracket, and then of the one that ends it, or of the pattern's last byte.
    private static func set(_ pattern: [UInt8], _ p: inout Int) -> Sign {
        p += 1
        let isNot = p < pattern.count && pattern[p] == UInt8(ascii: "^")
        if isNot { p += 1 }
        var set = ByteSet()
        while p < pattern.count, pattern[p] != UInt8(ascii: "]") {
            if pattern[p] == UInt8(ascii: "\\"), p + 1 < pattern.count {
                set.add(pattern[p + 1])
                p += 2
            } else if p + 2 < pattern.count, pattern[p + 1] == UInt8(ascii: "-") {
                for byte in min(pattern[p], pattern[p + 2])...max(pattern[p], pattern[p + 2]) { set.add(byte) }
                p += 3
            } else {
                set.add(pattern[p])
                p += 1
            }
        }
        return .set(set, isNot: isNot)
    }
}
