internal import EventModel

/// Whose tweets a reader is not shown: those whom the reader has blocked or muted, and those who have blocked the reader.
///
/// Who reads for nobody in particular is shown everything.
final class Hidden {
    /// Rows that are read at once; of a reader who has more of them each author is looked up.
    private static let most = 1000

    private let viewer: String?
    private let reader: any ViewReader
    /// By author; nil until it is known.
    private var known: [String: Set<Timelines.Hiding>] = [:]
    private var isWhole = true

    init(from viewer: String?, _ reader: any ViewReader) throws {
        (self.viewer, self.reader) = (viewer, reader)
        guard let viewer else { return }
        let rows = try reader.rows(Scan(Timelines.hidden, equal: [.text(viewer)], limit: Self.most))
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
        for row in try reader.rows(Scan(Timelines.hidden, equal: [.text(viewer), .text(author)])) { note(row) }
        return known[author] ?? []
    }

    /// Whether an author's tweets are in no timeline of the reader.
    func hides(_ author: String) throws -> Bool { try viewer != nil && !how(author).isEmpty }

    /// Whether there is a block between them: what is muted is there for who looks for it.
    func isBlocked(_ author: String) throws -> Bool {
        try viewer != nil && !how(author).isDisjoint(with: [.blocks, .isBlocked])
    }
}
