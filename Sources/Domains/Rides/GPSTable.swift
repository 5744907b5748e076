internal import CSVText
internal import CivilCalendar
public import EventModel
internal import SwiftProtobuf

/// Reads tables of drivers' positions: separated values, whose first line names the columns.
///
/// Needed are `lat`, `lng`, `datetime` and `driver`, or what else such columns are called; other columns are passed over. The
/// separator is told from the first line; where it is no comma, degrees and seconds may have a decimal comma. Numbers of
/// time are in the unit that their size tells.
public struct GPSTable: Sendable {
    private let header: CSVHeader
    private let prefix: String
    private let driver: String?
    private var units: Set<CivilTime.Unit> = []

    private static let columns = [
        ["lat", "latitude"], ["lng", "lon", "long", "longitude"], ["datetime", "ts", "time", "timestamp"],
    ]
    private static let drivers = ["driver", "uid", "taxi", "user"]

    /// - Parameters:
    ///   - header: The first line.
    ///   - prefix: What is put before the drivers' names, so that those of several files are apart.
    ///   - driver: Whose positions all of them are, where the table does not say or says it otherwise.
    public init(header: ArraySlice<UInt8>, prefix: String = "", driver: String? = nil) throws(Malformed) {
        self.header = try CSVHeader(
            Self.trimmed(header), needed: Self.columns + (driver == nil ? [Self.drivers] : []), optional: [["date"]])
        self.prefix = prefix
        self.driver = driver
    }

    /// What is to be said of the lines read so far: which units their times have, unless all are seconds.
    public var notes: [String] {
        if units == [.seconds] { return [] }
        return CivilTime.Unit.allCases.filter(units.contains).map { "times read as \($0.rawValue) since 1970" }
    }

    /// The location that a line records: its key, value and time.
    public mutating func location(_ line: ArraySlice<UInt8>) throws(Malformed) -> NewRecord {
        let row = try header.row(Self.trimmed(line))
        let (time, unit) = try moment(row)
        if let unit { units.insert(unit) }
        let name: String
        if let driver { name = driver } else { name = Self.bare(try row.required("driver")) }
        return try Self.record(prefix + name, lat: degrees(row, "lat"), lng: degrees(row, "lng"), at: time)
    }

    /// A location's key, value and time.
    static func record(_ driver: String, lat: Double, lng: Double, at time: Timestamp) throws(Malformed) -> NewRecord {
        var location = RidesDriverLocation()
        (location.driver, location.lat, location.lng) = (driver, lat, lng)
        try Rides.check(.driverLocation(location))
        return NewRecord(
            key: Bytes(Rides.key(of: .driverLocation(location))), value: RidesEvent.bytes(.driverLocation(location)),
            timestamp: time)
    }

    /// The moment, of which the date may stand in a column of its own.
    private func moment(_ row: CSVRow) throws(Malformed) -> (Timestamp, CivilTime.Unit?) {
        let text = number(Self.bare(try row.required("datetime")))
        if let date = row["date"], let time = CivilTime.civil("\(Self.bare(date)) \(text)") { return (time, nil) }
        return try CivilTime.reading(text, "datetime")
    }

    private func degrees(_ row: CSVRow, _ column: String) throws(Malformed) -> Double {
        let text = Self.bare(try row.required(column))
        guard let value = Self.degrees(number(text)) else {
            throw Malformed(column, "is \(text), not a number of degrees")
        }
        return value
    }

    /// Degrees in decimals, which may say with a plus that they are north or east.
    static func degrees(_ text: String) -> Double? {
        DecimalText.double(text.utf8.first == UInt8(ascii: "+") ? String(text.dropFirst()) : text)
    }

    /// A number with a decimal point, which is written as a comma where no comma separates.
    private func number(_ text: String) -> String {
        header.separatesByComma || !text.utf8.contains(UInt8(ascii: ",")) ? text : text.replacing(",", with: ".")
    }

    /// A value without the spaces around it.
    private static func bare(_ text: String) -> String {
        if text.utf8.first != 0x20, text.utf8.last != 0x20 { return text }
        let start = text.utf8.drop { $0 == 0x20 }
        let end = start.lastIndex { $0 != 0x20 }
        return end.map { String(text[start.startIndex...$0]) } ?? ""
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == 0x0d ? line.dropLast() : line
    }
}
