/// A decimal number read from its text, digit by digit: `-12.5e3`. Nothing is rounded on the way, and neither hexadecimal
/// digits, nor `inf`, `nan`, a plus sign, or digits of other scripts are taken.
///
/// The grammar is JSON's (RFC 8259, section 6), but zeros may lead.
public struct DecimalText: Hashable, Sendable {
    /// Whether a minus stands before it.
    public private(set) var isNegative = false
    /// The value is `mantissa` times ten to the power of `exponent`, and what is left out of it, if anything is.
    private var mantissa: UInt64 = 0
    private var exponent = 0
    /// Whether 64 bits took no more digits.
    private var isFull = false
    /// Whether one of the digits left out is not zero.
    private var isCut = false

    /// What an exponent is cut to: no number of 64 bits needs more.
    private static let farthest = 1000
    /// The longest whole number that is written out.
    private static let longest = 100

    /// Nil where the text is no decimal number as JSON writes them.
    public init?(_ text: String) {
        var text = text
        guard let read = text.withUTF8({ Self(reading: $0) }) else { return nil }
        self = read
    }
    /// Nil where the text is no decimal number as JSON writes them.
    public init?(_ text: Substring) { self.init(String(text)) }
    /// Nil where the bytes are no decimal number as JSON writes them.
    public init?(_ bytes: ArraySlice<UInt8>) {
        guard let read = bytes.withUnsafeBufferPointer({ Self(reading: $0) }) else { return nil }
        self = read
    }

    // A buffer, since what is read is read once for each number of each line of an import.
    private init?(reading bytes: UnsafeBufferPointer<UInt8>) {
        var at = 0
        let end = bytes.count
        if at < end, bytes[at] == UInt8(ascii: "-") {
            isNegative = true
            at += 1
        }
        var start = at
        while at < end, bytes[at] &- 0x30 < 10 {
            add(bytes[at] &- 0x30, isFraction: false)
            at += 1
        }
        if at == start { return nil }
        if at < end, bytes[at] == UInt8(ascii: ".") {
            at += 1
            start = at
            while at < end, bytes[at] &- 0x30 < 10 {
                add(bytes[at] &- 0x30, isFraction: true)
                at += 1
            }
            if at == start { return nil }
        }
        if at < end, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            var isDown = false
            if at < end, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") {
                isDown = bytes[at] == UInt8(ascii: "-")
                at += 1
            }
            start = at
            var power = 0
            while at < end, bytes[at] &- 0x30 < 10 {
                power = min(power * 10 + Int(bytes[at] &- 0x30), Self.farthest)
                at += 1
            }
            if at == start { return nil }
            exponent += isDown ? -power : power
        }
        if at != end { return nil }
    }

    private mutating func add(_ digit: UInt8, isFraction: Bool) {
        let (tens, over) = mantissa.multipliedReportingOverflow(by: 10)
        let (sum, carried) = tens.addingReportingOverflow(UInt64(digit))
        isFull = isFull || over || carried
        if isFull {
            isCut = isCut || digit != 0
            // A digit left out before the point still moves the point.
            if !isFraction { exponent = min(exponent + 1, Self.farthest) }
        } else {
            mantissa = sum
            if isFraction { exponent -= 1 }
        }
    }

    /// The value times ten to a power, cut towards zero; nil where 64 bits do not hold it.
    public func scaled(by power: Int) -> Int64? {
        var (value, left) = (mantissa, exponent + power)
        while left < 0, value != 0 { (value, left) = (value / 10, left + 1) }
        while left > 0, value != 0 {
            if isCut { return nil }
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            if over { return nil }
            (value, left) = (tens, left - 1)
        }
        guard let magnitude = Int64(exactly: value) else {
            return isNegative && value == UInt64(Int64.max) + 1 ? .min : nil
        }
        return isNegative ? -magnitude : magnitude
    }

    /// The value as a whole number is written: `4e17` is `400000000000000000`. Nil where it has a fraction, or more digits
    /// than are held exactly.
    public var integer: String? {
        if mantissa == 0 { return isCut ? nil : "0" }
        var (value, left) = (mantissa, exponent)
        while left < 0, value % 10 == 0 { (value, left) = (value / 10, left + 1) }
        if isCut || left < 0 || left > Self.longest { return nil }
        return (isNegative ? "-" : "") + String(value) + String(repeating: "0", count: left)
    }

    private static let powers: [Double] = (0...22).map { (0..<$0).reduce(1.0) { value, _ in value * 10 } }

    /// The nearest number of floating point that a text tells, finite.
    public static func double(_ text: String) -> Double? {
        guard let number = DecimalText(text) else { return nil }
        // Both are exact as floating point, so what comes of them is rounded once: Clinger's fast path (PLDI 1990).
        if number.mantissa < 1 << 53, !number.isFull, number.exponent <= 0, number.exponent >= -22 {
            let value = Double(number.mantissa) / powers[-number.exponent]
            return number.isNegative ? -value : value
        }
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }
}
