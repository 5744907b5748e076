internal import EventModel
internal import SwiftProtobuf

/// What holds of rides, whatever happens.
enum RidesInvariants {
    private struct Last: Sendable {
        var at: Timestamp
        var lat: Double
        var lng: Double
    }

    static let driversAreWhereTheyWereLast = Invariant(
        "a driver is where the newest location is", over: DriverPositions.topics, of: "rides.drivers",
        from: [String: Last](),
        fold: { last, record, _ in
            guard case .driverLocation(let e)? = try RidesEvent.kind(in: record.value) else { return }
            if let known = last[e.driver], known.at > record.timestamp { return }
            last[e.driver] = Last(at: record.timestamp, lat: e.lat, lng: e.lng)
        },
        rows: { last, reader in
            var last = last
            try reader.everyRow(Scan(DriverPositions.drivers)) { row in
                let driver = row[DriverPositions.Driver.name] ?? ""
                guard let newest = last.removeValue(forKey: driver) else {
                    throw Violation("\(driver) is on the map and has told nothing")
                }
                let shown = (
                    row[DriverPositions.Driver.lat], row[DriverPositions.Driver.lng], row[DriverPositions.Driver.at]
                )
                if shown != (newest.lat, newest.lng, newest.at) {
                    throw Violation("\(driver) is said to be at \(shown), and was last at \(newest)")
                }
            }
            if let driver = last.keys.min() { throw Violation("\(driver) has told where it is and is not on the map") }
        })
}
