internal import CCrypto

/// A hash that only who has the key can make: HMAC with SHA-256 (RFC 2104), or the first of its bytes.
package struct KeyedHash: Sendable {
    private let key: [UInt8]

    package init(key: [UInt8]) { self.key = key }

    /// A key that nobody knows, and that is gone with the process.
    package static func random() -> KeyedHash {
        var random = SystemRandomNumberGenerator()
        return KeyedHash(key: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    package func bytes(of text: String) -> [UInt8] {
        let message = Array(text.utf8)
        var code = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let done = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &code, &count)
        precondition(done != nil, "HMAC with SHA-256 failed")
        return Array(code.prefix(Int(count)))
    }

    /// The first eight bytes in hexadecimal.
    package func short(_ text: String) -> String {
        let number = bytes(of: text).prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
