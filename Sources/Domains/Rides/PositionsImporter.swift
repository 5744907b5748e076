internal import EventModel

extension Importer {
    static let positions = Importer(
        "gps", "Import a table of positions, or a GPX track, as locations of drivers.",
        discussion: """
            A table, plain or gzip, whose first line names the columns: lat (or latitude),
            lng (lon, long, longitude), datetime (ts, time, timestamp) and driver (uid,
            taxi, user). Others are passed over; a column date goes with a time of day.
            Between the fields stands a comma, a semicolon or a tab, as the first line
            tells; where it is no comma, numbers may have a decimal comma. A time is
            2008-10-23 05:53:05 in UTC, RFC 3339, or a number since 1970 of seconds,
            milliseconds, microseconds or nanoseconds, as its size tells.

            A GPX file: the points of its tracks that have a time. The driver is --driver,
            else the track's name, else the file's name up to its first dot.

            Each location keeps its own time. An import that was interrupted goes on where
            it stopped, the same file again changes nothing, and a file that has grown adds
            only what is new.

            Examples:
              millrace import gps taxis.csv.gz --prefix sf-
              millrace import gps ride.gpx --driver ann
            """,
        into: Rides.topic,
        [prefix, driver, format]
    ) { source throws(Malformed) in
        let (prefix, driver) = (source.arguments[prefix] ?? "", source.arguments[driver])
        if !prefix.isEmpty { try Check.identifier(prefix, "--prefix") }
        if let driver { try Check.identifier(driver, "--driver") }
        // No identifier has the sign between.
        let scope = driver.map { "\(prefix)#\($0)" } ?? prefix
        let (table, track) = (table(scope, prefix, driver), track(scope, prefix, driver, source.stem ?? ""))
        switch source.arguments[format] {
        case "table": return table
        case "gpx": return track
        case nil:
            var told = table
            told.told = { first in GPXTrack.isXML(first) ? track : table }
            return told
        case let other?: throw Malformed("--format", "is \(other); it can be table or gpx")
        }
    }

    private static let prefix = OptionalParameter<String>(
        "prefix", "put before each driver's name, to tell files apart")
    private static let driver = OptionalParameter<String>("driver", "whose positions all of them are")
    private static let format = OptionalParameter<String>(
        "format", oneOf: ["table", "gpx"], "what the file is (default: as its first line tells)")

    private static func table(_ scope: String, _ prefix: String, _ driver: String?) -> ImportReader {
        var table: GPSTable?
        return ImportReader(
            scope: scope,
            header: { line throws(Malformed) in
                if GPXTrack.isXML(line) { throw Malformed("the first line", "is XML; --format gpx reads GPX") }
                table = try GPSTable(header: line, prefix: prefix, driver: driver)
            },
            notes: { table?.notes ?? [] },
            read: { line in
                guard let location = try table?.location(line) else { return nil }
                return Imported(records: [location], time: location.timestamp)
            })
    }

    private static func track(_ scope: String, _ prefix: String, _ driver: String?, _ file: String) -> ImportReader {
        var track = GPXTrack(prefix: prefix, driver: driver, file: file)
        var isEmpty = true
        return ImportReader(
            scope: scope, hint: "of GPX the points of tracks are read that have a time",
            passed: { line in
                if let locations = try? track.locations(line), !locations.isEmpty { isEmpty = false }
            },
            notes: { isEmpty ? ["no point of a track was there; waypoints and routes are not read"] : [] },
            read: { line in
                let locations = try track.locations(line)
                if !locations.isEmpty { isEmpty = false }
                let times = locations.map(\.timestamp)
                guard let first = times.min() else { return nil }
                return Imported(records: locations, time: first, ended: times.max())
            })
    }
}
