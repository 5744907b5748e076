package import EventModel

/// Bytes that are no UTF-8 are Latin-1, as old files were written.
package enum LatinText {
    package static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(validating: bytes, as: UTF8.self)
            ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
}

/// Finds the tags and texts of an XML document (w3.org/TR/xml) that is given line by line, wherever its lines break. Prefixes of
/// names are left out. Comments, processing instructions and the name of a document type are passed over. What a document
/// declares itself is not read: such a document type is refused, and each entity that it would have to declare is told.
package struct XMLTags: Sendable {
    package init() {}

    package enum Part: Hashable, Sendable {
        case open(String, [String: String])
        case close(String)
        case text([UInt8])
        /// An entity that XML has not by itself, as it is written: `&b;`. It stands in the text or tag that comes next.
        case unknown(String)
    }

    /// What has begun in an earlier line and not ended.
    private var pending: [UInt8] = []
    /// How much of it has been looked through for its end, and the quote that is open there.
    private var searched = 0
    private var quote: UInt8?
    /// Bytes that a tag or remark may have.
    package static let longest = 100_000

    private static let comment = (open: Array("<!--".utf8), close: Array("-->".utf8))
    private static let data = (open: Array("<![CDATA[".utf8), close: Array("]]>".utf8))
    private static let documentType = Array("<!DOCTYPE".utf8)
    private static let instruction = (open: Array("<?".utf8), close: Array("?>".utf8))

    package mutating func take(_ line: ArraySlice<UInt8>) throws(Malformed) -> [Part] {
        var rest = line
        if !pending.isEmpty {
            pending.append(0x0a)
            pending += line
            if !mayEnd() && pending.count <= Self.longest { return [] }
            rest = pending[...]
            (pending, searched, quote) = ([], 0, nil)
        }
        var parts: [Part] = []
        while let sign = rest.firstIndex(of: UInt8(ascii: "<")) {
            if sign > rest.startIndex { Self.add(rest[..<sign], [], &parts) }
            rest = rest[sign...]
            if rest.count < Self.data.open.count,
                Self.data.open.starts(with: rest) || Self.comment.open.starts(with: rest)
            {
                break
            }
            if let (close, begin) = Self.remark(rest) {
                guard let end = Self.find(close, in: rest.dropFirst(begin)) else { break }
                if begin == Self.data.open.count { parts.append(.text(Array(rest.dropFirst(begin)[..<end]))) }
                rest = rest[(end + close.count)...]
            } else {
                try Self.checkDeclaration(rest)
                guard let end = Self.end(of: rest) else { break }
                try Self.tag(rest[(sign + 1)..<end], &parts)
                rest = rest[(end + 1)...]
            }
        }
        if rest.first == UInt8(ascii: "<") {
            if rest.count > Self.longest {
                throw Malformed("line", "has a tag of over \(Self.longest) bytes, or no end of one")
            }
            pending = Array(rest)
        } else {
            Self.add(rest, [0x0a], &parts)
        }
        return parts
    }

    /// Whether what has begun may have ended by now. No byte is looked at again for each line that comes: what is never
    /// closed would take the square of its length.
    private mutating func mayEnd() -> Bool {
        if pending.count < Self.data.open.count { return true }
        defer { searched = pending.count }
        if let (close, begin) = Self.remark(pending[...]) {
            return Self.find(close, in: pending[max(begin, searched - close.count + 1)...]) != nil
        }
        let isDocumentType = pending.starts(with: Self.documentType)
        for byte in pending[searched...] {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == 0x22 || byte == 0x27 {
                quote = byte
            } else if byte == UInt8(ascii: ">") || isDocumentType && byte == UInt8(ascii: "[") {
                return true
            }
        }
        return false
    }

    /// Adds a text, with what comes behind it.
    private static func add(_ text: ArraySlice<UInt8>, _ more: [UInt8], _ parts: inout [Part]) {
        let plain = plain(text, &parts)
        parts.append(.text(plain + more))
    }

    /// Refuses a document type with declarations of its own, which begin with a bracket (w3.org/TR/xml, section 2.8).
    private static func checkDeclaration(_ rest: ArraySlice<UInt8>) throws(Malformed) {
        if !rest.starts(with: documentType) { return }
        var quote: UInt8?
        for byte in rest {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == 0x22 || byte == 0x27 {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return
            } else if byte == UInt8(ascii: "[") {
                throw Malformed(
                    "line",
                    "has a <!DOCTYPE with declarations of its own, which are not read; write what they stand for")
            }
        }
    }

    /// How a comment, data or an instruction ends, and how many bytes it begins with.
    private static func remark(_ rest: ArraySlice<UInt8>) -> (close: [UInt8], begin: Int)? {
        for (open, close) in [comment, data, instruction] where rest.starts(with: open) { return (close, open.count) }
        return nil
    }

    private static func find(_ literal: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        var from = bytes.startIndex
        while let at = bytes[from...].firstIndex(of: literal[0]) {
            if bytes[at...].starts(with: literal) { return at }
            from = at + 1
        }
        return nil
    }

    /// Where a tag ends: an angle in quotes is none.
    private static func end(of tag: ArraySlice<UInt8>) -> Int? {
        var quote: UInt8?
        for at in tag.indices {
            let byte = tag[at]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == 0x22 || byte == 0x27 {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return at
            }
        }
        return nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }

    /// What stands between the angles of a tag.
    private static func tag(_ bytes: ArraySlice<UInt8>, _ parts: inout [Part]) throws(Malformed) {
        if bytes.first == UInt8(ascii: "!") { return }
        if bytes.first == UInt8(ascii: "/") { return parts.append(.close(name(bytes.dropFirst()))) }
        let isEmpty = bytes.last == UInt8(ascii: "/")
        var rest = isEmpty ? bytes.dropLast() : bytes
        let word = rest.prefix { !isSpace($0) }
        let name = name(word)
        if name.isEmpty { throw Malformed("line", "has a < that begins no tag") }
        rest = rest[word.endIndex...]
        var attributes: [String: String] = [:]
        while let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
            let value = rest[(equals + 1)...].drop(while: isSpace)
            guard let quote = value.first, quote == 0x22 || quote == 0x27,
                let end = value.dropFirst().firstIndex(of: quote)
            else { throw Malformed("line", "has an attribute of <\(name)> without quotes") }
            attributes[Self.name(rest[..<equals])] = LatinText.text(plain(value.dropFirst()[..<end], &parts)[...])
            rest = rest[(end + 1)...]
        }
        parts.append(.open(name, attributes))
        if isEmpty { parts.append(.close(name)) }
    }

    /// A name without its prefix and the space around it.
    private static func name(_ bytes: ArraySlice<UInt8>) -> String {
        let name = bytes.filter { !isSpace($0) }
        return LatinText.text(name[(name.lastIndex(of: UInt8(ascii: ":")).map { $0 + 1 } ?? 0)...])
    }

    /// Bytes of an entity's name.
    private static let longestEntity = 100

    /// Text with its entities read. One that is not known is told, and stays as it is, as does an ampersand that begins none.
    private static func plain(_ bytes: ArraySlice<UInt8>, _ parts: inout [Part]) -> [UInt8] {
        if !bytes.contains(UInt8(ascii: "&")) { return Array(bytes) }
        var out: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "&"), let end = rest.prefix(longestEntity).firstIndex(of: UInt8(ascii: ";")),
                end > rest.startIndex, rest[..<end].allSatisfy(isOfName)
            else {
                out.append(byte)
                continue
            }
            let name = LatinText.text(rest[..<end])
            if let scalar = entity(name) {
                out += String(Character(scalar)).utf8
                rest = rest[(end + 1)...]
            } else {
                parts.append(.unknown("&\(name);"))
                out.append(byte)
            }
        }
        return out
    }

    /// Whether a byte may stand in the name of an entity, or in the number of a character.
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "#"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: ":"), 0x80...:
            true
        default: false
        }
    }

    private static func entity(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.hasPrefix("#") else { return nil }
            let isHex = name.hasPrefix("#x")
            let digits = name.dropFirst(isHex ? 2 : 1)
            if digits.utf8.first.map({ $0 == 0x2b || $0 == 0x2d }) ?? true { return nil }
            return UInt32(digits, radix: isHex ? 16 : 10).flatMap(Unicode.Scalar.init)
        }
    }
}
