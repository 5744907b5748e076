internal import EventModel

extension TweetText {
    /// The longest link, with its scheme.
    private static let longestLink = 4096
    /// The longest name that Twitter's own links have.
    private static let longestSlug = 40

    /// Where links stand: hosts under a top-level domain that there is, with or without http:// or https:// before and with
    /// what belongs to them behind. A host of other letters than Latin ones needs the scheme.
    static func links(in scalars: [Unicode.Scalar]) -> [Range<Int>] {
        if !scalars.contains(".") { return [] }
        var links: [Range<Int>] = []
        // What stands before a link belongs to no other.
        var (at, free) = (0, 0)
        while at < scalars.count {
            guard at == 0 || at > free && mayPrecedeLink(scalars[at - 1]) else {
                at += 1
                continue
            }
            if let scheme = schemeEnd(scalars, at: at), let host = Host(scalars, withScheme: scheme) {
                let end = linkEnd(scalars, after: host)
                if let whole = shortLink(scalars, at..<end, scheme, host), isLink(whole, scheme: true, host, scalars) {
                    links.append(whole)
                }
                (at, free) = (end, end)
                continue
            }
            switch Host.search(scalars, at: at) {
            case .none(let next): at = next
            case .found(let host):
                let end = linkEnd(scalars, after: host)
                let glued = at > 0 && "-_./".unicodeScalars.contains(scalars[at - 1])
                if !glued, isLink(at..<end, scheme: false, host, scalars) { links.append(at..<end) }
                (at, free) = (end, end)
            }
        }
        return links
    }

