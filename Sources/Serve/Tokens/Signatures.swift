internal import CCrypto

/// A secret that both sides have: HMAC with SHA-256 (RFC 2104).
struct HMACKey: Sendable {
    let secret: [UInt8]

    func code(of message: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let done = HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, &code, &count)
        precondition(done != nil, "HMAC with SHA-256 failed")
        return Array(code.prefix(Int(count)))
    }

    /// Takes as long whether the first byte differs or the last.
    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        let code = code(of: message)
        return code.count == signature.count && CRYPTO_memcmp(code, signature, code.count) == 0
    }
}

/// A pair of keys, or the public one of it: Ed25519 (RFC 8032).
///
/// It is Sendable unchecked: OpenSSL's keys are not changed once they are made, and may then be used by several threads.
final class Ed25519Key: @unchecked Sendable {
    private let key: OpaquePointer
    let canSign: Bool

    private init?(_ key: OpaquePointer?, canSign: Bool) {
        guard let key else { return nil }
        (self.key, self.canSign) = (key, canSign)
    }

    deinit { EVP_PKEY_free(key) }

    convenience init?(public bytes: [UInt8]) {
        if bytes.count != TokenLimits.ed25519Bytes { return nil }
        self.init(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count), canSign: false)
    }

    convenience init?(private bytes: [UInt8]) {
        if bytes.count != TokenLimits.ed25519Bytes { return nil }
        self.init(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, bytes, bytes.count), canSign: true)
    }

    var publicBytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: TokenLimits.ed25519Bytes)
        var count = bytes.count
        precondition(EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1, "a key without its public half")
        return bytes
    }

    /// - Returns: nil where it is the public key alone.
    func signature(of message: [UInt8]) -> [UInt8]? {
        if !canSign { return nil }
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 2 * TokenLimits.ed25519Bytes)
        var count = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            EVP_DigestSign(context, &signature, &count, message, message.count) == 1
        else { return nil }
        return Array(signature.prefix(count))
    }

    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}
