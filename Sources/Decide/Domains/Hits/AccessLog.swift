public import EventModel
internal import SwiftProtobuf

/// Reads web servers' access logs in the common and the combined log format
/// (httpd.apache.org/docs/2.4/logs.html#accesslog).
///
///     host ident user [day/month/year:hour:minute:second zone] "method path protocol" status bytes ["referrer" "agent"]
public enum AccessLog {
    public struct Unreadable: Error, Hashable, Sendable {
        public var why: String
    }

    /// The hit that a line records: its key, value and time.
    public static func hit(_ line: ArraySlice<UInt8>, site: String) throws(Unreadable) -> NewRecord {
        var scanner = Scanner(rest: line.last == 0x0d ? line.dropLast() : line)
        let host = try scanner.word("the host")
        _ = try scanner.word("the identity")
        _ = try scanner.user()
        let time = try timestamp(scanner.bracketed())
        let request = try scanner.quoted("the request")
        let status = try scanner.word("the status")
        let size = try scanner.word("the size")
        var hit = HitsHit()
        hit.site = site
        hit.visitor = host
        let parts = request.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        if parts.count == 2, isMethod(parts[0]) {
            hit.method = String(parts[0])
            let path = parts[1]
            if let space = path.lastIndex(of: " "), path[space...].hasPrefix(" HTTP/") {
                hit.path = String(path[..<space])
            } else {
                hit.path = String(path)
            }
        } else {
            hit.path = request
        }
        guard let code = Int32(status) else { throw Unreadable(why: "the status is \(status), not a number") }
        hit.status = code
        guard let bytes = size == "-" ? 0 : Int64(size) else {
            throw Unreadable(why: "the size is \(size), not a number")
        }
        hit.bytes = bytes
        if !scanner.isAtEnd {
            hit.referrer = dashless(try scanner.quoted("the referrer"))
            hit.userAgent = dashless(try scanner.quoted("the agent", mayEndOpen: true))
        }
        do {
            try Hits.check(.hit(hit))
        } catch {
            throw Unreadable(why: error.message)
        }
        return NewRecord(key: Bytes(Hits.key(of: .hit(hit))), value: HitsEvent.bytes(.hit(hit)), timestamp: time)
    }

    /// Whether a word may be a method; what is none, such as a TLS handshake sent to a plain port, is kept as the path.
    private static func isMethod(_ word: Substring) -> Bool {
        word.utf8.count <= 20
            && word.utf8.allSatisfy {
                (65...90).contains($0 & 0xdf) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }

    private static func dashless(_ text: String) -> String { text == "-" ? "" : text }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `17/May/2015:10:05:03 +0000`.
    static func timestamp(_ text: String) throws(Unreadable) -> Timestamp {
        let bad = Unreadable(why: "the time is [\(text)], not [17/May/2015:10:05:03 +0000]")
        let halves = text.split(separator: " ")
        guard halves.count == 2, let zone = offset(halves[1]) else { throw bad }
        let parts = halves[0].split(whereSeparator: { $0 == "/" || $0 == ":" })
        guard parts.count == 6, let day = Int64(parts[0]), let month = months.firstIndex(of: String(parts[1])),
            let year = Int64(parts[2]), let hour = Int64(parts[3]), let minute = Int64(parts[4]),
            let second = Int64(parts[5]), (1...31).contains(day), (1900...9999).contains(year), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { throw bad }
        if day > CivilTime.days(in: Int64(month) + 1, of: year) { throw bad }
        let days = CivilTime.daysSince1970(year: year, month: Int64(month) + 1, day: day)
        return Timestamp((days * 86_400 + hour * 3600 + minute * 60 + second - zone) * 1000)
    }

    /// Seconds east of UTC: `-0400`.
    private static func offset(_ zone: Substring) -> Int64? {
        guard zone.utf8.count == 5, let digits = Int64(zone.dropFirst()), digits >= 0 else { return nil }
        let seconds = (digits / 100 * 60 + digits % 100) * 60
        return zone.first == "+" ? seconds : zone.first == "-" ? -seconds : nil
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        var isAtEnd: Bool { rest.allSatisfy { $0 == 0x20 } }

        private mutating func skipSpaces() { rest = rest.drop { $0 == 0x20 } }

        mutating func word(_ what: String) throws(Unreadable) -> String {
            skipSpaces()
            let word = rest.prefix { $0 != 0x20 }
            if word.isEmpty { throw Unreadable(why: "\(what) is missing") }
            rest = rest.dropFirst(word.count)
            return text(word)
        }

        /// The user, which may have spaces in it: all up to the bracket.
        mutating func user() throws(Unreadable) -> String {
            guard let bracket = rest.firstIndex(of: 0x5b) else { throw Unreadable(why: "the [time] is missing") }
            defer { rest = rest[bracket...] }
            return text(rest[..<bracket])
        }

        mutating func bracketed() throws(Unreadable) -> String {
            skipSpaces()
            guard rest.first == 0x5b, let end = rest.firstIndex(of: 0x5d) else {
                throw Unreadable(why: "the [time] is missing")
            }
            defer { rest = rest[rest.index(after: end)...] }
            return text(rest[rest.index(after: rest.startIndex)..<end])
        }

        /// A text in quotes, in which a backslash keeps the quote or backslash behind it.
        /// - Parameter mayEndOpen: a server that cuts long lines leaves the last text without its closing quote.
        mutating func quoted(_ what: String, mayEndOpen: Bool = false) throws(Unreadable) -> String {
            skipSpaces()
            guard rest.first == 0x22 else { throw Unreadable(why: "\(what) is not in quotes") }
            var out: [UInt8] = []
            var i = rest.index(after: rest.startIndex)
            while i < rest.endIndex {
                if rest[i] == 0x22 {
                    rest = rest[rest.index(after: i)...]
                    return text(out[...])
                }
                if rest[i] == 0x5c, i + 1 < rest.endIndex, rest[i + 1] == 0x22 || rest[i + 1] == 0x5c { i += 1 }
                out.append(rest[i])
                i = rest.index(after: i)
            }
            if !mayEndOpen { throw Unreadable(why: "\(what) has no closing quote") }
            rest = rest[rest.endIndex...]
            return text(out[...])
        }

        /// Bytes that are no UTF-8 are read as Latin-1, as old logs were written; control characters become spaces.
        private func text(_ bytes: ArraySlice<UInt8>) -> String {
            let text =
                String(validating: bytes, as: UTF8.self)
                ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
            if !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) { return text }
            return String(
                String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
        }
    }
}
