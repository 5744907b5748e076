internal import EventModel
internal import KVDomain

/// A pattern of names as Redis has it: `*`, `?`, `[a-c]`, `[^a]` and `\` (`stringmatchlen`).
///
/// It is an automaton without choices to come back to: in the state `i` the first `i` signs have been met, and all states in
/// which a name may be are bits that go on together (the Shift-And of Baeza-Yates and Gonnet, 1992). So the time is that of the
/// name's length, whatever the pattern is.
struct Glob: Sendable {
    /// The bytes that a set in brackets has, as bits.
    private struct ByteSet: Sendable {
        private var words: SIMD4<UInt64> = .zero
        mutating func add(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
        func has(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }
    }
    private enum Sign: Sendable {
        case any
        case one
        case byte(UInt8)
        case set(ByteSet, isNot: Bool)
        var isAny: Bool { if case .any = self { true } else { false } }

        func takes(_ byte: UInt8) -> Bool {
            switch self {
            case .any: false
            case .one: true
            case .byte(let own): own == byte
            case .set(let set, let isNot): set.has(byte) != isNot
            }
        }
    }
    /// Signs that take a byte each. A name of fewer bytes is none.
    private let count: Int
    /// Words of 64 bits that a set of states has; 0 where the pattern is longer than any key.
    private let words: Int
    /// For each byte the states from which it leads to the next, ``words`` of them.
    private let takers: [UInt64]
    /// The states that any byte leads back to: those with a star.
    private let stars: [UInt64]

    init(_ pattern: Bytes) {
        let signs = Self.signs(Array(pattern.slice))
        count = signs.count { !$0.isAny }
        words = count > KVLimits.key ? 0 : count / 64 + 1
        var takers = [UInt64](repeating: 0, count: 256 * words)
        var stars = [UInt64](repeating: 0, count: words)
        var state = 0
        for sign in signs where words > 0 {
            let (word, bit) = (state / 64, UInt64(1) << UInt64(state % 64))
            if sign.isAny {
                stars[word] |= bit
                continue
            }
            for byte in 0..<256 where sign.takes(UInt8(byte)) { takers[byte * words + word] |= bit }
            state += 1
        }
        (self.takers, self.stars) = (takers, stars)
    }

    func matches(_ name: Bytes) -> Bool { match(name).isMatch }

    /// - Returns: whether it is such a name, and how many words of states were looked at: ``words`` a byte at most.
    func match(_ name: Bytes) -> (isMatch: Bool, steps: Int) {
        if words == 0 || name.count < count { return (false, 0) }
        var states = [UInt64](repeating: 0, count: words)
        states[0] = 1
        var steps = 0
        let (last, end) = (count / 64, UInt64(1) << UInt64(count % 64))
        for byte in name.slice {
            // Behind a star at the end anything may come.
            if states[last] & stars[last] & end != 0 { return (true, steps) }
            var (carried, all) = (UInt64(0), UInt64(0))
            for word in 0..<words {
                let taken = states[word] & takers[Int(byte) * words + word]
                states[word] = (taken << 1) | carried | (states[word] & stars[word])
                carried = taken >> 63
                all |= states[word]
            }
            steps += words
            if all == 0 { return (false, steps) }
        }
        return (states[last] & end != 0, steps)
    }

    private static func signs(_ pattern: [UInt8]) -> [Sign] {
        var (signs, p) = ([Sign](), 0)
        while p < pattern.count {
            switch pattern[p] {
            case UInt8(ascii: "*"): signs.append(.any)
            case UInt8(ascii: "?"): signs.append(.one)
            case UInt8(ascii: "\\") where p + 1 < pattern.count:
                p += 1
                signs.append(.byte(pattern[p]))
            case UInt8(ascii: "["): signs.append(set(pattern, &p))
            default: signs.append(.byte(pattern[p]))
            }
            p += 1
        }
        return signs
    }

    /// Reads a set once, however often it is asked.
    ///
    /// - Parameter p: The place of its bracket, and then of the one that ends it, or of the pattern's last byte.
    private static func set(_ pattern: [UInt8], _ p: inout Int) -> Sign {
        p += 1
        let isNot = p < pattern.count && pattern[p] == UInt8(ascii: "^")
        if isNot { p += 1 }
        var set = ByteSet()
        while p < pattern.count, pattern[p] != UInt8(ascii: "]") {
            if pattern[p] == UInt8(ascii: "\\"), p + 1 < pattern.count {
                set.add(pattern[p + 1])
                p += 2
            } else if p + 2 < pattern.count, pattern[p + 1] == UInt8(ascii: "-") {
                for byte in min(pattern[p], pattern[p + 2])...max(pattern[p], pattern[p + 2]) { set.add(byte) }
                p += 3
            } else {
                set.add(pattern[p])
                p += 1
            }
        }
        return .set(set, isNot: isNot)
    }
}
