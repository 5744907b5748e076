internal import EventModel
internal import MillraceBus
internal import Synchronization

/// A query that may be asked plainly, with what is looked up for each request made once.
final class PlainView: Sendable {
    static let folder = "/views/"
    static let template = Endpoint.view("").template
    private static let own = ["after", "as-of", "limit", "cursor", "wait"]

    let query: Query
    let projection: AnyProjection
    let path: String
    let long: LongQueries.Query
    /// What the last answer was written with: the next one is mostly alike.
    private struct Last: Sendable {
        var writer: PageBytes?
        var asOf: [TopicPartition: Offset] = [:]
        var shown = JSON.offsets([:])
    }
    private let last = Mutex(Last())

    private init(_ query: Query, _ projection: AnyProjection, _ around: GatewayEnvironment) {
        (self.query, self.projection) = (query, projection)
        (path, long) = (Self.folder + query.name, around.longQueries.query(query.name))
    }

    /// All of them by their paths, with a slash at the end and without.
    static func all(of around: GatewayEnvironment) -> [String: PlainView] {
        around.catalogue.queries.reduce(into: [:]) { all, query in
            // Another's of the same name is not asked, and a parameter that is named like the gateway's own is not given.
            let isClear = query.parameters.allSatisfy { one in !own.contains { Spelling.same($0, one.name) } }
            guard isClear, all[folder + query.name] == nil,
                let projection = try? around.catalogue.projection(query.projection)
            else { return }
            let view = PlainView(query, projection, around)
            all[view.path] = view
            all[view.path + "/"] = view
        }
    }

    /// A page as JSON with a line's end, and how far the view has come as JSON.
    func body(_ page: Page, next: String?, asOf: [TopicPartition: Offset]) -> (bytes: [UInt8], asOf: String) {
        let (writer, shown) = last.withLock { last in
            if last.asOf != asOf { (last.asOf, last.shown) = (asOf, JSON.offsets(asOf)) }
            if let writer = last.writer, writer.fits(page.columns) { return (writer, last.shown) }
            let made = PageBytes(page.columns)
            last.writer = made
            return (made, last.shown)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        writer.write(page.rows, next: next, asOf: shown, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return (bytes, shown)
    }
}

extension Query {
    /// The values of its parameters, from a URL's query.
    ///
    /// - Returns: nil where it is not plain: where it has escapes, names that it does not declare, values that are no texts, or
    ///   not all that is needed.
    func plainValues(_ text: Substring) -> [String: Value]? {
        var values: [String: Value] = [:]
        for byte in text.utf8 where byte == UInt8(ascii: "%") || byte == UInt8(ascii: "+") || byte >= 0x80 {
            return nil
        }
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            guard let sign = pair.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let (name, value) = (Substring(pair[..<sign]), pair[pair.index(after: sign)...])
            guard let parameter = parameters.first(where: { $0.name == name }), parameter.kind == .text,
                parameter.allowed.isEmpty, !value.isEmpty, values[parameter.name] == nil
            else { return nil }
            values[parameter.name] = .text(String(Substring(value)))
        }
        for parameter in parameters where parameter.required && values[parameter.name] == nil { return nil }
        return values
    }
}
