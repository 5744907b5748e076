public import EventModel

/// The format of an access log: one that has a name, one that is written as a server or GoAccess has it, or the one that the
/// lines themselves tell.
public struct LogFormat: Sendable {
    enum Kind: Sendable {
        case told
        case common(AccessLog.Front)
        case json, w3c
        case written(WrittenFormat)
    }

    let kind: Kind

    /// Each line tells: JSON begins with a brace, W3C's directives with a #, and else it is common or combined, with a virtual
    /// host in front where it looks so.
    public static let told = LogFormat(kind: .told)

    /// What people call the formats.
    private static let named: KeyValuePairs<String, Kind> = [
        "common": .common(.client), "combined": .common(.client), "vhost_common": .common(.virtualHost),
        "vhost_combined": .common(.virtualHost), "json": .json, "nginx_json": .json, "caddy": .json,
        "traefik": .json, "w3c": .w3c, "iis": .w3c,
    ]
    private static let others = [
        "combinedio": "combined", "nginx": "combined", "apache": "combined", "vcommon": "vhost_common",
        "vcombined": "vhost_combined", "cloudfront": "w3c",
    ]

    public static let names = named.map(\.key)

    /// What may be said of a line that is in none of them.
    public static let known = """
        known are \(names.joined(separator: ", ")), and what a format string tells, such as \
        '%h %l %u %t "%r" %>s %b' (Apache), '$remote_addr [$time_local] "$request" $status' (nginx) \
        or '%h %^[%d:%t %^] "%r" %s %b' (GoAccess)
        """

    private init(kind: Kind) { self.kind = kind }

    /// - Parameters:
    ///   - text: a name, in any case, or a format string of Apache's, nginx's or GoAccess's.
    ///   - field: what a mistake in it is told of.
    public init(_ text: String, field: String) throws(Malformed) {
        let name = text.lowercased().replacing("-", with: "_")
        if let kind = Self.named.first(where: { $0.key == Self.others[name] ?? name })?.value {
            self.kind = kind
        } else if text.contains("%") || text.contains("$") {
            kind = .written(try WrittenFormat(text, field: field))
        } else {
            throw Malformed(field, "\(text) is no format; \(Self.known)")
        }
    }
}

/// A line that is in no format that is told from the lines, and before which none was either.
public struct UnknownFormat: Refusal, Hashable {
    public var why: String
    public var reason: String { "unknown-format" }
    public var message: String { "\(why), and no line before it was readable; --log-format says how they are" }
}
