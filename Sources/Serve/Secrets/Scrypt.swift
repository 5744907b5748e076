internal import CCrypto

/// What a verifier may be. Each limit has its name here and nowhere else.
enum ScryptLimits {
    /// Bytes of what is put to each password, so that two that are the same are kept as two.
    static let salt = 16
    /// Bytes of a hash.
    static let hash = 32
    /// Bytes of a verifier's text.
    static let text = 512
    /// Bytes that a password may take while it is hashed.
    static let memory = 256 << 20
}

/// What hashing a password costs (RFC 7914).
package struct ScryptCost: Sendable, Hashable {
    /// The logarithm of N, the number of blocks: time and memory grow with N.
    package var log2N: Int
    /// The size of a block, in units of 128 bytes.
    package var r: Int
    /// How often it is done.
    package var p: Int

    package init(log2N: Int, r: Int, p: Int) { (self.log2N, self.r, self.p) = (log2N, r, p) }

    /// Whether a verifier may ask for it: one that was tampered with shall not take all memory, nor have numbers that scrypt does not take
    /// (RFC 7914, section 6).
    var isLegal: Bool {
        (1...20).contains(log2N) && (1...32).contains(r) && (1...16).contains(p) && log2N < 16 * r
            && (128 * r) << log2N <= ScryptLimits.memory
    }
    /// How long it takes, as a number to compare.
    var work: Int { (r * p) << log2N }
    private var memory: UInt64 { UInt64(128 * r) << UInt64(log2N) + UInt64(128 * r * p) + (1 << 20) }

    /// The hash of a password.
    func hash(_ password: [UInt8], salt: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: ScryptLimits.hash)
        let isDone = password.withUnsafeBytes { bytes in
            EVP_PBE_scrypt(
                bytes.bindMemory(to: CChar.self).baseAddress, password.count, salt, salt.count,
                UInt64(1) << UInt64(log2N),
                UInt64(r), UInt64(p), memory, &out, out.count)
        }
        // It fails where memory is not to be had. What it would leave is no hash.
        precondition(isDone == 1, "scrypt had not the memory that it needs")
        return out
    }
}

/// What checks a password and does not tell it: a salted hash, as text in the PHC format,
/// `$scrypt$ln=17,r=8,p=1$SALT$HASH` (github.com/P-H-C/phc-string-format).
package struct ScryptVerifier: Sendable, Hashable {
    package let cost: ScryptCost
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// Makes one.
    ///
    /// - Parameter salt: Its first bytes are taken; nil is a salt by chance.
    package init(_ password: [UInt8], cost: ScryptCost, salt given: [UInt8]? = nil) {
        var random = SystemRandomNumberGenerator()
        let chance = (0..<ScryptLimits.salt).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let salt = given.map { Array($0.prefix(ScryptLimits.salt)) } ?? chance
        (self.cost, self.salt, hash) = (cost, salt, cost.hash(password, salt: salt))
    }

    /// One that no password is known for, whose check costs as much as any.
    package init(matchingNothing cost: ScryptCost) {
        self.cost = cost
        salt = [UInt8](repeating: 0, count: ScryptLimits.salt)
        hash = [UInt8](repeating: 0, count: ScryptLimits.hash)
    }

    /// Reads the text of one.
    ///
    /// - Returns: nil where it is none, or asks for more than may be asked for.
    package init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard text.utf8.count <= ScryptLimits.text, parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt",
            let salt = UnpaddedBase64.standard.bytes(parts[3].utf8),
            let hash = UnpaddedBase64.standard.bytes(parts[4].utf8), hash.count == ScryptLimits.hash
        else { return nil }
        var numbers: [Substring: Int] = [:]
        for pair in parts[2].split(separator: ",") {
            let sides = pair.split(separator: "=")
            guard sides.count == 2, let number = Int(sides[1]) else { return nil }
            numbers[sides[0]] = number
        }
        guard numbers.count == 3, let n = numbers["ln"], let r = numbers["r"], let p = numbers["p"] else { return nil }
        (cost, self.salt, self.hash) = (ScryptCost(log2N: n, r: r, p: p), salt, hash)
        if !cost.isLegal { return nil }
    }

    package var text: String {
        "$scrypt$ln=\(cost.log2N),r=\(cost.r),p=\(cost.p)$\(UnpaddedBase64.standard.text(salt))$\(UnpaddedBase64.standard.text(hash))"
    }

    /// Whether it is the password. It takes as long whichever byte differs.
    package func matches(_ password: [UInt8]) -> Bool {
        let other = cost.hash(password, salt: salt)
        return other.count == hash.count && CRYPTO_memcmp(other, hash, hash.count) == 0
    }
}

extension ScryptVerifier: CustomStringConvertible {
    /// Neither salt nor hash: a verifier in a log line is a password to be guessed.
    package var description: String { "a verifier by scrypt" }
}
