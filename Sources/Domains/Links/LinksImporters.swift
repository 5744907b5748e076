internal import CSVText
internal import CivilCalendar
internal import EventModel
internal import JSONText
internal import SwiftProtobuf

extension Importer {
    private static let owner = OptionalParameter<String>(
        "owner", "whose links they are, where the table has no column owner")

    static let links = Importer(
        "links", "Import a table of links as commands that make them.",
        discussion: """
            A table, plain or gzip, whose first line names the columns: url (or long_url,
            long, link), and if there are owner (author, login), alias (keyword,
            custom_bitlink), title, tags (with spaces or | between), created_at
            (created, time, timestamp), password_hash, click_limit, active_from and
            active_until. Others are passed over. Each row becomes ShortenUrl, or
            ClaimAlias where it has an alias, on links.commands, with the row's own time;
            the handler decides them. Codes are given anew: those of another place are
            other links' here. The same file again changes nothing.

            What links.of shows with --csv is such a table, known by its column stage:
            aliases stay what they are, and links that have ended are left out.

            Example: millrace import links bookmarks.csv --owner ann
            """,
        into: "links.commands", [owner]
    ) { source throws(Malformed) in
        let owner = source.arguments[owner]
        if let owner { try Check.identifier(owner, "--owner") }
        var table: CSVHeader?
        return ImportReader(
            scope: owner ?? "",
            header: { line throws(Malformed) in
                table = try CSVHeader(line, needed: ImportedLink.needed, optional: ImportedLink.optional)
            },
            read: { line in
                guard let row = try table?.row(line), !ImportedLink.hasEnded(row) else { return nil }
                let command = try ImportedLink.command(row, owner: owner)
                return Imported(records: [command.record(now: source.now())], time: command.time ?? source.now())
            })
    }

    static let clicks = Importer(
        "clicks", "Import clicks of links: bit.ly's JSON, or a table.",
        discussion: """
            Told by the first line, plain or gzip. JSON lines as bit.ly published them:
            h (the code), t (seconds since 1970), r (the referrer), c (the country),
            a (the user agent); or as a replay of links.clicks prints them. A table
            whose first line names the columns: code and time (timestamp, clicked_at),
            and if there are referrer, country, user_agent, device and visitor. A visitor
            is kept as it is written: give no addresses.

            Each click keeps its own time. An import that was interrupted goes on where it
            stopped, the same file again changes nothing, and a file that has grown adds
            only what is new.

            Example: millrace import clicks usagov_bitly_data2013-05-17.gz
            """,
        into: "links.clicks"
    ) { _ throws(Malformed) in
        func imported(_ click: NewRecord) -> Imported { Imported(records: [click], time: click.timestamp) }
        var header: CSVHeader?
        var table = ImportReader(
            header: { line throws(Malformed) in
                header = try CSVHeader(
                    line, needed: [["code", "link"], ["time", "timestamp", "clicked_at"]],
                    optional: [["referrer", "referer"], ["country"], ["user_agent"], ["device"], ["visitor"]])
            },
            read: { line in try header.map { imported(try ImportedClick.click($0.row(line))) } })
        let json = ImportReader(read: { line in try ImportedClick.click(json: line).map(imported) })
        table.told = { [table] first in JSONMembers.isBegun(by: first) ? json : table }
        return table
    }
}

/// A row of a table of links.
enum ImportedLink {
    /// The columns, each with all its names, in small letters.
    static let needed = [["url", "long_url", "long", "link"]]
    static let optional = [
        ["owner", "author", "login"], ["alias", "keyword", "custom_bitlink"], ["title"], ["tags"],
        ["created_at", "created", "createdat", "time", "timestamp"], ["password_hash", "passwordhash"],
        ["click_limit", "clicklimit"], ["active_from", "activefrom"], ["active_until", "activeuntil"], ["code"],
        ["stage"],
    ]

    /// Whether it is a link of the query `links.of` that leads nowhere any more.
    static func hasEnded(_ row: CSVRow) -> Bool { row["stage"].map { $0 != LinkGroup.Stage.active.rawValue } ?? false }

    /// The query says by 1 whether its code is an alias; other tables have the alias itself.
    private static func alias(_ row: CSVRow) -> String? {
        if row["stage"] == nil { return row["alias"] }
        return row["alias"] == "1" ? row["code"] : nil
    }

    private static func terms(_ row: CSVRow) throws(Malformed) -> LinksTerms {
        var terms = LinksTerms()
        terms.title = row["title"] ?? ""
        let separators: [Character] = row["stage"] == nil ? [" ", "|"] : [","]
        terms.tags = (row["tags"] ?? "").split { separators.contains($0) }.map(String.init)
        terms.passwordHash = row["password_hash"] ?? ""
        if let text = row["click_limit"] {
            guard let limit = Int64(text) else { throw Malformed("click_limit", "is \(text), and no whole number") }
            terms.clickLimit = limit
        }
        if let text = row["active_from"] { terms.activeFrom = try CivilTime.moment(text, "active_from").proto }
        if let text = row["active_until"] { terms.activeUntil = try CivilTime.moment(text, "active_until").proto }
        return terms
    }

