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
            custom_bitlink), title, tags (with spaces or | between) and created_at
            (created, time, timestamp). Others are passed over. Each row becomes
            ShortenUrl, or ClaimAlias where it has an alias, on links.commands, with the
            row's own time; the handler decides them. Codes are given anew: those of
            another place are other links' here. The same file again changes nothing.

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
                table = try CSVHeader(
                    line, needed: [["url", "long_url", "long", "link"]],
                    optional: [
                        ["owner", "author", "login"], ["alias", "keyword", "custom_bitlink"], ["title"], ["tags"],
                        ["created_at", "created", "time", "timestamp"],
                    ])
            },
            read: { line in
                guard let row = try table?.row(line) else { return nil }
                let command = try ImportedLink.command(row, owner: owner)
                return Imported(records: [command.record(now: source.now())], time: command.time ?? source.now())
            })
    }

    static let clicks = Importer(
        "clicks", "Import clicks of links: bit.ly's JSON, or a table.",
        discussion: """
            Told by the first line, plain or gzip. JSON lines as bit.ly published them:
            h (the code), t (seconds since 1970), r (the referrer), c (the country),
            a (the user agent). A table whose first line names the columns: code and
            time (timestamp, clicked_at), and if there are referrer, country, user_agent,
            device and visitor. A visitor is kept as it is written: give no addresses.

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
    static func command(_ row: CSVRow, owner given: String?) throws(Malformed) -> EncodedCommand {
        guard let owner = row["owner"] ?? given else {
            throw Malformed("owner", "is missing; --owner says whose links without one are")
        }
        let url = try row.required("url")
        var terms = LinksTerms()
        terms.title = row["title"] ?? ""
        terms.tags = (row["tags"] ?? "").split { $0 == " " || $0 == "|" }.map(String.init)
        let time = try row["created_at"].map { text throws(Malformed) in try CivilTime.reading(text, "created_at").0 }
        let kind: LinksCommand.OneOf_Kind
        if let alias = row["alias"] {
            kind = .claimAlias(.with { ($0.owner, $0.alias, $0.url, $0.terms) = (owner, alias, url, terms) })
        } else {
            kind = .shortenURL(.with { ($0.owner, $0.url, $0.terms) = (owner, url, terms) })
        }
        try Links.check(kind)
        // Of all that the row says: one that says something else of the link is another command, for its handler.
        let said = [owner, url, row["alias"] ?? "", terms.title] + terms.tags
        let id = FNV1a(said.joined(separator: "\n")).value
        return EncodedCommand(
            type: row["alias"] == nil ? "ShortenUrl" : "ClaimAlias", key: Bytes(Links.key(of: kind)),
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
