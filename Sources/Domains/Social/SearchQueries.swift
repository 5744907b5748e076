internal import EventModel

/// The questions that find tweets and people.
enum SearchQueries {
    private static let words = RequiredParameter<String>(
        "q",
        "what is looked for: words, \"phrases\", #tag, @mention, from:user, since: and until: a day; - before one leaves out"
    )
    private static let name = RequiredParameter<String>("q", "how a part of the name begins")
    private static let order = OptionalParameter<String>(
        "order", oneOf: ["newest", "ranked"], "newest first, or the best of the newest (default: newest)")
    private static let viewer = OptionalParameter<String>(
        "viewer", "who reads: whom they block or mute, and who blocks them, is left out (default: anybody)")

    static let search = Query(
        "social.search", "Tweets by what they say and who wrote them.", of: "social.search", [words, order, viewer],
        page: 20
    ) { arguments, reader in
        let page = SearchPage(
            query: try SearchQuery(arguments[words]), reader: reader, viewer: try viewing(arguments),
            limit: arguments.limit, cursor: arguments.cursor)
        return try arguments[order] == "ranked" ? page.ranked() : page.newest()
    }

    static let people = Query(
        "social.people", "Users by their names, those with the most followers first.", of: "social.search",
        [name, viewer], page: 20
    ) { arguments, reader in
        try ReadPeople(reader, for: viewing(arguments)).page(
            arguments[name], limit: arguments.limit, from: arguments.cursor)
    }

    private static func viewing(_ arguments: Arguments) throws -> String? {
        guard let viewer = arguments[viewer] else { return nil }
        try Social.check(handle: viewer, "viewer")
        return Social.handle(viewer)
    }
}

/// Finds users who have tweets or followers, and have not left.
struct ReadPeople {
    static let columns = [
        Column("user", .text), Column("tweets", .integer, "and retweets"), Column("followers", .integer),
    ]
    private let reader: any ViewReader
    private let hidden: Hidden

    init(_ reader: any ViewReader, for viewer: String?) throws {
        (self.reader, hidden) = (reader, try Hidden(from: viewer, in: Search.hidden, reader))
    }

    /// The one of that name first, then by followers. A page's place is that of its last row: whether it is of that name,
    /// its followers and its name.
    func page(_ text: String, limit: Int, from cursor: Row?) throws -> Page {
        let name = text.hasPrefix("@") ? String(text.dropFirst()) : text
        try Social.check(handle: name, "q")
        if let cursor {
            guard cursor.count == 3, cursor[0].integer != nil, cursor[1].integer != nil, cursor[2].text != nil else {
                throw Malformed("cursor", "is not one of a search of people")
            }
        }
        let part = Social.handle(name)
        let scan = Scan(
            Search.people, from: .text(part), through: .text(part + "\u{10ffff}"), limit: SearchLimits.people)
        var places: [String: Row] = [:]
        let rows = try reader.rows(scan)
        let gone = try Profiles.leavers(among: rows.map { $0.value(Search.Person.user) }, in: Search.left, reader)
        for row in rows {
            guard let user = row[Search.Person.user], places[user] == nil, !gone.contains(.text(user)),
                try !hidden.isBlocked(user)
            else { continue }
            let (tweets, followers) = (row[Search.Person.tweets] ?? 0, row[Search.Person.followers] ?? 0)
            if tweets <= 0, followers <= 0 { continue }
            places[user] = [.integer(user == part ? 1 : 0), .integer(followers), .text(user), .integer(tweets)]
        }
        let found = places.values.sorted(by: Self.ranks).filter { row in cursor.map { Self.ranks($0, row) } ?? true }
        let shown = found.prefix(limit)
        return Page(
            columns: Self.columns, rows: shown.map { [$0[2], $0[3], $0[1]] },
            next: shown.count < found.count ? shown.last.map { Array($0[0...2]) } : nil)
    }

    private static func ranks(_ a: Row, _ b: Row) -> Bool {
        let numbers = (Array(a[0...1]), Array(b[0...1]))
        return numbers.0 != numbers.1 ? precedes(numbers.1, numbers.0) : precedes([a[2]], [b[2]])
    }
}
