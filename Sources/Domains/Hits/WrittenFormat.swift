internal import CivilCalendar
internal import EventModel

/// A format string, read into what stands in a line one after the other.
struct WrittenFormat: Sendable {
    enum Field: Hashable, Sendable {
        case client, forwarded, virtualHost, request, method, path, query, status, size, referrer, agent, other
        /// Nothing that is asked for, unless it looks like a zone.
        case zoneOrOther
    }

    enum Token: Hashable, Sendable {
        case literal([UInt8])
        case field(Field)
        /// Any one of these shapes.
        case time([TimePattern])
        case spaces
    }

    private(set) var tokens: [Token] = []

    /// What times are read as where the format does not say: as servers write them, RFC 3339, or since 1970.
    static let anyTime: [TimePattern] = {
        let (dash, colon) = (TimePattern.Item.literal(0x2d), TimePattern.Item.literal(0x3a))
        let date: [TimePattern.Item] = [.year, dash, .month, dash, .day]
        let clock: [TimePattern.Item] = [.hour, colon, .minute, colon, .second]
        return [
            .accessLog, TimePattern(date + [.literal(0x54)] + clock + [.zone]),
            TimePattern(date + [.space] + clock + [.space, .zone]), TimePattern(date + [.literal(0x54)] + clock),
            TimePattern(date + [.space] + clock), TimePattern([.anyEpoch]),
        ]
    }()

    /// - Parameter field: what a mistake is told of.
    init(_ text: String, field: String) throws(Malformed) {
        let text = text.replacing("\\\"", with: "\"").replacing("\\t", with: "\t")
        var compiler = FormatCompiler(rest: text[...], field: field)
        if !text.contains("%") {
            try compiler.nginx()
        } else if Self.isGoAccess(text) {
            try compiler.goAccess()
        } else {
            try compiler.apache()
        }
        tokens = compiler.tokens
        let hasTime = tokens.contains {
            if case .time = $0 { return true }
            return false
        }
        if !hasTime {
            throw Malformed(field, "\(text) has no time: %t (Apache), $time_local (nginx) or %d and %t (GoAccess)")
        }
        if !tokens.contains(.field(.request)), !tokens.contains(.field(.path)) {
            throw Malformed(
                field, "\(text) has no request: %r or %U (Apache, GoAccess), $request or $request_uri (nginx)")
        }
    }

    /// Whether it has GoAccess's date, which no server's formats have but for what stands in braces.
    private static func isGoAccess(_ text: String) -> Bool {
        var isInside = false
        var before: Character = " "
        for character in text {
            if character == "{" { isInside = true }
            if character == "}" { isInside = false }
            if !isInside, before == "%", character == "d" || character == "x" { return true }
            before = character
        }
        return false
    }

    // MARK: Reading a line

    func entry(_ line: ArraySlice<UInt8>) throws(AccessLog.Unreadable) -> LogEntry {
        var rest = line.last == 0x0d ? line.dropLast() : line
        var (entry, parts) = (LogEntry(), CivilParts())
        for i in tokens.indices {
            switch tokens[i] {
            case .literal(let literal): try Self.skip(literal, &rest, isLast: i + 1 == tokens.count)
            case .spaces: rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
            case .time(let patterns):
                try Self.read(patterns, &rest, &parts, before: i + 1 < tokens.count ? tokens[i + 1] : nil)
            case .field(let field): try put(take(i, &rest), field, &entry, &parts)
            }
        }
        entry.time = parts.moment
        if entry.time == nil { throw AccessLog.Unreadable(why: "the time is none that the calendar has") }
        return entry
    }

