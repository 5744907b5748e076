internal import EventModel

/// Whose tweets a reader is not shown: those whom the reader has blocked or muted, and those who have blocked the reader.
///
/// Who reads for nobody in particular is shown everything.
final class Hidden {
    /// Rows that are read at once; of a reader who has more of them each author is looked up.
    private static let most = 1000

    private let viewer: String?
    private let reader: any ViewReader
    private let table: Table
    /// By author; nil until it is known.
    private var known: [String: Set<Timelines.Hiding>] = [:]
    private var isWhole = true

    /// - Parameter table: Of the view that is read: one of those that ``Timelines/hiding(_:)`` makes.
    init(from viewer: String?, in table: Table = Timelines.hidden, _ reader: any ViewReader) throws {
        (self.viewer, self.table, self.reader) = (viewer, table, reader)
        guard let viewer else { return }
        let rows = try reader.rows(Scan(table, equal: [.text(viewer)], limit: Self.most))
        isWhole = rows.count < Self.most
        if isWhole { for row in rows { note(row) } }
    }

    private func note(_ row: Row) {
        guard let author = row[Timelines.Hide.author], let how = row[Timelines.Hide.how].flatMap(Timelines.Hiding.init)
        else { return }
        known[author, default: []].insert(how)
    }

    private func how(_ author: String) throws -> Set<Timelines.Hiding> {
        if isWhole { return known[author] ?? [] }
        if let how = known[author] { return how }
        known[author] = []
        guard let viewer else { return [] }
        for row in try reader.rows(Scan(table, equal: [.text(viewer), .text(author)])) { note(row) }
        return known[author] ?? []
    }

    /// Whether an author's tweets are in no timeline of the reader.
    func hides(_ author: String) throws -> Bool { try viewer != nil && !how(author).isEmpty }

    /// Whether there is a block between them: what is muted is there for who looks for it.
    func isBlocked(_ author: String) throws -> Bool {
        try viewer != nil && !how(author).isDisjoint(with: [.blocks, .isBlocked])
    }
}

extension Timelines {
    /// A table of whose tweets are hidden from whom: each view that is read for somebody has its own.
    static func hiding(_ name: String) -> Table {
        Table(
            name, "One row a reader and author whose tweets are hidden from them, and why.",
            key: [
                Column("reader", .text), Column("author", .text),
                Column("how", .text, "blocks or mutes: the reader does; blocked: the author blocks the reader"),
            ], columns: [])
    }
    enum Hide {
        static let author = hidden.text("author")
        static let how = hidden.text("how")
    }

    /// Folds what one user thinks of another into such a table; other events change nothing.
    static func hide(_ event: SocialEvent.Kind, in table: Table, _ view: ViewBatch) {
        func row(_ reader: String, _ author: String, _ how: Hiding) -> Row {
            [.text(reader), .text(author), .text(how.rawValue)]
        }
        switch event {
        case .userBlocked(let e):
            view.put(table, row(e.user, e.blocked, .blocks))
            view.put(table, row(e.blocked, e.user, .isBlocked))
        case .userUnblocked(let e):
            view.delete(table, row(e.user, e.blocked, .blocks))
            view.delete(table, row(e.blocked, e.user, .isBlocked))
        case .userMuted(let e): view.put(table, row(e.user, e.muted, .mutes))
        case .userUnmuted(let e): view.delete(table, row(e.user, e.muted, .mutes))
        default: break
        }
    }
}
