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
    var (a, b) = (a.utf8.makeIterator(), b.utf8.makeIterator())
    while true {
        switch (a.next(), b.next()) {
        case (nil, nil): return .same
        case (nil, _): return .before
        case (_, nil): return .after
        case (let x?, let y?): if x != y { return x < y ? .before : .after }
        }
    }
}

/// A number that orders rows as ``precedes(_:_:)`` does where it differs: of the kind of the first value and its beginning.
///
/// Most rows of a batch are told apart by it, without a look at the rows.
struct RowPrefix: Comparable {
    private var bits: UInt64 = 0

    init(_ row: Row) {
        guard let first = row.first else { return }
        switch first {
        case .null: return
        case .integer(let value): bits = 1 << 62 | Self.ordered(Double(value)) >> 2
        case .real(let value): bits = 1 << 62 | Self.ordered(value) >> 2
        case .text(let value):
            var bytes: UInt64 = 0
            var shift: UInt64 = 64
            for byte in value.utf8.prefix(8) {
                shift -= 8
                bytes |= UInt64(byte) << shift
            }
            bits = 1 << 63 | bytes >> 2
        }
    }

    /// The bits of a number, ordered as unsigned ones; 0 added makes one of the two zeros.
    private static func ordered(_ number: Double) -> UInt64 {
        let bits = (number + 0).bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }

    static func < (a: RowPrefix, b: RowPrefix) -> Bool { a.bits < b.bits }
}
