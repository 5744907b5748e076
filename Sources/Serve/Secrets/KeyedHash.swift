internal import CCrypto

/// A hash that only who has the key can make: HMAC with SHA-256 (RFC 2104), or the first of its bytes.
package struct KeyedHash: Sendable {
    private static let count = 32
    private let states: States

    package init(key: [UInt8]) { states = States(key) }

    /// A key that nobody knows, and that is gone with the process.
    package static func random() -> KeyedHash {
        var random = SystemRandomNumberGenerator()
        return KeyedHash(key: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    package func bytes(of text: String) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.count) { bytes, count in
            states.hash(text, to: bytes)
            count = Self.count
        }
    }

    /// The first eight bytes in hexadecimal.
    package func short(_ text: String) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.count) { bytes in
            states.hash(text, to: bytes)
            return String(unsafeUninitializedCapacity: 16) { digits in
                for place in 0..<16 {
                    let half = place % 2 == 0 ? bytes[place / 2] >> 4 : bytes[place / 2] & 0xf
                    digits[place] = half < 10 ? UInt8(ascii: "0") + half : UInt8(ascii: "a") + half - 10
                }
                return 16
            }
        }
    }
}

/// Both hashes of an HMAC as they stand once they have taken the key: to begin them anew for each message costs more than to hash it.
///
/// It is Sendable unchecked: what is there once it is made is only read.
private final class States: @unchecked Sendable {
    /// Bytes that SHA-256 takes at once, to which a key is filled up.
    private static let block = 64
    private let inner: OpaquePointer
    private let outer: OpaquePointer

    init(_ key: [UInt8]) {
        var filled = key.count > Self.block ? Self.digest(key) : key
        filled += [UInt8](repeating: 0, count: Self.block - filled.count)
        (inner, outer) = (Self.begun(filled.map { $0 ^ 0x36 }), Self.begun(filled.map { $0 ^ 0x5c }))
    }

    deinit {
        EVP_MD_CTX_free(inner)
        EVP_MD_CTX_free(outer)
    }

    /// - Parameter bytes: Where the hash goes, of 32 bytes.
    func hash(_ text: String, to bytes: UnsafeMutableBufferPointer<UInt8>) {
        var text = text
        let state = Self.made()
        defer { EVP_MD_CTX_free(state) }
        var done = EVP_MD_CTX_copy_ex(state, inner) == 1
        text.withUTF8 { done = done && EVP_DigestUpdate(state, $0.baseAddress, $0.count) == 1 }
        done = done && EVP_DigestFinal_ex(state, bytes.baseAddress, nil) == 1
        done = done && EVP_MD_CTX_copy_ex(state, outer) == 1 && EVP_DigestUpdate(state, bytes.baseAddress, 32) == 1
        done = done && EVP_DigestFinal_ex(state, bytes.baseAddress, nil) == 1
        precondition(done, "HMAC with SHA-256 failed")
    }

    private static func made() -> OpaquePointer {
        guard let state = EVP_MD_CTX_new() else { preconditionFailure("there is no memory for a hash") }
        return state
    }

    private static func begun(_ bytes: [UInt8]) -> OpaquePointer {
        let state = made()
        let done = EVP_DigestInit_ex(state, EVP_sha256(), nil) == 1 && EVP_DigestUpdate(state, bytes, bytes.count) == 1
        precondition(done, "SHA-256 failed")
        return state
    }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] {
        let state = begun(bytes)
        defer { EVP_MD_CTX_free(state) }
        var digest = [UInt8](repeating: 0, count: 32)
        precondition(EVP_DigestFinal_ex(state, &digest, nil) == 1, "SHA-256 failed")
        return digest
    }
}
