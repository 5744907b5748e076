internal import EventModel

/// Whether a text may be a payment provider's token. Card data must never reach the log, which never forgets: it is refused
/// before anything is written, and the message does not repeat it.
enum PaymentToken {
    /// How many digits a card number has (ISO/IEC 7812-1); the shortest in use are of 12.
    private static let lengths = 12...19
    /// At most so many marks stand between two groups of one number's digits.
    private static let longestGap = 3
    private static let securityCodes = ["cvv", "cvc", "csc", "cvn"]

    static func check(_ token: String) throws(Malformed) {
        try Check.text(token, "paymentToken", atMost: TicketsLimits.token)
        if hasCardNumber(token) {
            throw Malformed("paymentToken", "looks like a card number; give the token of your payment provider")
        }
        if hasSecurityCode(token) {
            throw Malformed(
                "paymentToken", "looks like a card's security code; give the token of your payment provider")
        }
    }

    /// A run of digits in one piece, and whether one may go on from the run before it.
    private struct Group {
        var digits: [UInt8]
        var continues: Bool
    }

    /// Whether some groups of digits, next to each other, are a number of the length and with the check digit of a card's.
    ///
    /// A longer number in one piece is none. In a token that has more than digits, the number must also begin as card numbers
    /// do: moments and counters are in many tokens, and one of ten has the check digit of a card by chance.
    private static func hasCardNumber(_ token: String) -> Bool {
        let (groups, isNumber) = groups(of: token)
        for first in groups.indices {
            var digits: [UInt8] = []
            for (i, group) in groups[first...].enumerated() {
                if i > 0, !group.continues { break }
                digits += group.digits
                if digits.count > lengths.upperBound { break }
                let isWhole = isNumber && first == 0 && i == groups.count - 1
                let isLong = digits.count > lengths.lowerBound
                if lengths.contains(digits.count), isWhole || isLong && isOfScheme(digits), luhn(digits) { return true }
            }
        }
        return false
    }

    /// The digits of a text, of whatever script, and whether it has nothing else but marks.
    private static func groups(of text: String) -> (groups: [Group], isNumber: Bool) {
        var groups: [Group] = []
        // Marks since the last digit; nil where there was a letter too, or no digit yet.
        var gap: Int?
        var isNumber = true
        for scalar in text.unicodeScalars {
            if let digit = digit(scalar) {
                if gap == 0 {
                    groups[groups.count - 1].digits.append(digit)
                } else {
                    groups.append(Group(digits: [digit], continues: (gap ?? .max) <= longestGap))
                }
                gap = 0
            } else if isLetter(scalar) {
                (gap, isNumber) = (nil, false)
            } else {
                gap = gap.map { $0 + 1 }
            }
        }
        return (groups, isNumber)
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (65...90).contains(scalar.value) || (97...122).contains(scalar.value) }
        return scalar.properties.isAlphabetic
    }
    private static func digit(_ scalar: Unicode.Scalar) -> UInt8? {
        if scalar.isASCII { return (48...57).contains(scalar.value) ? UInt8(scalar.value - 48) : nil }
        guard scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue else { return nil }
        return UInt8(value)
    }

    /// How numbers of the schemes begin: with 3 to 6, or 2221 to 2720.
    private static func isOfScheme(_ digits: [UInt8]) -> Bool {
        if (3...6).contains(digits[0]) { return true }
        return (2221...2720).contains(digits.prefix(4).reduce(0) { $0 * 10 + Int($1) })
    }

    /// The check digit of card numbers (ISO/IEC 7812-1).
    private static func luhn(_ digits: [UInt8]) -> Bool {
        let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
            let value = Int(digit.element)
            if digit.offset % 2 == 0 { return sum + value }
            return sum + (value > 4 ? 2 * value - 9 : 2 * value)
        }
        return sum % 10 == 0
    }

    /// Whether there is a word for a card's security code with three or four digits behind it: `cvv=123`, `CVC2: 1234`.
    private static func hasSecurityCode(_ token: String) -> Bool {
        let bytes = token.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }
        func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte) || byte >= 0x80 }
        func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
        for start in bytes.indices.dropLast(3) {
            guard start == 0 || !isLetter(bytes[start - 1]) else { continue }
            guard securityCodes.contains(where: { bytes[start..<start + 3].elementsEqual($0.utf8) }) else { continue }
            var rest = bytes[(start + 3)...]
            for isNumbered in [false, true] {
                if isNumbered {
                    guard rest.first == 0x32 else { break }
                    rest = rest.dropFirst()
                }
                let code = rest.drop { !isLetter($0) && !isDigit($0) }.prefix { isDigit($0) }
                if (3...4).contains(code.count) { return true }
            }
        }
        return false
    }
}
