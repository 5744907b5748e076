internal import EventModel
internal import SwiftProtobuf
internal import XMLText

/// What one line of an access log says, in whatever format, on its way to becoming a hit.
struct LogEntry {
    var hit = HitsHit()
    var time: Timestamp?
    /// The virtual host, as the line has it.
    var virtualHost: String?
    /// The query, where the line has it apart from the path.
    var query = ""

    // MARK: What is put into it

    /// The first line of a request: method, path and protocol. What is none, such as a TLS handshake sent to a plain port,
    /// is kept as the path.
    mutating func put(request: String) {
        let bytes = request.utf8
        let start = bytes.firstIndex { $0 != 0x20 } ?? bytes.endIndex
        let space = bytes[start...].firstIndex(of: 0x20) ?? bytes.endIndex
        let path = bytes[space...].dropFirst()
        if path.isEmpty || !Self.isMethod(bytes[start..<space]) {
            hit.path = request
            return
        }
        hit.method = String(request[start..<space])
        if let last = path.lastIndex(of: 0x20), Self.isProtocol(path[path.index(after: last)...]) {
            hit.path = String(request[path.startIndex..<last])
        } else {
            hit.path = String(request[path.startIndex...])
        }
    }

    private static func isMethod(_ word: Substring.UTF8View) -> Bool {
        word.count <= 20
            && word.allSatisfy {
                (65...90).contains($0 & 0xdf) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }

    /// `HTTP/1.1`, in either case.
    private static func isProtocol(_ word: Substring.UTF8View) -> Bool {
        guard word.count > 5 else { return false }
        let version = word.dropFirst(5)
        return zip(word, "http/".utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
            && version.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
    }

    /// An address, or a list of those that a request came through, the visitor's own first.
    mutating func put(client: String) {
        hit.visitor = Self.address(client)
    }

    private static func address(_ text: String) -> String {
        var first = text[...]
        if text.utf8.contains(0x2c) {
            let words = text.split { $0 == "," || $0 == " " }
            first = words.first { !isNobody($0) } ?? words.first ?? ""
        }
        return isNobody(first) ? String(first) : String(withoutPort(first))
    }

    /// How proxies write that they do not know, or do not say, who asked.
    static func isNobody(_ word: some StringProtocol) -> Bool { word.isEmpty || word == "-" || word == "unknown" }

    /// An address or a name without the port behind it: `203.0.113.7:4711`, `[2001:db8::1]:443`. A bare IPv6 address has none.
    static func withoutPort(_ text: Substring) -> Substring {
        guard let colon = text.utf8.lastIndex(of: 0x3a) else { return text }
        if text.utf8.first == 0x5b {
            guard let close = text.utf8.lastIndex(of: 0x5d) else { return text }
            return text[text.utf8.index(after: text.startIndex)..<close]
        }
        let port = text.utf8[text.utf8.index(after: colon)...]
        let isOne = text.utf8.firstIndex(of: 0x3a) == colon && port.allSatisfy { (0x30...0x39).contains($0) }
        return isOne && !port.isEmpty ? text[..<colon] : text
    }

    /// Digits; a dash, or nothing, is no status.
    mutating func put(status: ArraySlice<UInt8>) throws(AccessLog.Unreadable) {
        if Self.isNone(status) { return }
        guard let value = Self.whole(status).flatMap({ Int32(exactly: $0) }) else {
            throw AccessLog.Unreadable(why: "the status is \(Self.text(status)), not a number")
        }
        hit.status = value
    }

    /// Digits; a dash, or nothing, is 0.
    mutating func put(size: ArraySlice<UInt8>) throws(AccessLog.Unreadable) {
        if Self.isNone(size) { return }
        let isNegative = size.first == 0x2d
        guard let value = Self.whole(isNegative ? size.dropFirst() : size) else {
            throw AccessLog.Unreadable(why: "the size is \(Self.text(size)), not a number")
        }
        hit.bytes = isNegative ? -value : value
    }

    mutating func put(referrer: String) { hit.referrer = referrer == "-" ? "" : referrer }
    mutating func put(agent: String) { hit.userAgent = agent == "-" ? "" : agent }

    private static func isNone(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.isEmpty || (bytes.count == 1 && bytes.first == 0x2d)
    }

    /// Digits only, and no more than 64 bits hold.
    static func whole(_ bytes: ArraySlice<UInt8>) -> Int64? {
        if bytes.isEmpty { return nil }
        var value: Int64 = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int64(byte - 0x30))
            if over || carried { return nil }
            value = sum
        }
        return value
    }

    /// As ``LatinText`` has it, and control characters become spaces.
    static func text(_ bytes: ArraySlice<UInt8>) -> String {
        let isPlain = !bytes.contains { $0 < 0x20 || $0 == 0x7f }
        let text = LatinText.text(bytes)
        return isPlain ? text : printable(text)
    }

    /// Text without control characters.
    static func printable(_ text: String) -> String {
        if !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) { return text }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
    }

    // MARK: What comes of it

    /// The hit's key, value and time.
    func record(_ site: AccessLog.Site) throws(AccessLog.Unreadable) -> NewRecord {
        guard let time else { throw AccessLog.Unreadable(why: "the time is missing") }
        if !Timestamp.calendar.contains(time) {
            throw AccessLog.Unreadable(why: "the time is not in the years 1 to 9998")
        }
        var hit = hit
        hit.site = site.name(virtualHost)
        if !query.isEmpty, query != "-" {
            hit.path += query.hasPrefix("?") || hit.path.utf8.contains(UInt8(ascii: "?")) ? query : "?" + query
        }
        do {
            try Hits.check(.hit(hit))
        } catch {
            throw AccessLog.Unreadable(why: error.message)
        }
        return NewRecord(key: Bytes(Hits.key(of: .hit(hit))), value: HitsEvent.bytes(.hit(hit)), timestamp: time)
    }
}

extension AccessLog {
    /// Which site a line's hit is on.
    public enum Site: Hashable, Sendable {
        case named(String)
        /// The line's virtual host, where it has one that can name a site.
        case ofLine(otherwise: String)

        func name(_ virtualHost: String?) -> String {
            switch self {
            case .named(let name): return name
            case .ofLine(let other):
                guard let virtualHost, !LogEntry.isNobody(virtualHost), virtualHost != "_" else { return other }
                let name = LogEntry.withoutPort(virtualHost[...]).lowercased()
                let isSite = (try? Check.identifier(name, "site", atMost: 200)) != nil && name != HitWindows.allSites
                return isSite ? name : other
            }
        }
    }
}
