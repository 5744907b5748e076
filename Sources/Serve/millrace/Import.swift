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
    @OptionGroup var shape: Shape
    @OptionGroup var places: Places

    /// Runs an import and shows what came of it.
    func run(_ job: FileImport) async throws {
        try await places.withLog { try await job.run($0) }.show(shape)
    }
}

/// `millrace import access-log`.
struct ImportAccessLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access-log",
        abstract: "Import a web server's access log as hits.",
        discussion: """
            Common and combined log format, plain or gzip. Each hit keeps the line's
            time. How far a file has been imported is kept on the log in the same commit
            as its hits, so an import that was interrupted goes on where it stopped, the
            same file again changes nothing, and a file that has grown adds only what is
            new.

            Example: millrace import access-log /var/log/apache2/access.log.1.gz --site
            www.example.org
            """)
    @OptionGroup var options: ImportOptions
    @Option(help: ArgumentHelp("The site that was hit (default: the file's name).", valueName: "site"))
    var site: String?

    func run() async throws {
        let name = (options.file as NSString).lastPathComponent
        if site == nil && !InputBytes.isNamed(options.file) {
            throw Failure(.usage, "\(options.file) is no file that has a name; say whose log it is with --site")
        }
        let site = site ?? String(name.prefix { $0 != "." })
        do {
            try Check.identifier(site, "--site", atMost: 200)
        } catch {
            throw Failure(.usage, error.message)
        }
        try await options.run(
            FileImport(
                importer: "access-log", scope: site, file: options.file, onError: options.onError, topic: "hits.events"
            ) { line in
                do throws(AccessLog.Unreadable) {
                    let hit = try AccessLog.hit(line, site: site)
                    return .init(records: [hit], time: hit.timestamp)
                } catch {
                    throw Malformed("line", error.why)
                }
            })
    }
}