    static func command(_ row: CSVRow, owner given: String?) throws(Malformed) -> EncodedCommand {
        guard let owner = row["owner"] ?? given else {
            throw Malformed("owner", "is missing; --owner says whose links without one are")
        }
        let url = try row.required("url")
        let alias = Self.alias(row)
        let terms = try Self.terms(row)
        let time = try row["created_at"].map { text throws(Malformed) in try CivilTime.reading(text, "created_at").0 }
        let kind: LinksCommand.OneOf_Kind
        if let alias {
            kind = .claimAlias(.with { ($0.owner, $0.alias, $0.url, $0.terms) = (owner, alias, url, terms) })
        } else {
            kind = .shortenURL(.with { ($0.owner, $0.url, $0.terms) = (owner, url, terms) })
        }
        try Links.check(kind)
        // Of all that the row says: one that says something else of the link is another command, for its handler.
        var said = [owner, url, alias ?? "", terms.title] + terms.tags
        for column in ["password_hash", "click_limit", "active_from", "active_until"] {
            if let text = row[column] { said.append("\(column)=\(text)") }
        }
        let id = FNV1a(said.joined(separator: "\n")).value
        return EncodedCommand(
            type: alias == nil ? "ShortenUrl" : "ClaimAlias", key: Bytes(Links.key(of: kind)),
            value: LinksCommand.bytes(kind), id: "import-\(String(id, radix: 16))", time: time)
    }
}

/// A line of somebody's log of clicks.
enum ImportedClick {
    static func click(_ row: CSVRow) throws(Malformed) -> NewRecord {
        let time = try CivilTime.reading(try row.required("time"), "time").0
        var click = LinksLinkClicked()
        click.code = try row.required("code")
        click.visitor = row["visitor"] ?? ""
        click.referrer = host(row["referrer"] ?? "")
        click.country = country(row["country"] ?? "")
        click.device = try device(row["device"], row["user_agent"])
        return try record(click, at: time)
    }

    /// - Returns: nil for a line that tells of no click, as bit.ly's heartbeats.
    static func click(json line: ArraySlice<UInt8>) throws(Malformed) -> NewRecord? {
        guard let json = JSONValue(line), json.isObject else { throw Malformed("line", "is no JSON object") }
        if json["_heartbeat_"] != nil { return nil }
        if let event = json["event"], event.isObject { return try exported(event, json["timestamp"]?.plain) }
        guard let code = json["h"]?.plain ?? json["g"]?.plain else {
            throw Malformed("h", "is missing, which is the code")
        }
        guard let seconds = json["t"]?.plain.flatMap({ Int64($0) }), (0...100_000_000_000).contains(seconds) else {
            throw Malformed("t", "is no time in seconds since 1970")
        }
        var click = LinksLinkClicked()
        click.code = code
        click.referrer = host(json["r"]?.plain ?? "")
        click.country = country(json["c"]?.plain ?? "")
        click.device = UserAgent(json["a"]?.plain).device
        return try record(click, at: Timestamp(0) + .seconds(seconds))
    }

    /// A record of `links.clicks` as `replay` prints it, with its own time.
    private static func exported(_ event: JSONValue, _ timestamp: String?) throws(Malformed) -> NewRecord {
        guard let code = event["code"]?.plain else { throw Malformed("event.code", "is missing") }
        guard let timestamp else { throw Malformed("timestamp", "is missing") }
        var click = LinksLinkClicked()
        click.code = code
        click.visitor = event["visitor"]?.plain ?? ""
        click.referrer = host(event["referrer"]?.plain ?? "")
        click.country = country(event["country"]?.plain ?? "")
        click.device = try device(event["device"]?.plain, nil)
        return try record(click, at: CivilTime.moment(timestamp, "timestamp"))
    }

    private static func record(_ click: LinksLinkClicked, at time: Timestamp) throws(Malformed) -> NewRecord {
        try Clicks.check(.linkClicked(click))
        return NewRecord(
            key: Bytes(Clicks.key(of: .linkClicked(click))), value: LinksClicks.bytes(.linkClicked(click)),
            timestamp: time)
    }

    private static func host(_ referrer: String) -> String {
        if referrer.isEmpty || referrer == "direct" { return "" }
        let host = ((try? WebURL(referrer)) ?? (try? WebURL("http://\(referrer)")))?.host ?? ""
        return host.utf8.count > LinksLimits.referrer ? "" : host
    }

    private static func country(_ text: String) -> String {
        let text = text.uppercased()
        return text.utf8.count == 2 && text.utf8.allSatisfy { (0x41...0x5a).contains($0) } && text != "ZZ" ? text : ""
    }

    private static func device(_ word: String?, _ agent: String?) throws(Malformed) -> LinksDevice {
        guard let word else { return agent.map { UserAgent($0).device } ?? .unspecified }
        let all: [LinksDevice] = [.desktop, .mobile, .tablet, .bot, .unspecified]
        guard let device = all.first(where: { $0.word == word.lowercased() }) else {
            throw Malformed("device", Nearest.notOne(word, of: all.map(\.word)))
        }
        return device
    }
}
