public import EventModel
internal import Projecting

/// What a query answered.
public struct Answer: Sendable {
    /// One row, by its columns' names.
    public struct Row: Sendable, Hashable {
        let names: [String]
        let values: [Value]
        /// The value of a column; nil where the view has no such column.
        public subscript(column: String) -> Value? { names.firstIndex(of: column).map { values[$0] } }
    }
    /// What each value of a row is: name, kind and unit.
    public let columns: [Column]
    /// At most as many as the page was to have, in the query's order.
    public let rows: [Row]
    /// Where the next page begins; nil at the end.
    public let next: String?
    /// The offset up to which each partition has been folded.
    public let asOf: [TopicPartition: Offset]
}

extension Bus {
    /// Asks a view.
    ///
    /// - Parameters:
    ///   - name: The query, with its domain: `likes.count`.
    ///   - parameters: As the query declares them; moments and durations are milliseconds.
    ///   - limit: Rows of a page; nil is what the query says.
    ///   - cursor: ``Answer/next`` of an earlier page of the same query with the same parameters.
    ///   - places: What the view must have seen: `Outcome.places` reads one's own write.
    ///   - patience: How long to wait for that.
    /// - Throws: ``UnknownName``, or ``BusError`` for parameters that are missing or of another type, for a cursor of another
    ///   query, and where the view has not seen the places in time.
    public func query(
        _ name: String, _ parameters: [String: Value] = [:], limit: Int? = nil, cursor: String? = nil,
        after places: [TopicPartition: Offset] = [:], within patience: Duration = .seconds(10)
    ) async throws -> Answer {
        let question = try ViewQuestion(catalogue.query(name), in: catalogue)
        let (page, next, asOf) = try await question.page(
            parameters, limit: limit, cursor: cursor, after: places, within: patience, in: views, on: log)
        let names = page.columns.map(\.name)
        return Answer(
            columns: page.columns, rows: page.rows.map { Answer.Row(names: names, values: $0) }, next: next, asOf: asOf)
    }
}

extension Query {
    /// Refuses parameters that it does not declare, that are of another type, or that are missing.
    func check(_ values: [String: Value]) throws {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                throw UnknownName("parameter of \(self.name)", name, among: parameters.map(\.name))
            }
            if !parameter.kind.takes(value) {
                throw BusError(.usage, "\(self.name): \(name) is no \(parameter.kind.rawValue)")
            }
            if let text = value.text, !parameter.allowed.isEmpty, !parameter.allowed.contains(text) {
                throw BusError(.usage, "\(self.name): \(name) \(Nearest.notOne(text, of: parameter.allowed))")
            }
        }
        if let missing = parameters.first(where: { $0.required && [nil, .text("")].contains(values[$0.name]) }) {
            throw BusError(.usage, "\(name) needs \(missing.name): \(missing.about)")
        }
    }
}

extension Parameter.Kind {
    fileprivate func takes(_ value: Value) -> Bool {
        switch (self, value) {
        case (.text, .text), (.integer, .integer), (.timestamp, .integer), (.duration, .integer), (.flag, .integer),
            (.real, .real), (.real, .integer):
            true
        default: false
        }
    }
}
