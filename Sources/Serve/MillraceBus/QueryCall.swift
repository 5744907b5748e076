package import EventModel
package import Projecting

/// A query as it was asked: with its parameters, its page and the page's cursor.
package struct QueryCall: Sendable {
    package let query: Query
    package let projection: AnyProjection
    private let values: [String: Value]
    private let limit: Int
    /// The parameters as a cursor belongs to them.
    private let given: [String: Value]
    private let past: String?
    private let cursor: Row?

    /// - Parameters:
    ///   - parameters: As they were given.
    ///   - spelled: How messages say their names.
    ///   - others: What may be given besides.
    ///   - past: `--as-of` as it was written.
    /// - Throws: ``BusError``, ``UnknownName``.
    package init(
        _ query: Query, _ parameters: [(name: String, value: String)], spelled: ParameterValues,
        beside others: [String], limit: Int?, cursor: String?, past: String?, in catalogue: Catalogue
    ) throws {
        (self.query, projection) = (query, try catalogue.projection(query.projection))
        self.limit = limit ?? query.page
        if !(1...Limits.pageRows).contains(self.limit) {
            throw BusError(.usage, "\(spelled.name("limit")) must be 1 to \(Limits.pageRows)", field: "limit")
        }
        values = try spelled.values(parameters, of: query.parameters, for: query.name, and: others)
        var given = values
        // A moment that is told by its distance from now is another one on the next page.
        for parameter in query.parameters where parameter.kind == .timestamp {
            if let text = parameters.first(where: { Spelling.same(parameter.name, $0.name) })?.value {
                given[parameter.name] = .text(text)
            }
        }
        (self.given, self.past) = (given, past)
        guard let cursor else {
            self.cursor = nil
            return
        }
        let owner = Cursor.Owner(query: query.name, view: projection.storage, parameters: given, past: past)
        self.cursor = try Cursor.decode(cursor, for: owner)
    }

    /// The first page of a query, with values that are as its parameters declare them and that name no moment.
    package init(_ query: Query, of projection: AnyProjection, _ values: [String: Value]) {
        (self.query, self.projection, self.values, given) = (query, projection, values, values)
        (limit, past, cursor) = (query.page, nil, nil)
    }

    private var owner: Cursor.Owner {
        Cursor.Owner(query: query.name, view: projection.storage, parameters: given, past: past)
    }

    /// What answers it.
    ///
    /// - Parameter now: The asker's clock.
    package func answering(at now: Timestamp) -> @Sendable (any ViewReader) throws -> Page {
        let arguments = Arguments(values, now: now, limit: limit, cursor: cursor)
        let answer = query.answer
        return { try answer(arguments, $0) }
    }

    /// The page as the view stands now, and how far it has come, read on the caller's thread.
    ///
    /// - Returns: nil where the store does not read so: see ``ViewStore/readNow(liveOf:_:)``.
    package func pageNow(at now: Timestamp, in views: any ViewStore) throws -> (Page, [TopicPartition: Offset])? {
        let answering = answering(at: now)
        return try views.readNow(liveOf: projection) { reader, asOf in (try answering(reader), try asOf()) }
    }

    /// Where the next page begins; nil at the end.
    package func next(of page: Page) -> String? { page.next.map { Cursor.encode($0, for: owner) } }

    /// `{"rows":[...],"next":...,"asOf":{...}}`.
    ///
    /// - Parameter asOf: The offsets as JSON.
    package func json(_ page: Page, asOf: String) -> String {
        JSON.object([
            ("rows", JSON.array(JSON.rows(page.rows, page.columns))),
            ("next", next(of: page).map(JSON.string) ?? "null"), ("asOf", asOf),
        ])
    }
}

extension CSVLine {
    /// All rows of a page, and a header.
    package static func text(_ page: Page) -> String {
        let names = page.columns.map { JSON.camel($0.name) }
        return page.rows.reduce(into: header(names)) { text, row in
            let members = zip(page.columns, row).map { (name: JSON.camel($0.name), value: JSON.value($1, $0.kind)) }
            text += CSVLine.text(members, names)
        }
    }
}