    /// A run of spaces stands for any other; the last quote may be cut off.
    private static func skip(
        _ literal: [UInt8], _ rest: inout ArraySlice<UInt8>, isLast: Bool
    ) throws(AccessLog.Unreadable) {
        var at = 0
        while at < literal.count {
            if literal[at] == 0x20 {
                guard rest.first == 0x20 else { break }
                rest = rest.drop { $0 == 0x20 }
                while at < literal.count, literal[at] == 0x20 { at += 1 }
            } else {
                guard rest.first == literal[at] else { break }
                rest = rest.dropFirst()
                at += 1
            }
        }
        if at == literal.count || isLast && rest.isEmpty { return }
        throw AccessLog.Unreadable(
            why:
                "has \(rest.isEmpty ? "its end" : "'\(LogEntry.text(rest.prefix(20)))'") where the format has '\(LogEntry.text(literal[...]))'"
        )
    }

    private static func read(
        _ patterns: [TimePattern], _ rest: inout ArraySlice<UInt8>, _ parts: inout CivilParts, before next: Token?
    ) throws(AccessLog.Unreadable) {
        var following: UInt8?
        if case .literal(let literal) = next { following = literal.first }
        for pattern in patterns {
            var (tried, found) = (rest, parts)
            if pattern.read(&tried, into: &found, before: following) {
                (rest, parts) = (tried, found)
                return
            }
        }
        throw AccessLog.Unreadable(why: "the time is '\(LogEntry.text(rest.prefix(30)))', not of the format's shape")
    }

    /// What the field of a token is: up to the text after it, or in quotes up to the next quote.
    private func take(_ i: Int, _ rest: inout ArraySlice<UInt8>) throws(AccessLog.Unreadable) -> String {
        guard i + 1 < tokens.count, case .literal(let next) = tokens[i + 1] else {
            let taken = rest.prefix { $0 != 0x20 }
            rest = rest[taken.endIndex...]
            return LogEntry.text(taken)
        }
        if i > 0, case .literal(let before) = tokens[i - 1], before.last == 0x22, next.first == 0x22 {
            var scanner = LineScanner(rest: rest)
            let text = scanner.toQuote()
            rest = scanner.rest
            return text
        }
        var stop = Self.find(next, in: rest)
        // A list of addresses has the same signs between them that end it.
        if tokens[i] == .field(.client) || tokens[i] == .field(.forwarded) {
            while let at = stop, at > rest.startIndex, rest[at - 1] == 0x2c,
                let more = Self.find(next, in: rest[(at + 1)...])
            {
                stop = more
            }
        }
        let taken = rest[..<(stop ?? rest.endIndex)]
        rest = rest[taken.endIndex...]
        let end = taken.lastIndex { $0 != 0x20 }.map { $0 + 1 } ?? taken.startIndex
        return LogEntry.text(taken[..<end].drop { $0 == 0x20 })
    }

    private static func find(_ literal: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        var from = bytes.startIndex
        while let at = bytes[from...].firstIndex(of: literal[0]) {
            if bytes[at...].starts(with: literal) { return at }
            from = at + 1
        }
        return nil
    }

    private func put(
        _ text: String, _ field: Field, _ entry: inout LogEntry, _ parts: inout CivilParts
    ) throws(AccessLog.Unreadable) {
        switch field {
        case .client: if entry.hit.visitor.isEmpty { entry.put(client: text) }
        case .forwarded: if !LogEntry.isNobody(text) { entry.put(client: text) }
        case .virtualHost: entry.virtualHost = text
        case .request: entry.put(request: text)
        case .method: entry.hit.method = text == "-" ? "" : text
        case .path: entry.hit.path = text
        case .query: entry.query = text
        case .status: try entry.put(status: ArraySlice(text.utf8))
        case .size: try entry.put(size: ArraySlice(text.utf8))
        case .referrer: entry.put(referrer: text)
        case .agent: entry.put(agent: text)
        case .zoneOrOther:
            var (zone, found) = (ArraySlice(text.utf8), parts)
            if TimePattern([.zone]).read(&zone, into: &found), zone.isEmpty { parts = found }
        case .other: break
        }
    }
}
