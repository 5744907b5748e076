package import EventModel

/// A shape of dates and times in the words of strftime (POSIX): `%d/%b/%Y:%H:%M:%S %z`.
///
/// Read are `%Y %y %m %b %B %h %d %e %H %k %I %l %p %M %S %z %Z %a %A %D %F %T %R %s %n %t %%`. A fraction behind the seconds
/// is read wherever the pattern does not go on with a point.
package struct TimePattern: Hashable, Sendable {
    package enum Item: Hashable, Sendable {
        case literal(UInt8), space
        case year, shortYear, month, monthName, day, hour, minute, second, afternoon, zone, weekday
        /// A number since 1970, or what stands behind its point.
        case epoch(CivilTime.Unit), anyEpoch, fraction
    }

    package let items: [Item]

    package init(_ items: [Item]) { self.items = items }

    package init(_ format: String) throws(Malformed) {
        var items: [Item] = []
        var rest = Substring(format)
        while let character = rest.popFirst() {
            if character != "%" {
                items += character == " " ? [.space] : String(character).utf8.map { .literal($0) }
                continue
            }
            guard let letter = rest.popFirst() else { throw Malformed(format, "ends in a %") }
            guard let more = Self.conversions[letter] else {
                throw Malformed(format, "has %\(letter), which is no part of a time that is read")
            }
            items += more
        }
        self.items = items
    }

    private static let conversions: [Character: [Item]] = {
        let (slash, dash, colon) = (Item.literal(0x2f), Item.literal(0x2d), Item.literal(0x3a))
        return [
            "Y": [.year], "y": [.shortYear], "m": [.month], "b": [.monthName], "B": [.monthName], "h": [.monthName],
            "d": [.day], "e": [.day], "H": [.hour], "k": [.hour], "I": [.hour], "l": [.hour], "p": [.afternoon],
            "M": [.minute], "S": [.second], "z": [.zone], "Z": [.zone], "a": [.weekday], "A": [.weekday],
            "D": [.month, slash, .day, slash, .shortYear], "F": [.year, dash, .month, dash, .day],
            "T": [.hour, colon, .minute, colon, .second], "R": [.hour, colon, .minute], "s": [.epoch(.seconds)],
            "n": [.space], "t": [.space], "%": [.literal(0x25)], "f": [.fraction],
        ]
    }()

    /// `17/May/2015:10:05:03 +0000`, as web servers write it.
    package static let accessLog = TimePattern([
        .day, .literal(0x2f), .monthName, .literal(0x2f), .year, .literal(0x3a), .hour, .literal(0x3a), .minute,
        .literal(0x3a), .second, .space, .zone,
    ])

    /// The moment that a whole text tells.
    package func moment(_ text: String) -> Timestamp? {
        var (rest, parts) = (ArraySlice(text.utf8), CivilParts())
        return read(&rest, into: &parts) && rest.isEmpty ? parts.moment : nil
    }

    /// Reads what stands at the front of some bytes, past it. False where it is not of this shape.
    /// - Parameter next: the byte that is to follow.
    package func read(_ rest: inout ArraySlice<UInt8>, into parts: inout CivilParts, before next: UInt8? = nil) -> Bool
    {
        for (i, item) in items.enumerated() {
            if !parts.read(item, &rest) { return false }
            let following = i + 1 < items.count ? items[i + 1] : next.map { .literal($0) }
            if item == .second, let point = rest.first, point == 0x2e || point == 0x2c, following != .literal(point),
                (0x30...0x39).contains(rest.dropFirst().first ?? 0)
            {
                rest.removeFirst()
                _ = parts.read(.fraction, &rest)
            }
        }
        return true
    }
}

