extension Timestamp {
    /// What four digits of a year can write.
    private static let written = Timestamp(-62_135_596_800_000)...Timestamp(253_402_300_799_999)

    /// In UTC with milliseconds where there are any: 2026-12-24T19:30:00Z. A time of no year from 1 to 9999 is written as its
    /// milliseconds since 1970. Dates are those of the Gregorian calendar, before 1582 too, as in the JSON of messages.
    public var rfc3339: String {
        if !Self.written.contains(self) { return String(rawValue) }
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

    /// The day since 1970 of a date (howardhinnant.github.io/date_algorithms.html#days_from_civil).
    private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Reads RFC 3339: 2026-12-24T19:30:00Z, with a fraction or an offset where wanted. A fraction is rounded to milliseconds, an offset may
    /// be without its colon or its minutes, and a leap second is the second after it.
    public init?(rfc3339 text: String) {
        var rest = MomentText(text.utf8[...])
        guard let year = rest.number(4), year > 0, rest.take("-"), let month = rest.number(2), rest.take("-"),
            let ofMonth = rest.number(2), rest.take("Tt"), let hour = rest.number(2), rest.take(":"),
            let minute = rest.number(2), rest.take(":"), let second = rest.number(2), let fraction = rest.fraction(),
            let offset = rest.offset()
        else { return nil }
        let day = Self.day(year, month, ofMonth)
        // A date that there is not, such as the 30th of February, is another when it is written.
        guard (1...12).contains(month), Self.civil(day) == (year, month, ofMonth), hour < 24, minute < 60, second <= 60
        else { return nil }
        let time = day * 86_400 + hour * 3600 + minute * 60 + second - offset
        if second == 60 {
            let next = Self.civil(time >= 0 ? time / 86_400 : (time - 86_399) / 86_400)
            guard time % 86_400 == 0, next.day == 1, next.month == 1 || next.month == 7 else { return nil }
        }
        self.init(time * 1000 + fraction)
    }
}

/// The rest of a text that is read as a moment.
private struct MomentText {
    private var rest: Substring.UTF8View

    init(_ text: Substring.UTF8View) { rest = text }

    mutating func take(_ marks: StaticString) -> Bool {
        guard let first = rest.first, marks.withUTF8Buffer({ $0.contains(first) }) else { return false }
        rest.removeFirst()
        return true
    }

    /// A number of so many digits.
    mutating func number(_ digits: Int) -> Int64? {
        guard rest.count >= digits else { return nil }
        var number: Int64 = 0
        for digit in rest.prefix(digits) {
            guard let value = Self.value(digit) else { return nil }
            number = number * 10 + value
        }
        rest.removeFirst(digits)
        return number
    }

    /// The milliseconds of a fraction, which may be left out.
    mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        var (tenThousandths, count) = (Int64(0), 0)
        while let digit = rest.first, let value = Self.value(digit) {
            if count < 4 { tenThousandths = tenThousandths * 10 + value }
            count += 1
            rest.removeFirst()
        }
        for _ in count..<max(4, count) { tenThousandths *= 10 }
        return count == 0 ? nil : (tenThousandths + 5) / 10
    }

    /// The seconds by which a place is ahead of UTC, at the end of the text.
    mutating func offset() -> Int64? {
        if take("Zz") { return rest.isEmpty ? 0 : nil }
        let isAhead = take("+")
        guard isAhead || take("-"), let hours = number(2), hours < 24 else { return nil }
        var minutes: Int64 = 0
        if !rest.isEmpty {
            _ = take(":")
            guard let said = number(2), said < 60, rest.isEmpty else { return nil }
            minutes = said
        }
        return (isAhead ? 1 : -1) * (hours * 3600 + minutes * 60)
    }

    private static func value(_ digit: UInt8) -> Int64? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) ? Int64(digit - UInt8(ascii: "0")) : nil
    }
}
