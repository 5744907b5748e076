internal import Foundation

extension Timestamp {
    /// What four digits of a year can write.
    private static let written = Timestamp(-62_135_596_800_000)...Timestamp(253_402_300_799_999)

    /// In UTC with milliseconds where there are any: 2026-12-24T19:30:00Z. A time of no year from 1 to 9999 is written as its
    /// milliseconds since 1970.
    public var rfc3339: String {
        if !Self.written.contains(self) { return String(rawValue) }
        if self < Self.gregorian { return writtenByFoundation }
        let (second, millisecond) = (second, millisecond)
        let day = second >= 0 ? second / 86_400 : (second - 86_399) / 86_400
        let (ofDay, date) = (second - day * 86_400, Self.civil(day))
        return String(unsafeUninitializedCapacity: 24) { bytes in
            var at = 0
            func put(_ number: Int64, _ digits: Int, _ mark: Unicode.Scalar) {
                var rest = number
                for place in stride(from: at + digits - 1, through: at, by: -1) {
                    bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                bytes[at + digits] = UInt8(ascii: mark)
                at += digits + 1
            }
            put(date.year, 4, "-")
            put(date.month, 2, "-")
            put(date.day, 2, "T")
            put(ofDay / 3600, 2, ":")
            put(ofDay / 60 % 60, 2, ":")
            put(ofDay % 60, 2, millisecond == 0 ? "Z" : ".")
            if millisecond != 0 { put(millisecond, 3, "Z") }
            return at
        }
    }

    /// 1582-10-15, before which Foundation, which reads times, goes by the Julian calendar.
    private static let gregorian = Timestamp(-12_219_292_800_000)

    private var writtenByFoundation: String {
        let whole = Date(timeIntervalSince1970: Double(second)).formatted(Date.ISO8601FormatStyle())
        if millisecond == 0 { return whole }
        let digits = String(millisecond)
        return whole.dropLast() + "." + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
    }

    /// The date of a day since 1970 (howardhinnant.github.io/date_algorithms.html#civil_from_days).
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        return (
            yearOfEra + era * 400 + (month < 10 ? 0 : 1), month < 10 ? month + 3 : month - 9,
            dayOfYear - (153 * month + 2) / 5 + 1
        )
    }

    /// Reads RFC 3339: 2026-12-24T19:30:00Z, with a fraction or an offset where wanted.
    public init?(rfc3339 text: String) {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        guard let date = try? style.parse(text),
            let milliseconds = Int64(exactly: (date.timeIntervalSince1970 * 1000).rounded())
        else { return nil }
        self.init(milliseconds)
    }
}
