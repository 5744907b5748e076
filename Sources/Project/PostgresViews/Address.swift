internal import CPostgres
internal import Projecting

/// Where the database is: a URL as libpq takes it, and how it is shown, which is without its password.
struct Address: Sendable, CustomStringConvertible {
    let url: String
    let description: String

    static let schemes = ["postgres://", "postgresql://"]

    /// - Throws: ``ViewError`` `setting`. What libpq says is not told, for it repeats parts of the URL.
    init(_ url: String) throws(ViewError) {
        guard Self.schemes.contains(where: url.hasPrefix), let options = PQconninfoParse(url, nil) else {
            throw ViewError(
                .setting,
                """
                the URL of the views is no postgres://USER@HOST:PORT/DATABASE that libpq understands; special characters of \
                a name or password are written as %40, and so on
                """)
        }
        defer { PQconninfoFree(options) }
        var given: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { given[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        self.url = url
        let user = given["user"].map { $0 + "@" } ?? ""
        let host = given["host"] ?? given["hostaddr"] ?? ""
        let port = given["port"].map { ":" + $0 } ?? ""
        let isSocket = host.hasPrefix("/")
        description =
            "postgres://\(user)\(isSocket ? "" : host + port)/\(given["dbname"] ?? "")"
            + (isSocket ? "?host=\(host)\(port)" : "")
    }

    /// What libpq connects with: what the URL says goes over what stands before it.
    var parameters: [(String, String)] {
        PostgresLimits.keepalives.sorted { $0.key < $1.key }
            + [("fallback_application_name", "millrace"), ("dbname", url), ("client_encoding", "UTF8")]
    }
}
