/// Names of hosts in other scripts than Latin, as DNS has them (RFC 3492).
enum Punycode {
    private static let (base, least, most, skew, damp) = (36, 1, 26, 38, 700)

    /// What stands behind `xn--`, decoded; nil where it is no such text.
    static func decoded(_ text: Substring) -> String? {
        var scalars: [Unicode.Scalar] = []
        var rest = text.unicodeScalars[...]
        if let hyphen = rest.lastIndex(of: "-") {
            scalars = Array(rest[..<hyphen])
            rest = rest[rest.index(after: hyphen)...]
        }
        var (code, at, bias) = (0x80, 0, 72)
        while !rest.isEmpty {
            let start = at
            var (weight, k) = (1, base)
            while true {
                guard let digit = rest.popFirst().flatMap(digit) else { return nil }
                let (product, isLarge) = digit.multipliedReportingOverflow(by: weight)
                let (sum, isLarger) = at.addingReportingOverflow(product)
                if isLarge || isLarger { return nil }
                at = sum
                let threshold = min(max(k - bias, least), most)
                if digit < threshold { break }
                let (next, isOver) = weight.multipliedReportingOverflow(by: base - threshold)
                if isOver { return nil }
                (weight, k) = (next, k + base)
            }
            let count = scalars.count + 1
            bias = adapted(at - start, count, isFirst: start == 0)
            let (sum, isOver) = code.addingReportingOverflow(at / count)
            guard !isOver, sum <= 0x10ffff, let scalar = Unicode.Scalar(UInt32(sum)) else { return nil }
            code = sum
            at %= count
            scalars.insert(scalar, at: at)
            at += 1
        }
        var decoded = String.UnicodeScalarView()
        decoded.append(contentsOf: scalars)
        return String(decoded)
    }

    private static func digit(_ scalar: Unicode.Scalar) -> Int? {
        switch scalar {
        case "a"..."z": Int(scalar.value) - 0x61
        case "0"..."9": Int(scalar.value) - 0x30 + 26
        default: nil
        }
    }

    private static func adapted(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - least) * most / 2 {
            delta /= base - least
            k += base
        }
        return k + (base - least + 1) * delta / (delta + skew)
    }
}
