internal import EventModel

extension Importer {
    private static let site = OptionalParameter<String>(
        "site", "the site that was hit (default: the line's virtual host, or the file's name)")
    private static let logFormat = OptionalParameter<String>(
        "logFormat",
        "how the lines are: \(LogFormat.names.joined(separator: ", ")), or a format string (default: as they tell)")

    static let accessLog = Importer(
        "access-log", "Import a web server's access log as hits.",
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
            """,
        into: "hits.events",
        [site, logFormat]
    ) { source throws(Malformed) in
        let named = source.arguments[site]
        guard let site = named ?? source.stem else {
            throw Malformed("the input", "is no file that has a name; say whose log it is with --site")
        }
        try Check.identifier(site, "--site", atMost: 200)
        var format = LogFormat.told
        if let text = source.arguments[logFormat] { format = try LogFormat(text, field: "--log-format") }
        var reader = AccessLogReader(format, site: named == nil ? .ofLine(otherwise: site) : .named(site))
        return ImportReader(
            scope: site, hint: "--log-format says how its lines are: \(LogFormat.known)",
            passed: { line in reader.passOver(line) },
            read: { line in
                guard let hit = try reader.read(line) else { return nil }
                return Imported(records: [hit], time: hit.timestamp)
            })
    }
}
