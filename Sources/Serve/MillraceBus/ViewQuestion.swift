package import EventLog
package import EventModel
package import Projecting

/// A query and the view that it reads, for who asks it over and over with values and not with texts.
package struct ViewQuestion: Sendable {
    package let query: Query
    package let projection: AnyProjection

    /// - Throws: ``UnknownName`` where the query's projection is not there.
    package init(_ query: Query, in catalogue: Catalogue) throws {
        (self.query, projection) = (query, try catalogue.projection(query.projection))
    }

    /// A page, where the next begins, and the offset up to which each partition has been folded.
    package typealias Answer = (page: Page, next: String?, asOf: [TopicPartition: Offset])

    /// The first page as the view stands now, read on the caller's thread.
    ///
    /// - Returns: nil where the store does not read so: see ``ViewStore/readNow(liveOf:_:)``.
    /// - Throws: ``BusError`` for parameters that are missing or of another type.
    package func pageNow(_ parameters: [String: Value], in views: any ViewStore) throws -> Page? {
        try query.check(parameters)
        let arguments = Arguments(parameters, now: now(), limit: query.page, cursor: nil)
        return try views.readNow(liveOf: projection) { reader, _ in try query.answer(arguments, reader) }
    }

    /// - Throws: ``UnknownName``, or ``BusError`` for parameters that are missing or of another type, for a cursor of another
    ///   query, and where the view has not seen the places in time.
    package func page(
        _ parameters: [String: Value], limit: Int?, cursor: String?, after places: [TopicPartition: Offset],
        within patience: Duration, in views: any ViewStore, on log: any EventLog
    ) async throws -> Answer {
        let limit = limit ?? query.page
        if !(1...Limits.pageRows).contains(limit) {
            throw BusError(.usage, "a page has 1 to \(Limits.pageRows) rows, not \(limit)", field: "limit")
        }
        try query.check(parameters)
        let owner = Cursor.Owner(query: query.name, view: projection.storage, parameters: parameters, past: nil)
        let arguments = Arguments(
            parameters, now: now(), limit: limit, cursor: try cursor.map { try Cursor.decode($0, for: owner) })
        let wait = try ViewWait(
            for: places.sorted { $0.key < $1.key }, of: query.name, projection, within: patience)
        let answer = query.answer
        let (page, asOf) = try await wait.page(of: projection, in: views, on: log) { try answer(arguments, $0) }
        return (page, page.next.map { Cursor.encode($0, for: owner) }, asOf)
    }
}
