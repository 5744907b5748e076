public import EventModel
internal import SwiftProtobuf

/// Reads tables of drivers' positions: comma-separated values, whose first line names the columns.
///
/// Needed are `lat`, `lng`, `datetime` and `driver`, or what else such columns are called; other columns are passed over.
public struct GPSTable: Sendable {
    private let header: CSVHeader
    private let prefix: String

    private static let columns = [
        ["lat", "latitude"], ["lng", "lon", "long", "longitude"], ["datetime", "ts", "time", "timestamp"],
        ["driver", "uid", "taxi", "user"],
    ]

    /// - Parameters:
    ///   - header: The first line.
    ///   - prefix: What is put before the drivers' names, so that those of several files are apart.
    public init(header: ArraySlice<UInt8>, prefix: String = "") throws(Malformed) {
        self.header = try CSVHeader(Self.trimmed(header), needed: Self.columns)
        self.prefix = prefix
    }

    /// The location that a line records: its key, value and time.
    public func location(_ line: ArraySlice<UInt8>) throws(Malformed) -> NewRecord {
        let row = try header.row(Self.trimmed(line))
        let time = try CivilTime.moment(row.required("datetime"), "datetime")
        var location = RidesDriverLocation()
        location.driver = prefix + (try row.required("driver"))
        location.lat = try Self.degrees(row, "lat")
        location.lng = try Self.degrees(row, "lng")
        try Rides.check(.driverLocation(location))
        return NewRecord(
            key: Bytes(Rides.key(of: .driverLocation(location))), value: RidesEvent.bytes(.driverLocation(location)),
            timestamp: time)
    }

    private static func degrees(_ row: CSVRow, _ column: String) throws(Malformed) -> Double {
        let text = try row.required(column)
        guard let value = Double(text) else { throw Malformed(column, "is \(text), not a number of degrees") }
        return value
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == 0x0d ? line.dropLast() : line
    }
}
