import EventModel
import Testing

@Suite("A decimal number's text")
struct DecimalTextTests {
    @Test(
        arguments: [
            ("0", "0"), ("-0", "0"), ("0.0", "0"), ("0e99", "0"), ("007", "7"), ("4e17", "400000000000000000"),
            ("4E+17", "400000000000000000"), ("9007199254740993", "9007199254740993"), ("12.50e1", "125"),
            ("1.5e1", "15"), ("-1200e-2", "-12"), ("18446744073709551615", "18446744073709551615"),
            ("100000000000000000000", "100000000000000000000"), ("1.000000000000000000000000", "1"),
            ("1.5", nil), ("1e-1", nil), ("18446744073709551616", nil), ("12345678901234567890123", nil),
            ("1.0000000000000000000000001", nil), ("1e999999999999999999999", nil), ("1e101", nil),
        ] as [(String, String?)])
    func `of a whole number is written as one, exactly or not at all`(text: String, integer: String?) throws {
        #expect(try #require(DecimalText(text)).integer == integer)
    }
    @Test(
        arguments: [
            ("1417392000.123", 3, 1_417_392_000_123), ("1e3", 3, 1_000_000), ("-1.25", 3, -1250), ("0.0009", 3, 0),
            ("-0.0009", 3, 0), ("1213084687.0625", 3, 1_213_084_687_062), ("1417392000123456", -3, 1_417_392_000_123),
            ("1417392000.12345678901234567890", 3, 1_417_392_000_123), ("9223372036854775807", 0, .max),
            ("-9223372036854775808", 0, .min), ("9223372036854775808", 0, nil), ("1e30", 0, nil), ("1e30", -30, 1),
            ("123456789012345678901234567890", -15, 123_456_789_012_345), ("5e-324", 3, 0), ("0", 99, 0),
        ] as [(String, Int, Int64?)])
    func `is scaled exactly, and what is finer is cut off`(text: String, power: Int, value: Int64?) throws {
        #expect(try #require(DecimalText(text)).scaled(by: power) == value)
    }
    @Test(arguments: [
        "", "-", "+5", ".5", "5.", "1e", "1e+", "0x10", "0x1p3", "inf", "nan", "-infinity", "1_000", "1,5", " 1", "1 ",
        "--1", "1.2.3", "\u{0665}", "1e1.5",
    ])
    func `is nothing else`(text: String) {
        #expect(DecimalText(text) == nil && DecimalText.double(text) == nil)
    }
    @Test func `of any double is read as that double`() {
        #expect(DecimalText.double("39.98") == 39.98 && DecimalText.double("-1.5e-7") == -1.5e-7)
        #expect(DecimalText.double("1e400") == nil && DecimalText.double("-0")?.sign == .minus)
        var state: UInt64 = 14
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let digits = String(state >> (state % 60))
            let point = digits.index(digits.startIndex, offsetBy: Int(state >> 33) % digits.count)
            let text = digits[..<point] + (point == digits.startIndex ? "0." : ".") + digits[point...]
            #expect(DecimalText.double(String(text)) == Double(text), "\(text)")
        }
    }
}