/// The parts of a date and a time of day, as far as they are known.
package struct CivilParts: Sendable {
    package init() {}

    private var year: Int64?
    private var month: Int64?
    private var day: Int64?
    private var (hour, minute, second): (Int64, Int64, Int64) = (0, 0, 0)
    private var milliseconds: Int64 = 0
    private var isAfternoon: Bool?
    private var zone: Int64 = 0
    private var epoch: Timestamp?

    /// Nil where the date is not whole, or the calendar has no such.
    package var moment: Timestamp? {
        if let epoch {
            // What is told behind the seconds comes on top.
            return epoch.rawValue % 1000 == 0 ? Timestamp(epoch.rawValue + milliseconds) : epoch
        }
        guard let year, let month, let day else { return nil }
        let hour = isAfternoon.map { self.hour % 12 + ($0 ? 12 : 0) } ?? self.hour
        return CivilTime.moment(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second, milliseconds: milliseconds,
            zone: zone)
    }

    package static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    fileprivate mutating func read(_ item: TimePattern.Item, _ rest: inout ArraySlice<UInt8>) -> Bool {
        switch item {
        case .literal(let byte):
            if rest.first != byte { return false }
            rest.removeFirst()
            return true
        case .space:
            if rest.first != 0x20, rest.first != 0x09 { return false }
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
            return true
        case .year:
            year = Self.digits(&rest, 4...4)
            return year != nil
        case .shortYear:
            // POSIX: 69 to 99 are of the twentieth century.
            year = Self.digits(&rest, 2...2).map { $0 + ($0 < 69 ? 2000 : 1900) }
            return year != nil
        case .month:
            month = Self.digits(&rest, 1...2)
            return month != nil
        case .monthName: return readMonth(&rest)
        case .day:
            if rest.first == 0x20 { rest.removeFirst() }
            day = Self.digits(&rest, 1...2)
            return day != nil
        case .hour: return Self.put(Self.digits(&rest, 1...2), &hour)
        case .minute: return Self.put(Self.digits(&rest, 1...2), &minute)
        case .second: return Self.put(Self.digits(&rest, 1...2), &second)
        case .afternoon:
            let word = Self.word(&rest)
            isAfternoon = word == "pm"
            return word == "pm" || word == "am"
        case .zone: return readZone(&rest)
        case .weekday: return !Self.word(&rest).isEmpty
        case .fraction: return readFraction(&rest)
        case .epoch, .anyEpoch: return readEpoch(item, &rest)
        }
    }

    private static func put(_ value: Int64?, _ place: inout Int64) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    /// So many digits, and no more of them behind.
    private static func digits(_ rest: inout ArraySlice<UInt8>, _ count: ClosedRange<Int>) -> Int64? {
        var (value, read): (Int64, Int) = (0, 0)
        while read < count.upperBound, let byte = rest.first, (0x30...0x39).contains(byte) {
            value = value * 10 + Int64(byte - 0x30)
            rest.removeFirst()
            read += 1
        }
        return read < count.lowerBound ? nil : value
    }

    private static func word(_ rest: inout ArraySlice<UInt8>) -> String {
        let word = rest.prefix { (0x61...0x7a).contains($0 | 0x20) }
        rest = rest[word.endIndex...]
        return String(decoding: word, as: UTF8.self).lowercased()
    }

    private mutating func readMonth(_ rest: inout ArraySlice<UInt8>) -> Bool {
        let name = Self.word(&rest)
        guard name.utf8.count >= 3, let index = Self.months.firstIndex(of: String(name.prefix(3))) else { return false }
        month = Int64(index) + 1
        return true
    }

    /// Seconds east of UTC: `+0200`, `-04:30`, `Z` or `UTC`.
    private mutating func readZone(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
            zone = 0
            return ["z", "utc", "gmt"].contains(Self.word(&rest))
        }
        rest.removeFirst()
        guard let hours = Self.digits(&rest, 2...2), hours < 24 else { return false }
        if rest.first == 0x3a { rest.removeFirst() }
        guard let minutes = Self.digits(&rest, 2...2), minutes < 60 else { return false }
        zone = (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        return true
    }

    private mutating func readFraction(_ rest: inout ArraySlice<UInt8>) -> Bool {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest[digits.endIndex...]
        milliseconds = digits.prefix(3).reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        for _ in digits.count..<max(3, digits.count) { milliseconds *= 10 }
        return !digits.isEmpty
    }

    private mutating func readEpoch(_ item: TimePattern.Item, _ rest: inout ArraySlice<UInt8>) -> Bool {
        let digits = rest.prefix { (0x2d...0x2e).contains($0) || (0x30...0x39).contains($0) }
        rest = rest[digits.endIndex...]
        guard let number = DecimalText(digits) else { return false }
        if case .epoch(let unit) = item {
            epoch = number.scaled(by: 3 - unit.power).map { Timestamp($0) }
        } else {
            epoch = CivilTime.sinceEpoch(number)?.moment
        }
        return epoch.map(Timestamp.calendar.contains) ?? false
    }
}
