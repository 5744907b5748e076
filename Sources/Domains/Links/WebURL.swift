internal import EventModel

/// A URL as browsers read and write it (url.spec.whatwg.org, of 2026), for `http` and `https`.
///
/// What a browser would repair in silence is repaired as it does; what it would not follow, and what hides where it leads, is
/// refused.
struct WebURL: Hashable, Sendable {
    let isSecure: Bool
    /// In small ASCII letters: a name of the domain name system, a dotted address, or one of IPv6 in brackets.
    let host: String
    /// Nil for the scheme's own.
    let port: UInt16?
    /// Begins with a slash.
    let path: String
    /// Without the question mark; nil where there is none.
    let query: String?
    let fragment: String?

    var text: String {
        (isSecure ? "https" : "http") + "://\(authority)\(path)" + (query.map { "?\($0)" } ?? "")
            + (fragment.map { "#\($0)" } ?? "")
    }
    /// The host with its port, where that is not the scheme's own.
    var authority: String { host + (port.map { ":\($0)" } ?? "") }

    /// - Parameter field: Which field it came in.
    init(_ text: String, _ field: String = "url") throws(Malformed) {
        let tooLong = Malformed(field, "has over \(LinksLimits.url) bytes")
        if text.utf8.count > LinksLimits.url { throw tooLong }
        // Spaces and control characters around it are left out, tabs and ends of lines anywhere.
        var rest = Array(text.utf8)[...]
        while let first = rest.first, first <= 0x20 { rest.removeFirst() }
        while let last = rest.last, last <= 0x20 { rest.removeLast() }
        if rest.contains(where: Self.isLeftOut) { rest = rest.filter { !Self.isLeftOut($0) }[...] }
        if rest.isEmpty { throw Malformed(field, "is missing") }
        isSecure = try Self.scheme(&rest, field)
        rest = rest.drop { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        let end = rest.firstIndex {
            $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#")
        }
        let authority = rest[..<(end ?? rest.endIndex)]
        rest = rest[authority.endIndex...]
        if authority.contains(UInt8(ascii: "@")) {
            throw Malformed(
                field, "has a name or a password before its host, which hides where it leads; leave them out")
        }
        (host, port) = try Self.hostAndPort(authority, isSecure: isSecure, field)
        // A browser would look for a host of that name.
        if ["http", "https"].contains(host) { throw Malformed(field, "has its scheme twice; leave one out") }
        var after: ArraySlice<UInt8>?
        if let hash = rest.firstIndex(of: UInt8(ascii: "#")) {
            after = rest[(hash + 1)...]
            rest = rest[..<hash]
        }
        fragment = after.map { Self.escaped($0, but: Self.fragmentSet) }
        var asked: ArraySlice<UInt8>?
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            asked = rest[(mark + 1)...]
            rest = rest[..<mark]
        }
        query = asked.map { Self.escaped($0, but: Self.querySet) }
        path = Self.path(rest)
        if self.text.utf8.count > LinksLimits.url { throw tooLong }
    }

    /// Tabs and ends of lines.
    private static func isLeftOut(_ byte: UInt8) -> Bool { byte == 9 || byte == 10 || byte == 13 }

    private static func scheme(_ rest: inout ArraySlice<UInt8>, _ field: String) throws(Malformed) -> Bool {
        let known = rest.firstIndex(of: UInt8(ascii: ":")).map { colon in
            (String(decoding: rest[..<colon], as: UTF8.self).lowercased(), rest[(colon + 1)...])
        }
        switch known?.0 {
        case "https": rest = known?.1 ?? []; return true
        case "http": rest = known?.1 ?? []; return false
        case let name?
        where !name.isEmpty && name.first?.isLetter == true
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
            && !name.contains("."):
            throw Malformed(field, "is of the scheme \(name.prefix(20)); only http and https are taken")
        default: throw Malformed(field, "does not begin with http:// or https://")
        }
    }

    private static func hostAndPort(
        _ authority: ArraySlice<UInt8>, isSecure: Bool, _ field: String
    ) throws(Malformed) -> (String, UInt16?) {
        let bracket = authority.lastIndex(of: UInt8(ascii: "]")) ?? authority.startIndex
        let colon = authority[bracket...].firstIndex(of: UInt8(ascii: ":"))
        let host = try WebHost.parse(Array(authority[..<(colon ?? authority.endIndex)]), field)
        guard let colon, colon + 1 < authority.endIndex else { return (host, nil) }
        let digits = String(decoding: authority[(colon + 1)...], as: UTF8.self)
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else {
            throw Malformed(field, "has the port \(digits.prefix(20)), which is none")
        }
        return (host, port == (isSecure ? 443 : 80) ? nil : port)
    }

    // MARK: Path and escapes

    /// Characters of ASCII, a bit each.
    struct Characters: Sendable {
        private var (low, high): (UInt64, UInt64) = (0, 0)

        init(_ text: String) {
            for byte in text.utf8 {
                if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
            }
        }

        func contains(_ byte: UInt8) -> Bool { (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1 }
    }
    private static let querySet = Characters(" \"#<>'")
    private static let fragmentSet = Characters(" \"<>`")
    private static let pathSet = Characters(" \"#<>?^`{}")
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Escapes what is not ASCII, control characters, and some more. What is escaped already stays as it is.
    static func escaped(_ bytes: ArraySlice<UInt8>, but set: Characters) -> String {
        func isKept(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f && !set.contains(byte) }
        if bytes.allSatisfy(isKept) { return String(decoding: bytes, as: UTF8.self) }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 16)
        for byte in bytes {
            if isKept(byte) {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// With a slash for each backslash, and without what leads up or nowhere.
    private static func path(_ bytes: ArraySlice<UInt8>) -> String {
        var pieces: [String] = []
        let all = bytes.drop { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        let isRooted = bytes.first.map { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") } ?? false
        // Only the first slash begins the path: of more, empty pieces are left.
        let body = isRooted ? bytes.dropFirst() : all
        let parts = body.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        for (number, part) in parts.enumerated() {
            let piece = escaped(part, but: pathSet)
            let isLast = number == parts.count - 1
            guard part.first == UInt8(ascii: ".") || part.first == UInt8(ascii: "%") else {
                pieces.append(piece)
                continue
            }
            switch piece.lowercased().replacing("%2e", with: ".") {
            case "..":
                if !pieces.isEmpty { pieces.removeLast() }
                if isLast { pieces.append("") }
            case ".": if isLast { pieces.append("") }
            default: pieces.append(piece)
            }
        }
        return "/" + pieces.joined(separator: "/")
    }
}
