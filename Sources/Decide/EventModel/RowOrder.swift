internal import Foundation

/// The order of rows as SQL sorts them: null, numbers, text by its UTF-8.
public func precedes(_ a: Row, _ b: Row) -> Bool { order(of: a, b) == .before }

enum Order { case before, same, after }

func order(of a: Row, _ b: Row) -> Order {
    for i in 0..<min(a.count, b.count) {
        let order = order(of: a[i], b[i])
        if order != .same { return order }
    }
    return order(of: a.count, b.count)
}

private func order(of a: Value, _ b: Value) -> Order {
    switch (a, b) {
    case (.null, .null): .same
    case (.null, _): .before
    case (_, .null): .after
    case (.text(let a), .text(let b)): order(of: a, b)
    case (.text, _): .after
    case (_, .text): .before
    case (.integer(let a), .integer(let b)): order(of: a, b)
    // 1 and 1.0 differ as values, not in order.
    default: order(of: a.real ?? 0, b.real ?? 0)
    }
}

private func order<C: Comparable>(of a: C, _ b: C) -> Order { a < b ? .before : b < a ? .after : .same }

/// By UTF-8; Swift's own order of strings takes two ways to write one letter as equal.
private func order(of a: String, _ b: String) -> Order {
    var (a, b) = (a, b)
    return a.withUTF8 { a in
        b.withUTF8 { b in
            let common = min(a.count, b.count)
            if common > 0, let x = a.baseAddress, let y = b.baseAddress {
                let difference = memcmp(x, y, common)
                if difference != 0 { return difference < 0 ? .before : .after }
            }
            return order(of: a.count, b.count)
        }
    }
}

/// The beginning of a row as bytes that order rows as ``precedes(_:_:)`` does, where they differ.
///
/// Most rows of a batch are told apart by it, without a look at the rows.
struct RowPrefix: Comparable {
    /// Big-endian, so that numbers compare as their bytes do.
    private var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    private var room = 24

    init(_ row: Row) {
        for value in row where room > 0 {
            switch value {
            case .null: put(0)
            case .integer(let value): add(Double(value))
            case .real(let value): add(value)
            case .text(let value):
                put(2)
                // UTF-8 has no byte 255, and so no byte but the end is 0.
                for byte in value.utf8 where room > 0 { put(byte + 1) }
                put(0)
            }
        }
    }

    private mutating func put(_ byte: UInt8) {
        if room == 0 { return }
        room -= 1
        let bits = UInt64(byte) << (8 * UInt64(room & 7))
        switch room >> 3 {
        case 2: words.0 |= bits
        case 1: words.1 |= bits
        default: words.2 |= bits
        }
    }

    private mutating func add(_ number: Double) {
        put(1)
        // 0 added makes one of the two zeros.
        let sign = (number + 0).bitPattern
        let bits = sign >> 63 == 0 ? sign | 1 << 63 : ~sign
        for i in 0..<8 { put(UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64(i)))) }
        // From here on, integers that differ may be one as floating point numbers: what follows them tells nothing.
        if number.magnitude >= 0x1p53 { room = 0 }
    }

    static func < (a: RowPrefix, b: RowPrefix) -> Bool { a.words < b.words }
    static func == (a: RowPrefix, b: RowPrefix) -> Bool { a.words == b.words }
}
