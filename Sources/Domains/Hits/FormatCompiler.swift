internal import CivilCalendar
internal import EventModel

/// Turns format strings of three kinds into the tokens of a ``WrittenFormat``.
///
/// - Apache: httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats
/// - nginx: nginx.org/en/docs/http/ngx_http_log_module.html#log_format
/// - GoAccess: goaccess.io/man#custom-log
struct FormatCompiler {
    private(set) var tokens: [WrittenFormat.Token] = []
    private var rest: Substring
    private let field: String

    init(rest: Substring, field: String) {
        self.rest = rest
        self.field = field
    }

    private mutating func add(_ text: String) {
        if case .literal(let before) = tokens.last {
            tokens[tokens.count - 1] = .literal(before + text.utf8)
        } else {
            tokens.append(.literal(Array(text.utf8)))
        }
    }

    /// Two fields without anything between cannot be told apart, but a path and its query are one.
    private mutating func add(_ field: WrittenFormat.Field) throws(Malformed) {
        if case .field(let before) = tokens.last {
            if before == .path, field == .query { return }
            throw Malformed(self.field, "has two fields with nothing between them, which cannot be told apart")
        }
        tokens.append(.field(field))
    }

    // MARK: Apache

    mutating func apache() throws(Malformed) {
        while let character = rest.popFirst() {
            if character != "%" {
                add(String(character))
                continue
            }
            if rest.first == "%" {
                rest.removeFirst()
                add("%")
                continue
            }
            // Only for some statuses, and of which request: neither moves the field.
            while let next = rest.first, "!<>,0123456789".contains(next) { rest.removeFirst() }
            var argument: String?
            if rest.first == "{" {
                guard let close = rest.firstIndex(of: "}") else { throw Malformed(field, "has a { without its }") }
                argument = String(rest[rest.index(after: rest.startIndex)..<close])
                rest = rest[rest.index(after: close)...]
            }
            if rest.first == "^" { rest = rest.dropFirst(2) }
            guard let letter = rest.popFirst() else { throw Malformed(field, "ends in a %") }
            if letter == "t" {
                try time(argument)
            } else {
                try add(apache(letter, argument))
            }
        }
    }

    private func apache(_ letter: Character, _ argument: String?) throws(Malformed) -> WrittenFormat.Field {
        switch letter {
        case "h", "a": return .client
        case "r": return .request
        case "m": return .method
        case "U": return .path
        case "q": return .query
        case "s": return .status
        case "b", "B", "O": return tokens.contains(.field(.size)) ? .other : .size
        case "v", "V": return .virtualHost
        case "i": return Self.header(argument ?? "")
        case "l", "u", "p", "f", "D", "T", "P", "X", "k", "L", "R", "A", "C", "e", "n", "o", "H", "I", "S":
            return .other
        default: throw Malformed(field, "has %\(letter), which is no part of Apache's formats")
        }
    }

    private static func header(_ name: String) -> WrittenFormat.Field {
        switch name.lowercased() {
        case "x-forwarded-for": .forwarded
        case "referer", "referrer": .referrer
        case "user-agent": .agent
        case "host": .virtualHost
        default: .other
        }
    }

    /// `%t`, or `%{FORMAT}t` with what stands behind begin: or end:.
    private mutating func time(_ argument: String?) throws(Malformed) {
        guard var format = argument else {
            add("[")
            tokens.append(.time(WrittenFormat.anyTime))
            return add("]")
        }
        for moment in ["begin:", "end:"] where format.hasPrefix(moment) { format.removeFirst(moment.count) }
        let pattern =
            switch format {
            case "": TimePattern.accessLog
            case "sec": TimePattern([.epoch(.seconds)])
            case "msec": TimePattern([.epoch(.milliseconds)])
            case "usec": TimePattern([.epoch(.microseconds)])
            case "msec_frac", "usec_frac": TimePattern([.fraction])
            default: try pattern(format)
            }
        tokens.append(.time([pattern]))
    }

    private func pattern(_ format: String) throws(Malformed) -> TimePattern {
        do {
            return try TimePattern(format)
        } catch {
            throw Malformed(field, error.message)
        }
    }

    // MARK: nginx

    mutating func nginx() throws(Malformed) {
        while let character = rest.popFirst() {
            if character != "$" {
                add(String(character))
                continue
            }
            let inBraces = rest.first == "{"
            if inBraces { rest.removeFirst() }
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            rest = rest[name.endIndex...]
            if name.isEmpty || inBraces && rest.popFirst() != "}" {
                throw Malformed(field, "has a $ without a variable")
            }
            switch name {
            case "time_local", "time_iso8601", "msec": tokens.append(.time(WrittenFormat.anyTime))
            default: try add(Self.variable(name))
            }
        }
    }

    private static func variable(_ name: Substring) -> WrittenFormat.Field {
        switch name {
        case "remote_addr", "realip_remote_addr": .client
        case "http_x_forwarded_for", "proxy_add_x_forwarded_for": .forwarded
        case "host", "http_host", "server_name": .virtualHost
        case "request": .request
        case "request_method": .method
        case "request_uri", "uri", "document_uri": .path
        case "args", "query_string": .query
        case "status": .status
        case "body_bytes_sent", "bytes_sent": .size
        case "http_referer": .referrer
        case "http_user_agent": .agent
        default: .other
        }
    }

    // MARK: GoAccess

    mutating func goAccess() throws(Malformed) {
        while let character = rest.popFirst() {
            if character == "~", rest.first == "h" {
                rest.removeFirst()
                if rest.first == "{", let close = rest.firstIndex(of: "}") { rest = rest[rest.index(after: close)...] }
                try add(.client)
                continue
            }
            if character != "%" {
                add(String(character))
                continue
            }
            guard let letter = rest.popFirst() else { throw Malformed(field, "ends in a %") }
            switch letter {
            case "%": add("%")
            case "~": tokens.append(.spaces)
            case "x": tokens.append(.time(WrittenFormat.anyTime))
            case "d": tokens.append(.time(try [pattern("%d/%b/%Y"), pattern("%Y-%m-%d"), pattern("%Y/%m/%d")]))
            case "t": tokens.append(.time([try pattern("%H:%M:%S")]))
            case "^": try add(isBehindTime ? .zoneOrOther : .other)
            default: try add(goAccess(letter))
            }
        }
    }

    /// Whether only a space stands between a time and what comes next.
    private var isBehindTime: Bool {
        guard tokens.last == .literal([0x20]), tokens.count > 1, case .time = tokens[tokens.count - 2] else {
            return false
        }
        return true
    }

    private func goAccess(_ letter: Character) throws(Malformed) -> WrittenFormat.Field {
        switch letter {
        case "h": return .client
        case "v": return .virtualHost
        case "r": return .request
        case "m": return .method
        case "U": return .path
        case "q": return .query
        case "s": return .status
        case "b": return .size
        case "R": return .referrer
        case "u": return .agent
        case "e", "H", "T", "L", "D", "n", "C", "M", "K", "k", "S": return .other
        default: throw Malformed(field, "has %\(letter), which is no part of GoAccess's formats")
        }
    }
}
