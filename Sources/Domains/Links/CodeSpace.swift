internal import EventModel

/// A keyed permutation of the numbers below a size: a Feistel network over the next even number of bits, walked on until it comes
/// back below the size (Black and Rogaway, Ciphers with Arbitrary Finite Domains, 2002, section 3).
///
/// A Feistel network is a permutation whatever its round function is. To walk its cycle from a number below the size to the
/// next below the size is one as well: cycles do not meet, and the walk ends where it began at the latest.
package struct Permutation {
    private static let rounds = 8
    package let size: UInt64
    private let half: UInt64
    private let keys: [UInt64]

    package init(size: UInt64, key: UInt64) {
        self.size = size
        half = UInt64((64 - (size - 1).leadingZeroBitCount + 1) / 2)
        keys = (0..<UInt64(Self.rounds)).map { Self.mixed(key &+ ($0 &+ 1) &* 0x9e37_79b9_7f4a_7c15) }
    }

    package func callAsFunction(_ number: UInt64) -> UInt64 {
        var number = number
        repeat { number = once(number) } while number >= size
        return number
    }

    package func inverse(_ number: UInt64) -> UInt64 {
        var number = number
        repeat { number = back(number) } while number >= size
        return number
    }

    private func once(_ number: UInt64) -> UInt64 {
        let mask = (1 << half) - 1 as UInt64
        var (left, right) = (number >> half, number & mask)
        for key in keys { (left, right) = (right, left ^ (Self.mixed(right ^ key) & mask)) }
        return left << half | right
    }

    private func back(_ number: UInt64) -> UInt64 {
        let mask = (1 << half) - 1 as UInt64
        var (left, right) = (number >> half, number & mask)
        for key in keys.reversed() { (left, right) = (right ^ (Self.mixed(left ^ key) & mask), left) }
        return left << half | right
    }

    /// The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
    static func mixed(_ number: UInt64) -> UInt64 {
        var z = number
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// The codes of links: six characters, and seven where those of a bucket get scarce.
///
/// A code is a number in base 62, and the number is a permutation of a bucket and a slot in it. So a code tells its bucket, which is
/// the aggregate that gives it away, and no two buckets have a code in common. Which slot a link gets follows from its command's
/// id, which strangers do not know. Decision 38 has the proof.
package struct CodeSpace {
    package static let six = CodeSpace(length: 6)
    package static let seven = CodeSpace(length: 7)
    /// How many buckets there are. It never changes: a code's bucket follows from it.
    package static let buckets: UInt64 = 1 << 24
    /// Scatters codes. It is no secret, and never changes.
    private static let scatter: UInt64 = 0x6c69_6e6b_7321_0001
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    let length: Int
    /// How many codes there are.
    package var size: UInt64 { permutation.size }
    /// Slots of a bucket.
    package let slots: UInt64
    package let key: UInt64
    private let count: UInt64
    private let permutation: Permutation

    /// - Parameter count: Of buckets: another one makes a space that nobody uses, such as one that is small enough to be looked through.
    init(length: Int, buckets count: UInt64 = buckets) {
        self.length = length
        let size = (0..<length).reduce(1 as UInt64) { product, _ in product * 62 }
        (self.count, slots, key) = (count, size / count, Self.scatter &+ UInt64(length))
        permutation = Permutation(size: size, key: key)
    }

    func code(bucket: UInt64, slot: UInt64) -> String { text(number(bucket: bucket, slot: slot)) }

    /// The number that a code is in base 62.
    package func number(bucket: UInt64, slot: UInt64) -> UInt64 { permutation(slot * count + bucket) }

    /// What a code's number is of: its slot times the number of buckets, and its bucket.
    package func place(_ number: UInt64) -> UInt64 { permutation.inverse(number) }

    package func text(_ number: UInt64) -> String {
        var number = number
        var bytes = [UInt8](repeating: 0, count: length)
        for place in bytes.indices.reversed() {
            bytes[place] = Self.digits[Int(number % 62)]
            number /= 62
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bucket of a code; nil for what is none.
    static func bucket(of code: String) -> UInt64? {
        let space: CodeSpace
        switch code.utf8.count {
        case 6: space = six
        case 7: space = seven
        default: return nil
        }
        var (number, hasCapital) = (0 as UInt64, false)
        for byte in code.utf8 {
            guard let digit = digit(byte) else { return nil }
            number = number * 62 + digit
            hasCapital = hasCapital || (10..<36).contains(digit)
        }
        return hasCapital ? space.permutation.inverse(number) % buckets : nil
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt64(byte - UInt8(ascii: "A")) + 10
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt64(byte - UInt8(ascii: "a")) + 36
        default: nil
        }
    }

    /// The bucket that the links of an owner to a URL belong into.
    static func bucket(owner: String, url: String) -> UInt64 { Permutation.mixed(hash(owner + "\n" + url)) % buckets }

    /// A code of a bucket that is free: the first one in an order that follows from an id.
    ///
    /// - Parameter isFree: Whether a code was never given away.
    /// - Returns: nil where there is none.
    static func draw(in bucket: UInt64, id: String, used: Int, isFree: (String) -> Bool) -> String? {
        for space in [six, seven] {
            // A code that is guessed shall be none more often than not.
            if UInt64(used) >= space.slots / 2 { continue }
            let order = Permutation(size: space.slots, key: Permutation.mixed(hash(id)))
            for number in 0..<space.slots {
                let code = space.code(bucket: bucket, slot: order(number))
                if isFit(code), isFree(code) { return code }
            }
        }
        return nil
    }

    /// Whether it may be given away: it has a capital, so it is no alias, and no word that offends.
    static func isFit(_ code: String) -> Bool { bucket(of: code) != nil && !Words.offends(code) }

    private static func hash(_ text: String) -> UInt64 { FNV1a(text).value }
}
