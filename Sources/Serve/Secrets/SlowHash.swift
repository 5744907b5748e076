internal import CCrypto
internal import Dispatch
internal import Synchronization

/// A salted hash of a password that takes time and memory to make: scrypt (RFC 7914), as text in the PHC format,
/// `$scrypt$ln=14,r=8,p=1$SALT$HASH` (github.com/P-H-C/phc-string-format). Salt and hash are hexadecimal.
package enum SlowHash {
    /// N = 2^14, 16 MiB.
    private static let cost = (log2N: 14, r: 8, p: 1)
    private static let bytes = 32
    /// Hashes that wait to be made.
    private static let limit = 32
    private static let queue = DispatchQueue(label: "slow-hash")
    private static let waiting = Mutex(0)

    /// So many wait already that one more would wait for too long.
    package struct Busy: Error {}

    /// Makes the hash of a password, with a salt of its own.
    package static func make(_ password: String) async throws -> String {
        try await run {
            var random = SystemRandomNumberGenerator()
            let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let hash = scrypt(password, salt, log2N: cost.log2N, r: cost.r, p: cost.p)
            return "$scrypt$ln=\(cost.log2N),r=\(cost.r),p=\(cost.p)$\(hex(salt))$\(hex(hash))"
        }
    }

    /// Whether a hash is of a password. It takes as long whichever byte differs.
    package static func matches(_ password: String, _ text: String) async throws -> Bool {
        try await run {
            let parts = text.split(separator: "$")
            guard parts.count == 4, parts[0] == "scrypt", let salt = unhex(parts[2]), let hash = unhex(parts[3]),
                hash.count == bytes
            else { return false }
            let numbers = parts[1].split(separator: ",").compactMap { Int($0.drop { $0 != "=" }.dropFirst()) }
            guard numbers.count == 3, (1...17).contains(numbers[0]), (1...16).contains(numbers[1]),
                (1...4).contains(numbers[2])
            else { return false }
            let other = scrypt(password, salt, log2N: numbers[0], r: numbers[1], p: numbers[2])
            return CRYPTO_memcmp(other, hash, bytes) == 0
        }
    }

    /// One after another, on a thread of their own: they block.
    private static func run<R: Sendable>(_ body: @escaping @Sendable () -> R) async throws -> R {
        let isTaken = waiting.withLock { count in
            if count >= limit { return false }
            count += 1
            return true
        }
        if !isTaken { throw Busy() }
        return await withCheckedContinuation { continuation in
            queue.async {
                let result = body()
                waiting.withLock { $0 -= 1 }
                continuation.resume(returning: result)
            }
        }
    }

    private static func scrypt(_ password: String, _ salt: [UInt8], log2N: Int, r: Int, p: Int) -> [UInt8] {
        let text = Array(password.utf8)
        var out = [UInt8](repeating: 0, count: bytes)
        let memory = UInt64(128 * r) << UInt64(log2N) + 1 << 21
        let isDone = text.withUnsafeBytes { text in
            EVP_PBE_scrypt(
                text.bindMemory(to: CChar.self).baseAddress, text.count, salt, salt.count, UInt64(1) << UInt64(log2N),
                UInt64(r), UInt64(p), memory, &out, out.count)
        }
        // It fails where memory is not to be had. What it would leave is no hash.
        precondition(isDone == 1, "scrypt had not the memory that it needs")
        return out
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func unhex(_ text: Substring) -> [UInt8]? {
        let digits = Array(text.utf8)
        if digits.count % 2 != 0 { return nil }
        var out: [UInt8] = []
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[at...at + 1], as: UTF8.self), radix: 16) else { return nil }
            out.append(byte)
        }
        return out
    }
}
