internal import EventModel
internal import Foundation

/// About how many visitors there were, in little room: HyperLogLog (Flajolet and others 2007) with 4096 registers, whose error is
/// 1.6% as a rule. Few registers are kept as a list, many as one character each; both are text.
struct VisitorSketch: Hashable {
    private static let bits = 12
    private static let count = 1 << bits
    /// Registers up to which they are kept as a list.
    private static let few = 512
    private static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_".utf8)
    private static let values: [UInt8] = letters.indices.reduce(into: Array(repeating: 0, count: 256)) {
        $0[Int(letters[$1])] = UInt8($1)
    }

    private var registers: [Int: UInt8] = [:]

    init() {}

    /// As `text` has written it; a text that is none of these is an empty sketch.
    init(_ text: String) {
        let bytes = Array(text.utf8)
        if bytes.count == Self.count {
            for (place, byte) in bytes.enumerated() where Self.values[Int(byte)] > 0 {
                registers[place] = Self.values[Int(byte)]
            }
        } else if bytes.count % 3 == 0 {
            for at in stride(from: 0, to: bytes.count, by: 3) {
                let place = Int(Self.values[Int(bytes[at])]) << 6 | Int(Self.values[Int(bytes[at + 1])])
                registers[place] = Self.values[Int(bytes[at + 2])]
            }
        }
    }

    /// - Returns: whether anything changed.
    @discardableResult
    mutating func add(_ visitor: String) -> Bool {
        let hash = Permutation.mixed(FNV1a(visitor).value)
        let place = Int(hash >> UInt64(64 - Self.bits))
        let rank = UInt8(min((hash << UInt64(Self.bits)).leadingZeroBitCount, 64 - Self.bits) + 1)
        if registers[place, default: 0] >= rank { return false }
        registers[place] = rank
        return true
    }

    mutating func merge(_ other: VisitorSketch) { registers.merge(other.registers, uniquingKeysWith: max) }

    var text: String {
        if registers.count <= Self.few {
            return String(
                decoding: registers.sorted { $0.key < $1.key }.flatMap { place, rank in
                    [Self.letters[place >> 6], Self.letters[place & 63], Self.letters[Int(rank)]]
                }, as: UTF8.self)
        }
        return String(decoding: (0..<Self.count).map { Self.letters[Int(registers[$0] ?? 0)] }, as: UTF8.self)
    }

    /// How many there were, about.
    var estimate: Int64 {
        let m = Double(Self.count)
        let empty = Self.count - registers.count
        var sum = Double(empty)
        for rank in registers.values { sum += 1 / Double(1 << UInt64(rank)) }
        let raw = 0.7213 / (1 + 1.079 / m) * m * m / sum
        // Few are counted by what is still empty (linear counting).
        if raw <= 2.5 * m, empty > 0 { return Int64((-m * log(Double(empty) / m)).rounded()) }
        return Int64(raw.rounded())
    }
}
