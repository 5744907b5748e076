internal import EventModel

/// A page of what is ranked anew each time it is asked for: its cursor says how many stand before it, and as of which moment the
/// first page was ranked. What changes the ranks meanwhile may show a row twice, or never.
struct RankedPage {
    /// So many may stand before a page; what is behind them is not ranked for it.
    static let deepest = Limits.pageRows

    private let before: Int
    private let limit: Int
    /// The moment as of which the first page was ranked; nil on that one.
    let moment: Timestamp?

    /// - Throws: ``Malformed`` where the cursor was not given by such a page.
    init(_ arguments: Arguments) throws(Malformed) {
        limit = arguments.limit
        guard let cursor = arguments.cursor else {
            (before, moment) = (0, nil)
            return
        }
        guard cursor.count == 2, let place = cursor[0].integer, (1...Int64(Self.deepest)).contains(place),
            cursor[1] == .null || cursor[1].integer != nil
        else { throw Malformed("cursor", "is not one of a ranked page") }
        (before, moment) = (Int(place), cursor[1].integer.map { Timestamp($0) })
    }

    /// How many are to be ranked, so that it is known whether more follow.
    var wanted: Int { before + limit + 1 }

    /// Those of the page, of what was ranked.
    func rows(of ranked: [Row]) -> [Row] { Array(ranked.dropFirst(before).prefix(limit)) }

    /// - Parameters:
    ///   - lists: What was ranked, ``wanted`` of each list where there are so many.
    ///   - moment: As of which; nil where it does not matter.
    func page(_ columns: [Column], of lists: [[Row]], at moment: Timestamp? = nil) -> Page {
        let end = before + limit
        let isMore = lists.contains { $0.count > end } && end <= Self.deepest
        let ranked: Value = moment.map { Value($0) } ?? .null
        return Page(
            columns: columns, rows: lists.flatMap { rows(of: $0) }, next: isMore ? [.integer(Int64(end)), ranked] : nil)
    }
}
