internal import ArgumentParser
internal import Domains
internal import EventLog
internal import EventModel
internal import Foundation

/// `millrace import gps`.
struct ImportGPS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gps",
        abstract: "Import a table of positions as locations of drivers.",
        discussion: """
            Comma-separated values, plain or gzip, whose first line names the columns:
            lat (or latitude), lng (lon, long, longitude), datetime (ts, time, timestamp)
            and driver (uid, taxi, user). Others are passed over. A time is 2008-10-23
            05:53:05 in UTC, RFC 3339 or seconds since 1970. Each location keeps the
            line's time. An import that was interrupted goes on where it stopped, the
            same file again changes nothing, and a file that has grown adds only what is
            new.

            Example: millrace import gps taxis.csv.gz --prefix sf-
            """)
    @OptionGroup var options: ImportOptions
    @Option(help: ArgumentHelp("Put before each driver's name, to tell files apart.", valueName: "text"))
    var prefix = ""

    func run() async throws {
        let prefix = prefix
        if !prefix.isEmpty {
            do {
                try Check.identifier(prefix, "--prefix")
            } catch {
                throw Failure(.usage, error.message)
            }
        }
        var table: GPSTable?
        try await options.run(
            FileImport(
                importer: "gps", scope: prefix, file: options.file, onError: options.onError, topic: "rides.locations",
                header: { line throws(Malformed) in table = try GPSTable(header: line, prefix: prefix) },
                read: { line in
                    guard let location = try table?.location(line) else { return nil }
                    return .init(records: [location], time: location.timestamp)
                }))
    }
}