    private static func mayPrecedeLink(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return !(isASCIILetter(scalar) || isDigit(scalar) || scalar == "@" || scalar == "$" || scalar == "#")
        }
        return !["\u{ff20}", "\u{ff03}", "\u{fffe}", "\u{feff}", "\u{ffff}"].contains(scalar)
    }

    /// Behind `http://` or `https://`.
    private static func schemeEnd(_ scalars: [Unicode.Scalar], at start: Int) -> Int? {
        guard start + 7 < scalars.count, isLetter("h", scalars[start]) else { return nil }
        var at = start
        for letter in "http".unicodeScalars {
            if !isLetter(letter, scalars[at]) { return nil }
            at += 1
        }
        if isLetter("s", scalars[at]) { at += 1 }
        guard at + 2 < scalars.count, scalars[at] == ":", scalars[at + 1] == "/", scalars[at + 2] == "/" else {
            return nil
        }
        return at + 3
    }

    private static func isLetter(_ letter: Unicode.Scalar, _ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && scalar.value | 0x20 == letter.value
    }

    /// The end of the port, path and query that follow a host.
    private static func linkEnd(_ scalars: [Unicode.Scalar], after host: Host) -> Int {
        var end = host.range.upperBound
        if end + 1 < scalars.count, scalars[end] == ":", isDigit(scalars[end + 1]) {
            end = scalars[(end + 1)...].firstIndex { !isDigit($0) } ?? scalars.count
        }
        if end < scalars.count, scalars[end] == "/" { end = pathEnd(scalars, after: end) }
        if end < scalars.count, scalars[end] == "?" {
            let query = scalars[(end + 1)...].prefix { isOfQuery($0) }
            if let last = query.lastIndex(where: mayEndQuery) { end = last + 1 }
        }
        return end
    }

    /// The end of the path that begins with the slash at `slash`: it does not end in a sign of the sentence, and has
    /// parentheses only in pairs, one within another at most.
    private static func pathEnd(_ scalars: [Unicode.Scalar], after slash: Int) -> Int {
        var (at, end) = (slash + 1, slash + 1)
        while at < scalars.count {
            if isOfPath(scalars[at]) {
                at += 1
                if mayEndPath(scalars[at - 1]) { end = at }
            } else if let closed = parenthesesEnd(scalars, at: at) {
                (at, end) = (closed, closed)
            } else {
                break
            }
        }
        return end
    }

    /// Behind `(a)`, `((a))` or `(a(b)c)`.
    private static func parenthesesEnd(_ scalars: [Unicode.Scalar], at open: Int) -> Int? {
        func plain(_ at: Int) -> Int { scalars[at...].firstIndex { !isOfPath($0) } ?? scalars.count }
        func has(_ sign: Unicode.Scalar, _ at: Int) -> Bool { at < scalars.count && scalars[at] == sign }
        guard has("(", open) else { return nil }
        let first = plain(open + 1)
        if has(")", first) { return first > open + 1 ? first + 1 : nil }
        guard has("(", first) else { return nil }
        let second = plain(first + 1)
        guard has(")", second), second > first + 1 else { return nil }
        let third = plain(second + 1)
        return has(")", third) ? third + 1 : nil
    }

    /// A link of t.co ends with its name, and a query; nil where the name is too long to be one.
    private static func shortLink(
        _ scalars: [Unicode.Scalar], _ link: Range<Int>, _ scheme: Int, _ host: Host
    ) -> Range<Int>? {
        let name = scheme + 5
        guard host.range == scheme..<(scheme + 4), string(scalars[host.range]).lowercased() == "t.co",
            name < link.upperBound, scalars[name - 1] == "/"
        else { return link }
        let slug = scalars[name..<link.upperBound].prefix { isASCIILetter($0) || isDigit($0) }
        if slug.isEmpty { return link }
        if slug.count > longestSlug { return nil }
        var end = slug.endIndex
        if end < scalars.count, scalars[end] == "?" {
            let query = scalars[(end + 1)..<max(end + 1, link.upperBound)].prefix { isOfQuery($0) }
            if let last = query.lastIndex(where: mayEndQuery) { end = last + 1 }
        }
        return link.lowerBound..<end
    }

    private static func isLink(_ range: Range<Int>, scheme: Bool, _ host: Host, _ scalars: [Unicode.Scalar]) -> Bool {
        guard let encoded = host.encodedLength(scalars) else { return false }
        let length = range.count + encoded - host.range.count + (scheme ? 0 : "https://".utf8.count)
        return length <= longestLink
    }

    // MARK: Signs

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { (0x30...0x39).contains(scalar.value) }

    private static let inPaths = signs("!*';:=+,.$/%#[]-_~|&@")
    private static let endingPaths = signs("=_#/-+")
    private static let inQueries = signs("!?*'@();:&=+$/%#[]-_.,~|")
    private static let endingQueries = signs("-_&=#/")

    /// Letters, digits and some signs of ASCII, as bits.
    private static func signs(_ text: String) -> (UInt64, UInt64) {
        var bits: (UInt64, UInt64) = (0, 0)
        for byte in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\(text)".utf8 {
            if byte < 64 { bits.0 |= 1 << UInt64(byte) } else { bits.1 |= 1 << UInt64(byte - 64) }
        }
        return bits
    }

    private static func isIn(_ bits: (UInt64, UInt64), _ scalar: Unicode.Scalar) -> Bool {
        let value = UInt64(scalar.value)
        return (value < 64 ? bits.0 >> value : bits.1 >> (value - 64)) & 1 == 1
    }

    private static func isOfPath(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? isIn(inPaths, scalar) : scalar == "\u{2013}" || isAccented(scalar) || isCyrillic(scalar)
    }

    private static func mayEndPath(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? isIn(endingPaths, scalar) : isAccented(scalar) || isCyrillic(scalar)
    }

    private static func isOfQuery(_ scalar: Unicode.Scalar) -> Bool { scalar.isASCII && isIn(inQueries, scalar) }
    private static func mayEndQuery(_ scalar: Unicode.Scalar) -> Bool { scalar.isASCII && isIn(endingQueries, scalar) }

    private static func isCyrillic(_ scalar: Unicode.Scalar) -> Bool { (0x400...0x4ff).contains(scalar.value) }
}
