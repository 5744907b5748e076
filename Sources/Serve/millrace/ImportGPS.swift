internal import ArgumentParser
internal import Domains
internal import EventLog
internal import EventModel
internal import Foundation

/// `millrace import gps`.
struct ImportGPS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gps",
        abstract: "Import a table of positions, or a GPX track, as locations of drivers.",
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
            """)
    @OptionGroup var options: ImportOptions
    @Option(help: ArgumentHelp("Put before each driver's name, to tell files apart.", valueName: "text"))
    var prefix = ""
    @Option(help: ArgumentHelp("Whose positions all of them are.", valueName: "driver"))
    var driver: String?
    @Option(help: ArgumentHelp("What the file is (default: as its first line tells).", valueName: "table|gpx"))
    var format: Format?

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, gpx
    }

    func run() async throws {
        do {
            if !prefix.isEmpty { try Check.identifier(prefix, "--prefix") }
            if let driver { try Check.identifier(driver, "--driver") }
        } catch {
            throw Failure(.usage, error.message)
        }
        switch try await told() {
        case .table: try await importTable()
        case .gpx: try await importTrack()
        }
    }

    /// What sets imports of one file apart. No identifier has the sign between.
    private var scope: String { driver.map { "\(prefix)#\($0)" } ?? prefix }

    /// What a file is by its first line. What can be read but once is a table unless --format says otherwise.
    private func told() async throws -> Format {
        if let format { return format }
        var status = stat()
        let isFile = options.file != "-" && stat(options.file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        if !isFile { return .table }
        let first = try await LineSource(options.file, limit: Limits.lineBytes).next()?.first
        return GPXTrack.isXML(first?.bytes ?? []) ? .gpx : .table
    }

    private func importTable() async throws {
        let (prefix, driver) = (prefix, driver)
        var table: GPSTable?
        try await options.run(
            FileImport(
                importer: "gps", scope: scope, file: options.file, onError: options.onError, topic: "rides.locations",
                header: { line throws(Malformed) in
                    if GPXTrack.isXML(line) { throw Malformed("the first line", "is XML; --format gpx reads GPX") }
                    table = try GPSTable(header: line, prefix: prefix, driver: driver)
                },
                notes: { table?.notes ?? [] },
                read: { line in
                    guard let location = try table?.location(line) else { return nil }
                    return .init(records: [location], time: location.timestamp)
                }))
    }

    private func importTrack() async throws {
        let name = (options.file as NSString).lastPathComponent
        var track = GPXTrack(prefix: prefix, driver: driver, file: String(name.prefix { $0 != "." }))
        try await options.run(
            FileImport(
                importer: "gps", scope: scope, file: options.file, onError: options.onError, topic: "rides.locations",
                hint: "of GPX the points of tracks are read that have a time",
                passed: { line in _ = try? track.locations(line) },
                read: { line in
                    let locations = try track.locations(line)
                    let times = locations.map(\.timestamp)
                    guard let first = times.min() else { return nil }
                    return .init(records: locations, time: first, ended: times.max())
                }))
    }
}
