internal import EventModel
internal import SwiftProtobuf

/// Where each code leads, and what is said of it.
struct LinkTable: Projection {
    typealias Event = Only<LinksEvent>
    static let name = "links"
    static let version = 1
    static let about = "Each link: where it leads, whose it is, and how it stands."
    static let topics = ["links.events"]
    static let tables = [links]

    static let links = Table(
        "links_links", "One row a link.",
        key: [Column("code", .text)],
        columns: [
            Column("owner", .text), Column("url", .text), Column("title", .text),
            Column("tags", .text, "with commas between"),
            Column("password_hash", .text, "null where none is asked for"),
            Column("click_limit", .integer, "0 is any number"), Column("active_from", .timestamp),
            Column("active_until", .timestamp), Column("stage", .text, "active, expired or deleted"),
            Column("alias", .integer, "1 where the code was chosen"), Column("created_at", .timestamp),
            Column("changed_at", .timestamp),
        ],
        indexes: [Index("owner", ["owner", "created_at"]), Index("url", ["owner", "url", "created_at"])])

    enum Link {
        static let code = links.text("code")
        static let owner = links.text("owner")
        static let url = links.text("url")
        static let title = links.text("title")
        static let tags = links.text("tags")
        static let passwordHash = links.text("password_hash")
        static let clickLimit = links.integer("click_limit")
        static let from = links.timestamp("active_from")
        static let until = links.timestamp("active_until")
        static let stage = links.text("stage")
        static let alias = links.integer("alias")
        static let created = links.timestamp("created_at")
        static let changed = links.timestamp("changed_at")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        let at = place.timestamp
        switch event {
        case .linkCreated(let e):
            var row: Row = [.text(e.code), .text(e.owner), .text(e.url)]
            row += Array(repeating: .null, count: Self.links.columns.count - row.count)
            Self.set(Terms(e.terms), &row)
            row[Link.stage] = LinkGroup.Stage.active.rawValue
            row[Link.alias] = CodeSpace.bucket(of: e.code) == nil ? 1 : 0
            (row[Link.created], row[Link.changed]) = (at, at)
            view.put(Self.links, row)
        case .linkChanged(let e):
            try view.update(Self.links, [.text(e.code)]) { row in
                Self.set(Terms(e.terms), &row)
                row[Link.changed] = at
            }
        case .linkExpired(let e): try stage(e.code, .expired, at, view)
        case .linkDeleted(let e): try stage(e.code, .deleted, at, view)
        case .linkRestored(let e):
            try view.update(Self.links, [.text(e.code)]) { Self.set(Terms(e.terms), &$0) }
            try stage(e.code, .active, at, view)
        }
    }

    private func stage(_ code: String, _ stage: LinkGroup.Stage, _ at: Timestamp, _ view: ViewBatch) throws {
        try view.update(Self.links, [.text(code)]) { row in
            row[Link.stage] = stage.rawValue
            row[Link.changed] = at
        }
    }

    /// Whether a link has these terms.
    static func has(_ terms: Terms, _ row: Row) -> Bool {
        var same = row
        set(terms, &same)
        return same == row
    }

    private static func set(_ terms: Terms, _ row: inout Row) {
        row[Link.title] = terms.title
        row[Link.tags] = terms.tags.joined(separator: ",")
        row[Link.passwordHash] = terms.passwordHash.isEmpty ? nil : terms.passwordHash
        row[Link.clickLimit] = terms.clickLimit
        row[Link.from] = terms.from
        row[Link.until] = terms.until
    }
}
