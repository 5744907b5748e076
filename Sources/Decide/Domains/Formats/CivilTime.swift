internal import EventModel

/// Dates and times of the proleptic Gregorian calendar, as files of others write them.
enum CivilTime {
    /// A moment as a table has it: `2008-10-23 05:53:05` in UTC; RFC 3339, where the `T` may be a space and the zone be left
    /// out; or seconds since 1970, whole or with a fraction. What is finer than a millisecond is cut off.
    static func moment(_ text: String, _ field: String) throws(Malformed) -> Timestamp {
        guard let moment = civil(text) ?? seconds(text) else {
            throw Malformed(field, "is \(text), not 2008-10-23 05:53:05, 2008-10-23T05:53:05Z or seconds since 1970")
        }
        if !Timestamp.calendar.contains(moment) { throw Malformed(field, "\(text) is not in the years 1 to 9998") }
        return moment
    }

    /// Days since 1970 (howardhinnant.github.io/date_algorithms.html#days_from_civil).
    static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The days of a month, 1 to 12.
    static func days(in month: Int64, of year: Int64) -> Int64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    private static func civil(_ text: String) -> Timestamp? {
        var scanner = Scanner(rest: text.utf8[...])
        guard let year = scanner.digits(4), scanner.skip("-"), let month = scanner.digits(2), scanner.skip("-"),
            let day = scanner.digits(2), scanner.skip(" ") || scanner.skip("T") || scanner.skip("t"),
            let hour = scanner.digits(2), scanner.skip(":"), let minute = scanner.digits(2), scanner.skip(":"),
            let second = scanner.digits(2), year >= 1, (1...12).contains(month),
            day >= 1, day <= days(in: month, of: year), hour < 24, minute < 60, second <= 60
        else { return nil }
        let fraction = scanner.skip(".") ? scanner.milliseconds() : 0
        guard let fraction, let zone = scanner.zone(), scanner.rest.isEmpty else { return nil }
        let time = daysSince1970(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        return Timestamp((time - zone) * 1000 + fraction)
    }

    private static func seconds(_ text: String) -> Timestamp? {
        var scanner = Scanner(rest: text.utf8[...])
        let isBefore = scanner.skip("-")
        var whole: Int64 = 0
        var count = 0
        while let digit = scanner.digits(1) {
            (whole, count) = (whole * 10 + digit, count + 1)
            if count > 15 { return nil }
        }
        let fraction = scanner.skip(".") ? scanner.milliseconds() : 0
        guard count > 0, let fraction, scanner.rest.isEmpty else { return nil }
        let milliseconds = whole * 1000 + fraction
        return Timestamp(isBefore ? -milliseconds : milliseconds)
    }

    private struct Scanner {
        var rest: Substring.UTF8View

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            if rest.first != UInt8(ascii: character) { return false }
            rest.removeFirst()
            return true
        }

        mutating func digits(_ count: Int) -> Int64? {
            var value: Int64 = 0
            for _ in 0..<count {
                guard let byte = rest.first, (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
                rest.removeFirst()
            }
            return value
        }

        /// The digits behind a point.
        mutating func milliseconds() -> Int64? {
            var (value, scale): (Int64, Int64) = (0, 1000)
            if rest.isEmpty { return nil }
            while let digit = digits(1) {
                scale /= 10
                value += digit * scale
            }
            return value
        }

        /// Seconds east of UTC: nothing or `Z` is UTC.
        mutating func zone() -> Int64? {
            if rest.isEmpty || skip("Z") || skip("z") { return 0 }
            let isWest = rest.first == UInt8(ascii: "-")
            guard skip("-") || skip("+"), let hours = digits(2), hours < 24, skip(":"), let minutes = digits(2),
                minutes < 60
            else { return nil }
            let east = hours * 3600 + minutes * 60
            return isWest ? -east : east
        }
    }
}
