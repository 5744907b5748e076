/// Escapes in JSON's texts (RFC 8259, section 7), read here where a library reads them otherwise.
package enum JSONEscapes {
    /// One of a pair of surrogates without the other: it stands for no character.
    package struct LoneSurrogate: Error, Hashable, Sendable {
        /// As it was written: `\ud83d`.
        package var escape: String
        /// The member of the outermost object in whose value it stands, empty where that is not so.
        package var member: String
    }

    /// The same JSON with each pair of surrogates, `\ud83d\ude00`, written as the character that it stands for.
    ///
    /// The reader of swift-protobuf up to 1.39 puts 0x10000 to a pair's bits by OR where it must add, so that U+20021 becomes
    /// U+10021. Once it is mended, this need not be called, but for what it says of lone surrogates.
    package static func decodingPairs(_ json: Bytes) throws(LoneSurrogate) -> Bytes {
        let bytes = json.slice
        guard var at = bytes.firstIndex(of: backslash) else { return json }
        var out: [UInt8] = []
        /// Up to here all is in `out`.
        var taken = bytes.startIndex
        while at + 1 < bytes.endIndex {
            if bytes[at + 1] == UInt8(ascii: "u"), let unit = unit(bytes, at), (0xd800...0xdfff).contains(unit) {
                guard let scalar = scalar(bytes, at, high: unit) else {
                    throw LoneSurrogate(
                        escape: String(decoding: bytes[at..<at + 6], as: UTF8.self), member: member(bytes, at))
                }
                out += bytes[taken..<at]
                out += UTF8.encode(scalar)!
                taken = at + 12
                at = taken
            } else {
                // An escaped backslash begins no escape of its own.
                at += 2
            }
            guard at < bytes.endIndex, let next = bytes[at...].firstIndex(of: backslash) else { break }
            at = next
        }
        return out.isEmpty ? json : Bytes(out + bytes[taken...])
    }

    /// What stands between a text's quotes, with its escapes read; nil where it is no text of JSON.
    package static func text(_ body: ArraySlice<UInt8>) -> String? {
        if !body.contains(backslash) { return String(validating: body, as: UTF8.self) }
        var out: [UInt8] = []
        var at = body.startIndex
        while at < body.endIndex {
            if body[at] != backslash {
                out.append(body[at])
                at += 1
                continue
            }
            guard at + 1 < body.endIndex else { return nil }
            if let plain = short[body[at + 1]] {
                out.append(plain)
                at += 2
                continue
            }
            guard body[at + 1] == UInt8(ascii: "u"), let unit = unit(body, at) else { return nil }
            let isHalf = (0xd800...0xdfff).contains(unit)
            guard let scalar = isHalf ? scalar(body, at, high: unit) : Unicode.Scalar(unit) else { return nil }
            out += UTF8.encode(scalar)!
            at += isHalf ? 12 : 6
        }
        return String(validating: out, as: UTF8.self)
    }

    private static let backslash = UInt8(ascii: "\\")
    private static let quote = UInt8(ascii: "\"")
    private static let short: [UInt8: UInt8] = [
        quote: quote, backslash: backslash, UInt8(ascii: "/"): UInt8(ascii: "/"), UInt8(ascii: "b"): 0x08,
        UInt8(ascii: "f"): 0x0c, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09,
    ]

    /// The four digits of the escape whose backslash stands at `at`.
    private static func unit(_ bytes: ArraySlice<UInt8>, _ at: Int) -> UInt32? {
        guard at + 6 <= bytes.endIndex else { return nil }
        var unit: UInt32 = 0
        for byte in bytes[at + 2..<at + 6] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    /// What the pair of escapes at `at` stands for; nil where it is no pair.
    private static func scalar(_ bytes: ArraySlice<UInt8>, _ at: Int, high: UInt32) -> Unicode.Scalar? {
        guard high < 0xdc00, at + 12 <= bytes.endIndex, bytes[at + 6] == backslash,
            bytes[at + 7] == UInt8(ascii: "u"), let low = unit(bytes, at + 6), (0xdc00...0xdfff).contains(low)
        else { return nil }
        return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
    }

    /// The name of the outermost object's member in whose value `place` lies.
    private static func member(_ bytes: ArraySlice<UInt8>, _ place: Int) -> String {
        var (depth, at) = (0, bytes.startIndex)
        var (name, isName) = ("", false)
        while at < place {
            switch bytes[at] {
            case quote:
                let start = at + 1
                at = start
                while at < bytes.endIndex, bytes[at] != quote { at += bytes[at] == backslash ? 2 : 1 }
                if depth == 1, isName {
                    // A name that has the fault itself is no name.
                    name = at < place ? text(bytes[start..<at]) ?? "" : ""
                    isName = false
                }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 1 { isName = true }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): if depth == 1 { isName = true }
            default: break
            }
            at += 1
        }
        return name
    }
}
