internal import EventModel
internal import Foundation

/// The host of a URL as browsers read it (url.spec.whatwg.org, section 3.5): the same machine has one spelling.
enum WebHost {
    private static let longest = 253
    /// What no host may have.
    private static let forbidden = WebURL.Characters("#/:<>?@[\\]^|% ")

    static func parse(_ bytes: [UInt8], _ field: String) throws(Malformed) -> String {
        if bytes.isEmpty { throw Malformed(field, "has no host") }
        if bytes.first == UInt8(ascii: "[") {
            guard bytes.last == UInt8(ascii: "]"),
                let address = ipv6(String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self))
            else { throw Malformed(field, "has an address in brackets that is none of IPv6") }
            return "[\(address)]"
        }
        guard let decoded = decoded(bytes), let text = String(validating: decoded, as: UTF8.self),
            let name = ascii(text), !name.isEmpty
        else { throw Malformed(field, "has a host that is no name of a domain") }
        if name.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f || forbidden.contains($0) }) {
            throw Malformed(field, "has a host with a character that none may have")
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let named = labels.last == "" ? labels.dropLast() : labels[...]
        if named.contains(where: { $0.isEmpty || $0.utf8.count > 63 }) || name.utf8.count > longest {
            throw Malformed(field, "has a host whose parts are empty or too long")
        }
        if let wrong = named.first(where: { $0.hasPrefix(encoded) && !isEncoded($0) }) {
            throw Malformed(field, "has a host with \(wrong), which encodes no name (RFC 3492)")
        }
        guard let last = named.last, isNumber(last) else { return name }
        guard let address = ipv4(named.map(String.init)) else {
            throw Malformed(field, "has a host that ends in a number and is no address of IPv4")
        }
        return address
    }

    private static let encoded = "xn--"

    /// Whether a label of ASCII is what another script becomes: browsers take no other.
    private static func isEncoded(_ label: Substring) -> Bool {
        guard let text = Punycode.decoded(label.dropFirst(encoded.count)) else { return false }
        return !text.utf8.allSatisfy { $0 < 0x80 } && ascii(text) == String(label)
    }

    /// In small letters of ASCII, other scripts as Punycode (Unicode Technical Standard 46).
    private static func ascii(_ text: String) -> String? {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        // Foundation asks ICU, as browsers do.
        guard let host = URLComponents(string: "http://\(text)/")?.encodedHost?.lowercased(),
            host.utf8.allSatisfy({ $0 < 0x80 }), !host.contains("%")
        else { return nil }
        return host
    }

    private static func decoded(_ bytes: [UInt8]) -> [UInt8]? {
        if !bytes.contains(UInt8(ascii: "%")) { return bytes }
        var (out, at) = ([UInt8](), 0)
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%") {
                guard at + 2 < bytes.count,
                    let byte = UInt8(String(decoding: bytes[at + 1...at + 2], as: UTF8.self), radix: 16)
                else { return nil }
                out.append(byte)
                at += 3
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return out
    }

    private static func isNumber(_ label: Substring) -> Bool {
        label.utf8.allSatisfy { (0x30...0x39).contains($0) } || number(String(label)) != nil
    }

    /// Decimal, octal after a 0, hexadecimal after 0x.
    private static func number(_ text: String) -> UInt64? {
        if text.isEmpty { return nil }
        if text.hasPrefix("0x") { return text.count == 2 ? 0 : hex(text.dropFirst(2)) }
        if text.count > 1, text.hasPrefix("0") { return UInt64(text.dropFirst(), radix: 8) }
        return text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(text) : nil
    }

    private static func hex(_ digits: Substring) -> UInt64? {
        digits.utf8.allSatisfy { Character(UnicodeScalar($0)).isHexDigit } ? UInt64(digits, radix: 16) : nil
    }

    private static func ipv4(_ parts: [String]) -> String? {
        if parts.count > 4 { return nil }
        let numbers = parts.compactMap(number)
        guard numbers.count == parts.count, let last = numbers.last, numbers.dropLast().allSatisfy({ $0 < 256 }),
            last < 1 << (8 * UInt64(5 - numbers.count))
        else { return nil }
        var address = last
        for (place, number) in numbers.dropLast().enumerated() { address += number << (8 * UInt64(3 - place)) }
        return (0..<4).map { String(address >> (8 * UInt64(3 - $0)) & 255) }.joined(separator: ".")
    }

    /// An address of IPv6 as RFC 5952 writes it; nil where it is none.
    private static func ipv6(_ text: String) -> String? {
        var address = in6_addr()
        guard !text.contains("%"), inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: &address) { Array($0) }
        let pieces = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        var (best, run) = (0..<0, 0..<0)
        for place in 0..<8 {
            run = pieces[place] == 0 ? (run.isEmpty ? place..<place + 1 : run.lowerBound..<place + 1) : 0..<0
            if run.count > best.count, run.count > 1 { best = run }
        }
        let words = pieces.map { String($0, radix: 16) }
        if best.isEmpty { return words.joined(separator: ":") }
        return words[..<best.lowerBound].joined(separator: ":") + "::"
            + words[best.upperBound...].joined(separator: ":")
    }
}
