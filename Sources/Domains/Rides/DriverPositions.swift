internal import EventModel
internal import Geography
internal import SwiftProtobuf

/// Where each driver was last, one row a driver.
///
/// Locations have their driver as key, so a driver's row is of one partition alone. A location older than the row's is late
/// and changes nothing; of two at the same time the later in the log is the row's.
struct DriverPositions: Projection {
    typealias Event = Only<RidesEvent>
    static let name = "drivers"
    static let version = 1
    static let about = "Where each driver was last."
    static let topics = [Rides.topic]
    static let tables = [drivers]

    static let drivers = Table(
        "rides_drivers", "One row a driver.",
        key: [Column("driver", .text)],
        columns: [
            Column("lat", .real, "degrees north", decimals: 6), Column("lng", .real, "degrees east", decimals: 6),
            Column("at", .timestamp, "when it was there"),
            Column("heading", .real, "degrees clockwise from north", decimals: 1),
            Column("speed", .real, "metres a second", decimals: 1),
            Column("cell", .text, "the token of its S2 cell of level 12"),
            Column("leaf", .integer, "its S2 leaf cell, the 64 bits as a signed integer"),
        ],
        indexes: [Index("leaf", ["leaf"])])

    enum Driver {
        static let name = drivers.text("driver")
        static let lat = drivers.real("lat")
        static let lng = drivers.real("lng")
        static let at = drivers.timestamp("at")
        static let cell = drivers.text("cell")
    }

    private struct Seen {
        var location: RidesDriverLocation
        var at: Timestamp
    }
    /// Each driver's newest of the batch: a driver costs one read and one write, however often it told.
    private var newest: [Value: Seen] = [:]

    init() {}

    mutating func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        guard case .driverLocation(let location) = event else { return }
        let driver = Value(location.driver)
        if let seen = newest[driver], seen.at > place.timestamp { return }
        newest[driver] = Seen(location: location, at: place.timestamp)
    }

    func finish(_ view: ViewBatch) throws {
        for (driver, seen) in newest {
            let old = try view.row(Self.drivers, [driver])
            if let at = old?[Driver.at], at > seen.at { continue }
            view.put(Self.drivers, Self.row(driver, seen))
        }
    }

    private static func row(_ driver: Value, _ seen: Seen) -> Row {
        let location = seen.location
        let leaf = Spot(lat: location.lat, lng: location.lng).leaf
        return [
            driver, .real(location.lat), .real(location.lng), Value(seen.at),
            location.hasHeading ? .real(location.heading) : .null, location.hasSpeed ? .real(location.speed) : .null,
            .text(leaf.parent(Cell.namedLevel).token), .integer(Int64(bitPattern: leaf.id)),
        ]
    }
}
