internal import ArgumentParser
internal import Domains
internal import EventLog
internal import EventModel
internal import Foundation

/// `millrace import`.
struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Import files of others, with their own times.",
        subcommands: [
            ImportAccessLog.self, ImportTweets.self, ImportFollows.self, ImportOrders.self, ImportGPS.self,
        ])
}

/// What all imports ask for.
struct ImportOptions: ParsableArguments {
    @Argument(help: "The file, plain or gzip; - is standard input.")
    var file: String
    @Option(help: ArgumentHelp("At a bad line: stop, or skip and count it.", valueName: "stop|skip"))
    var onError = OnError.skip
    @Flag(help: "Tell of each part of the input that is on the log, as a line of JSON.")
    var progress = false
    @OptionGroup var shape: Shape
    @OptionGroup var places: Places

    /// Runs an import and shows what came of it.
    func run(_ job: FileImport) async throws {
        let stop = try InputStop(watchesOutput: progress)
        try await stop.atSignals {
            try await places.withLog { try await job.run($0, until: stop, telling: progress) }.show(shape)
        }
    }
}

/// `millrace import access-log`.
struct ImportAccessLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access-log",
        abstract: "Import a web server's access log as hits.",
        discussion: """
            Told from the lines: common and combined log format, with or without the
            virtual host in front; JSON lines as nginx, Caddy and Traefik write them; W3C
            extended format, as IIS writes it. Anything else, and a format that is told
            wrongly, is named by --log-format: a name, or a format string of Apache,
            nginx or GoAccess. The visitor is the first address of the client, or of
            X-Forwarded-For where the line has it. The site is --site, else the line's
            virtual host, else the file's name up to its first dot.

            Plain or gzip. Each hit keeps the line's time. How far a file has been imported
            is kept on the log in the same commit as its hits, so an import that was
            interrupted goes on where it stopped, the same file again changes nothing, and
            a file that has grown adds only what is new.

            Examples:
              millrace import access-log /var/log/apache2/access.log.1.gz --site www
              millrace import access-log access.log --log-format '%h %l %u %t "%r" %>s %b'
            """)
    @OptionGroup var options: ImportOptions
    @Option(
        help: ArgumentHelp(
            "The site that was hit (default: the line's virtual host, or the file's name).", valueName: "site"))
    var site: String?
    @Option(
        help: ArgumentHelp(
            "How the lines are: \(LogFormat.names.joined(separator: ", ")), or a format string (default: as they tell).",
            valueName: "format"))
    var logFormat: String?

    func run() async throws {
        let name = (options.file as NSString).lastPathComponent
        if site == nil && !InputBytes.isNamed(options.file) {
            throw Failure(.usage, "\(options.file) is no file that has a name; say whose log it is with --site")
        }
        let site = site ?? String(name.prefix { $0 != "." })
        let format: LogFormat
        do {
            try Check.identifier(site, "--site", atMost: 200)
            format = try logFormat.map { text throws(Malformed) in try LogFormat(text, field: "--log-format") } ?? .told
        } catch {
            throw Failure(.usage, error.message)
        }
        var reader = AccessLogReader(format, site: self.site == nil ? .ofLine(otherwise: site) : .named(site))
        try await options.run(
            FileImport(
                importer: "access-log", scope: site, file: options.file, onError: options.onError, topic: "hits.events",
                hint: "--log-format says how its lines are: \(LogFormat.known)",
                passed: { line in reader.passOver(line) },
                read: { line in
                    guard let hit = try reader.read(line) else { return nil }
                    return .init(records: [hit], time: hit.timestamp)
                }))
    }
}
