package import EventModel

/// Dates and times of the proleptic Gregorian calendar, as files of others write them.
package enum CivilTime {
    /// What a number of time counts since 1970. A number says by its size which: each unit has the years up to 5138.
    package enum Unit: String, CaseIterable, Sendable {
        case seconds, milliseconds, microseconds, nanoseconds

        /// By which power of ten it is finer than a second.
        package var power: Int { 3 * (Self.allCases.firstIndex(of: self) ?? 0) }
    }

    /// A moment as a table has it: `2008-10-23 05:53:05` in UTC; RFC 3339, where the `T` may be a space and the zone be left
    /// out; or a number of seconds, milliseconds, microseconds or nanoseconds since 1970, whole or with a fraction. What is
    /// finer than a millisecond is cut off.
    package static func moment(_ text: String, _ field: String) throws(Malformed) -> Timestamp {
        try reading(text, field).moment
    }

    /// A moment, and the unit where it is written as a number.
    package static func reading(_ text: String, _ field: String) throws(Malformed) -> (moment: Timestamp, unit: Unit?) {
        guard let reading = civil(text).map({ ($0, Unit?.none) }) ?? sinceEpoch(text) else {
            throw Malformed(field, "is \(text), not 2008-10-23 05:53:05, 2008-10-23T05:53:05Z or seconds since 1970")
        }
        if !Timestamp.calendar.contains(reading.0) { throw Malformed(field, "\(text) is not in the years 1 to 9998") }
        return reading
    }

    /// A number since 1970, in the unit that its size tells. An exponent is no part of it.
    package static func sinceEpoch(_ text: String) -> (moment: Timestamp, unit: Unit)? {
        if text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) { return nil }
        return DecimalText(text).flatMap(sinceEpoch)
    }

    package static func sinceEpoch(_ number: DecimalText) -> (moment: Timestamp, unit: Unit)? {
        // Whoever counts nanoseconds has 64 bits for them, and nobody counted so finely before 1970.
        if number.scaled(by: 0) == nil { return nil }
        for unit in number.isNegative ? [.seconds, .milliseconds] : Unit.allCases {
            // 10^11 seconds end in the year 5138.
            guard let value = number.scaled(by: -unit.power), value.magnitude < 100_000_000_000 else { continue }
            return number.scaled(by: 3 - unit.power).map { (Timestamp($0), unit) }
        }
        return nil
    }

    /// Days since 1970 (howardhinnant.github.io/date_algorithms.html#days_from_civil).
    package static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The days of a month, 1 to 12.
    package static func days(in month: Int64, of year: Int64) -> Int64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// A date and a time of day: nil where the text is not those.
    package static func civil(_ text: String) -> Timestamp? {
        var scanner = Scanner(rest: text.utf8[...])
        guard let year = scanner.digits(4) else { return nil }
        let between: Unicode.Scalar = scanner.skip("-") ? "-" : "/"
        guard between == "-" || scanner.skip("/"),
            let month = scanner.digits(2), scanner.skip(between), let day = scanner.digits(2),
            scanner.skip(" ") || scanner.skip("T") || scanner.skip("t"),
            let hour = scanner.digits(2), scanner.skip(":"), let minute = scanner.digits(2), scanner.skip(":"),
            let second = scanner.digits(2)
        else { return nil }
        let fraction = scanner.skip(".") || scanner.skip(",") ? scanner.milliseconds() : 0
        guard let fraction, let zone = scanner.zone(), scanner.rest.isEmpty else { return nil }
        return moment(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second, milliseconds: fraction,
            zone: zone)
    }

    /// The moment of a date and a time of day, nil where the calendar has no such. A second 60 is the next one's 0.
    /// - Parameter zone: Seconds east of UTC.
    package static func moment(
        year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64, milliseconds: Int64,
        zone: Int64
    ) -> Timestamp? {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= days(in: month, of: year),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let time = daysSince1970(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        return Timestamp((time - zone) * 1000 + milliseconds)
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

        /// Seconds east of UTC: nothing, `Z` or `UTC` is UTC. A space may stand before it.
        mutating func zone() -> Int64? {
            if rest.isEmpty || skip("Z") || skip("z") { return 0 }
            if skip(" "), rest.elementsEqual("UTC".utf8) || rest.elementsEqual("GMT".utf8) {
                rest = rest[rest.endIndex...]
                return 0
            }
            let isWest = rest.first == UInt8(ascii: "-")
            guard skip("-") || skip("+"), let hours = digits(2), hours < 24 else { return nil }
            _ = skip(":")
            guard let minutes = digits(2), minutes < 60 else { return nil }
            let east = hours * 3600 + minutes * 60
            return isWest ? -east : east
        }
    }
}
