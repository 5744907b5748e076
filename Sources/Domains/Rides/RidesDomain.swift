public import EventModel
internal import Geography

extension Domain {
    /// Where drivers are, and who is nearest.
    public static let rides = Domain(
        "rides", "Where drivers are, and which are nearest to a point.", descriptor: ridesDescriptor
    )
    .observing(Rides.self, topic: Rides.topic, key: "driver")
    .naming(actor: "driver", of: "DriverLocation")
    .projecting(DriverPositions.self)
    .answering(nearby, driver, cell)
    .demonstrating(.rides)
    .showing(DomainPage("Taxis on a map", files: PageFiles.all))
    .importing(.positions)
    .keeping(RidesInvariants.driversAreWhereTheyWereLast)

    private static let nearby = Query(
        "rides.nearby", "The drivers nearest to a point at a moment, nearest first.", of: "rides.drivers",
        [Nearby.lat, Nearby.lng, Nearby.moment, Nearby.unheard, Nearby.radius], page: 10
    ) { arguments, reader in
        let nearby = try Nearby(arguments)
        var found = try nearby.nearest(arguments.limit + 1, after: Nearby.cursor(arguments), in: reader)
        let more = found.count > arguments.limit
        if more { found.removeLast() }
        return Page(columns: Nearby.columns, rows: found.map(nearby.row), next: more ? found.last?.place : nil)
    }

    private static let name = RequiredParameter<String>("driver", "the driver")
    private static let driver = Query(
        "rides.driver", "Where a driver was last.", of: "rides.drivers",
        [name]
    ) { arguments, reader in
        try Page(of: Scan(DriverPositions.drivers, equal: [.text(arguments[name])]), in: reader)
    }

    private static let token = RequiredParameter<String>(
        "cell", "the token of an S2 cell of any level, such as 80858004")
    private static let cell = Query(
        "rides.cell", "The drivers whose last location is in a cell, in the order of its leaves.", of: "rides.drivers",
        [token]
    ) { arguments, reader in
        let token = try arguments[token]
        guard let cell = Cell(token: token) else { throw Malformed("cell", "\(token) is no token of an S2 cell") }
        let scan = Scan(
            DriverPositions.drivers, by: "leaf", from: .integer(cell.leaves.lowerBound),
            through: .integer(cell.leaves.upperBound))
        return try Page(of: scan.page(arguments), in: reader)
    }
}

extension Nearby {
    fileprivate static let lat = RequiredParameter<Double>("lat", "degrees north, -90 to 90")
    fileprivate static let lng = RequiredParameter<Double>("lng", "degrees east, -180 to 180")
    fileprivate static let moment = OptionalParameter<Timestamp>("at", "the moment (default: now)")
    fileprivate static let unheard = OptionalParameter<Duration>(
        "stale", "leaves out drivers not heard of for longer before it (default: 60s)")
    fileprivate static let radius = OptionalParameter<Double>("within", "metres around the point (default: 50000)")

    init(_ arguments: Arguments) throws {
        let (lat, lng) = (try arguments[Self.lat], try arguments[Self.lng])
        try Check.range(lat, "lat", RidesLimits.lat)
        try Check.range(lng, "lng", RidesLimits.lng)
        let at = arguments[Self.moment] ?? arguments.now
        if !Timestamp.calendar.contains(at) { throw Malformed("at", "is not in the years 1 to 9998") }
        let stale = arguments[Self.unheard] ?? .seconds(60)
        if !RidesLimits.stale.contains(stale) { throw Malformed("stale", "must be 0s to 36500d") }
        let within = arguments[Self.radius] ?? 50_000
        try Check.range(within, "within", RidesLimits.within)
        self.init(centre: Spot(lat: lat, lng: lng), at: at, stale: stale, within: within)
    }

    /// The distance and driver that an earlier page ended with.
    static func cursor(_ arguments: Arguments) throws -> Row? {
        guard let cursor = arguments.cursor else { return nil }
        guard cursor.count == 2, case .real(let distance) = cursor[0], RidesLimits.within.contains(distance),
            case .text = cursor[1]
        else { throw Malformed("cursor", "was not given by an earlier page of rides.nearby") }
        return cursor
    }

    static let columns = [
        Column("driver", .text), Column("distance", .real, "metres"), Column("lat", .real, decimals: 6),
        Column("lng", .real, decimals: 6), Column("at", .timestamp, "when it was there"),
        Column("age", .real, "seconds from then to the moment asked for"), Column("cell", .text),
    ]

    func row(_ found: Found) -> Row {
        typealias Driver = DriverPositions.Driver
        let row = found.row
        let age = Double(at.milliseconds(since: row[Driver.at] ?? at)) / 1000
        // Millimetres for people; what is ordered by is exact.
        let distance = (found.distance * 1000).rounded() / 1000
        return [
            row.value(Driver.name), .real(distance), row.value(Driver.lat), row.value(Driver.lng), row.value(Driver.at),
            .real(age), row.value(Driver.cell),
        ]
    }
}
