internal import EventModel

/// Walks over a line of the common log format: words, a time in brackets, texts in quotes.
struct LineScanner {
    var rest: ArraySlice<UInt8>

    var isAtEnd: Bool { rest.allSatisfy { $0 == 0x20 } }

    private mutating func skipSpaces() { rest = rest.drop { $0 == 0x20 } }

    mutating func word(_ what: String) throws(AccessLog.Unreadable) -> ArraySlice<UInt8> {
        skipSpaces()
        let word = rest.prefix { $0 != 0x20 }
        if word.isEmpty { throw AccessLog.Unreadable(why: "\(what) is missing") }
        rest = rest[word.endIndex...]
        return word
    }

    /// A word, and those after it where they are a list: `203.0.113.7, 198.51.100.2`.
    mutating func addresses(_ what: String) throws(AccessLog.Unreadable) -> ArraySlice<UInt8> {
        list(from: try word(what))
    }

    mutating func list(from first: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var list = first
        while list.last == 0x2c, let next = try? word("the next address") {
            list = ArraySlice(list + [0x20] + next)
        }
        return list
    }

    /// Whether the word in front of another is the virtual host, and the other the client: `www.example.net:80 ::1 - - [`.
    func isVirtualHost(_ word: ArraySlice<UInt8>, before other: ArraySlice<UInt8>) -> Bool {
        if other.count < 2 || other.first == 0x2d { return false }
        let text = LogEntry.text(word)
        let name = LogEntry.withoutPort(text[...])
        let isAddress = Self.isAddress(text[...])
        if name.utf8.count == text.utf8.count || isAddress {
            // Without a port only a name can be told from a client, and only where an address follows.
            return !isAddress && Self.isAddress(LogEntry.text(other)[...])
        }
        let words = rest.prefix { $0 != 0x5b }.split(separator: 0x20)
        return words.count >= 2
    }

    /// An address of IPv4 or IPv6, as far as its bytes tell.
    private static func isAddress(_ word: Substring) -> Bool {
        let bytes = word.last == "," ? word.dropLast().utf8 : word.utf8
        if bytes.contains(0x3a) {
            return bytes.filter { $0 == 0x3a }.count >= 2
                && bytes.allSatisfy {
                    $0 == 0x3a || $0 == 0x2e || (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20)
                }
        }
        let parts = bytes.split(separator: 0x2e, omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { (1...3).contains($0.count) && $0.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// The time in brackets, past the user before it, whose name may have spaces and brackets in it.
    mutating func time() throws(AccessLog.Unreadable) -> Timestamp {
        guard let open = rest.firstIndex(of: 0x5b), let close = rest[open...].firstIndex(of: 0x5d) else {
            throw AccessLog.Unreadable(why: "the [time] is missing")
        }
        let inside = rest[(open + 1)..<close]
        if let time = AccessLog.moment(inside) {
            rest = rest[(close + 1)...]
            return time
        }
        // The user's name has a bracket. The time's own is followed by a quote, which a server writes nowhere else unescaped.
        var from = open + 1
        while let open = rest[from...].firstIndex(of: 0x5b) {
            from = open + 1
            guard let close = rest[from...].firstIndex(of: 0x5d) else { break }
            guard rest[(close + 1)...].starts(with: [0x20, 0x22]), let time = AccessLog.moment(rest[from..<close])
            else {
                continue
            }
            rest = rest[(close + 1)...]
            return time
        }
        throw AccessLog.Unreadable(
            why: "the time is [\(LogEntry.text(inside))], not [17/May/2015:10:05:03 +0000]")
    }

    /// A text in quotes, in which a backslash keeps the quote or backslash behind it.
    /// - Parameter mayEndOpen: a server that cuts long lines leaves the last text without its closing quote.
    mutating func quoted(_ what: String, mayEndOpen: Bool = false) throws(AccessLog.Unreadable) -> String {
        skipSpaces()
        guard rest.first == 0x22 else { throw AccessLog.Unreadable(why: "\(what) is not in quotes") }
        rest = rest.dropFirst()
        let text = toQuote()
        if rest.isEmpty, !mayEndOpen { throw AccessLog.Unreadable(why: "\(what) has no closing quote") }
        rest = rest.dropFirst()
        return text
    }

    /// The text up to the next quote that no backslash keeps, or up to the end.
    mutating func toQuote() -> String {
        let plain = rest.prefix { $0 != 0x22 && $0 != 0x5c }
        rest = rest[plain.endIndex...]
        if rest.first != 0x5c { return LogEntry.text(plain) }
        var out = Array(plain)
        while let byte = rest.first, byte != 0x22 {
            let second = rest.dropFirst().first
            let keeps = byte == 0x5c && (second == 0x22 || second == 0x5c)
            out.append(keeps ? second ?? byte : byte)
            rest = rest.dropFirst(keeps ? 2 : 1)
        }
        return LogEntry.text(out[...])
    }
}
