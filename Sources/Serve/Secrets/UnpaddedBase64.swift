/// Base64 without padding (RFC 4648).
package struct UnpaddedBase64: Sendable {
    private let alphabet: [UInt8]
    private let values: [UInt8]

    /// The alphabet of section 4, as the PHC format of hashes has it.
    package static let standard = UnpaddedBase64("+/")
    /// The alphabet of section 5, which URLs take, as tokens have it (RFC 7515, section 2).
    package static let url = UnpaddedBase64("-_")

    private init(_ last: String) {
        alphabet = Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last).utf8)
        var values = [UInt8](repeating: .max, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        self.values = values
    }

    package func text(_ bytes: some Collection<UInt8>) -> String {
        var (out, bits, count) = ([UInt8](), UInt32(0), 0)
        for byte in bytes {
            (bits, count) = (bits << 8 | UInt32(byte), count + 8)
            while count >= 6 {
                count -= 6
                out.append(alphabet[Int(bits >> UInt32(count)) & 63])
            }
        }
        if count > 0 { out.append(alphabet[Int(bits << UInt32(6 - count)) & 63]) }
        return String(decoding: out, as: UTF8.self)
    }

    /// - Returns: nil where it is not written as ``text(_:)`` writes it: one value has one text, so that no token has a second.
    package func bytes(_ text: some Collection<UInt8>) -> [UInt8]? {
        var (out, bits, count) = ([UInt8](), UInt32(0), 0)
        if text.count % 4 == 1 { return nil }
        for letter in text {
            let value = values[Int(letter)]
            if value == .max { return nil }
            (bits, count) = (bits << 6 | UInt32(value), count + 6)
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bits & (1 << UInt32(count) - 1) == 0 ? out : nil
    }
}
