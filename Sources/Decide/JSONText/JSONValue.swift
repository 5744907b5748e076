internal import EventModel

/// JSON as it is written (RFC 8259): numbers stay text, so that none is rounded, and an object keeps its members' order.
package indirect enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case text(String)
    case list([JSONValue])
    case object([Member])

    package struct Member: Hashable, Sendable {
        package var name: String
        package var value: JSONValue

        package init(name: String, value: JSONValue) { (self.name, self.value) = (name, value) }
    }

    /// How deep lists and objects may stand in one another.
    package static let deepest = 64

    /// Nil where the bytes are no JSON, or nothing but JSON is not all of them.
    package init?(_ bytes: ArraySlice<UInt8>) {
        var reader = JSONReader(rest: bytes)
        guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
        self = value
    }

    /// The member of this name; of several the last, as most readers have it.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// The member at the end of a path; of a list on the way the first.
    package subscript(path: [String]) -> JSONValue? {
        var value = self
        for name in path {
            guard let next = value.first[name] else { return nil }
            value = next
        }
        return value
    }

    /// The first of a list; else the value itself.
    private var first: JSONValue {
        if case .list(let values) = self { return values.first ?? .null }
        return self
    }

    /// A text, or a number as it is written; of a list the first. Nil where there is none.
    package var plain: String? {
        switch first {
        case .text(let text), .number(let text): text
        default: nil
        }
    }

    package var isObject: Bool {
        if case .object = self { return true }
        return false
    }
}

private struct JSONReader {
    var rest: ArraySlice<UInt8>

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return rest.isEmpty
        }
    }

    private mutating func skipSpace() {
        while let byte = rest.first, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { rest.removeFirst() }
    }

    /// Past a sign, with the space before it.
    private mutating func skip(_ sign: Unicode.Scalar) -> Bool {
        skipSpace()
        if rest.first != UInt8(ascii: sign) { return false }
        rest.removeFirst()
        return true
    }

    mutating func value(depth: Int) -> JSONValue? {
        skipSpace()
        if depth > JSONValue.deepest { return nil }
        switch rest.first {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return list(depth)
        case UInt8(ascii: "\""): return text().map { .text($0) }
        default: return word()
        }
    }

    private mutating func object(_ depth: Int) -> JSONValue? {
        var members: [JSONValue.Member] = []
        _ = skip("{")
        if skip("}") { return .object([]) }
        repeat {
            skipSpace()
            guard rest.first == UInt8(ascii: "\""), let name = text(), skip(":"), let value = value(depth: depth + 1)
            else { return nil }
            members.append(.init(name: name, value: value))
        } while skip(",")
        return skip("}") ? .object(members) : nil
    }

    private mutating func list(_ depth: Int) -> JSONValue? {
        var values: [JSONValue] = []
        _ = skip("[")
        if skip("]") { return .list([]) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
        } while skip(",")
        return skip("]") ? .list(values) : nil
    }

    /// A number, or one of three words.
    private mutating func word() -> JSONValue? {
        let word = rest.prefix { byte in
            byte > 0x20 && byte != UInt8(ascii: ",") && byte != UInt8(ascii: "]") && byte != UInt8(ascii: "}")
        }
        rest = rest[word.endIndex...]
        if word.elementsEqual("null".utf8) { return .null }
        if word.elementsEqual("true".utf8) { return .bool(true) }
        if word.elementsEqual("false".utf8) { return .bool(false) }
        let digits = word.first == UInt8(ascii: "-") ? word.dropFirst() : word
        let leads =
            digits.first == UInt8(ascii: "0") && digits.dropFirst().first.map { (0x30...0x39).contains($0) } == true
        if leads || DecimalText(word) == nil { return nil }
        return .number(String(decoding: word, as: UTF8.self))
    }

    private mutating func text() -> String? {
        rest.removeFirst()
        guard let end = rest.firstIndex(where: { $0 == 0x22 || $0 == 0x5c || $0 < 0x20 }) else { return nil }
        if rest[end] == 0x22 {
            defer { rest = rest[(end + 1)...] }
            return String(validating: rest[..<end], as: UTF8.self)
        }
        var out: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case 0x22: return String(validating: out, as: UTF8.self)
            case 0x5c: if !escape(&out) { return nil }
            case 0..<0x20: return nil
            default: out.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(_ out: inout [UInt8]) -> Bool {
        switch rest.popFirst() {
        case UInt8(ascii: "\""): out.append(0x22)
        case UInt8(ascii: "\\"): out.append(0x5c)
        case UInt8(ascii: "/"): out.append(0x2f)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0c)
        case UInt8(ascii: "n"): out.append(0x0a)
        case UInt8(ascii: "r"): out.append(0x0d)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = scalar() else { return false }
            out += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
        default: return false
        }
        return true
    }

    /// What `\u` begins, past those two: half of a pair stands for nothing alone.
    private mutating func scalar() -> Unicode.Scalar? {
        guard let first = unit() else { return nil }
        if !(0xd800...0xdbff).contains(first) { return Unicode.Scalar(first) }
        guard rest.popFirst() == 0x5c, rest.popFirst() == UInt8(ascii: "u"), let second = unit(),
            (0xdc00...0xdfff).contains(second)
        else { return nil }
        return Unicode.Scalar(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    private mutating func unit() -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = rest.popFirst().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
