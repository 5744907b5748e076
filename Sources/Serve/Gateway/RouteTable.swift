package import EventModel
package import MillraceBus

/// A route that a request's path has found.
package struct RouteMatch: Sendable, Hashable {
    /// Its number in the table.
    fileprivate let number: Int
    /// The path as documents and metrics have it.
    package let template: String
    package let isOpen: Bool
    /// What stands in the place of each variable.
    package let variables: [String: String]
}

/// The routes of all domains, found by the first piece of a path, and then by the others.
package struct RouteTable: Sendable {
    fileprivate struct Entry: Sendable {
        let domain: Domain
        let route: Route
    }
    private let entries: [Entry]
    private let byWord: [String: [Int]]
    /// Words that paths begin with which may be answered at once.
    private let quickWords: Set<String>
    /// What each route is found by.
    private let shapes: [(isGet: Bool, isQuick: Bool, pieces: [Route.Piece])]

    /// No routes.
    package init() { (entries, byWord, quickWords, shapes) = ([], [:], [], []) }

    /// - Throws: ``BusError`` where a path of one domain would hide the gateway's own, or another's.
    package init(_ domains: [Domain]) throws(BusError) {
        let all = domains.flatMap { domain in domain.routes.map { Entry(domain: domain, route: $0) } }
        for (number, entry) in all.enumerated() {
            if Endpoint.ownWords.contains(entry.word) {
                throw BusError(
                    .configuration,
                    "\(entry.named) would hide /\(entry.word), which is the gateway's own; begin it with another word")
            }
            for other in all[..<number] { try Self.check(entry, beside: other) }
        }
        // The more a path says in words, from the left, the sooner it is looked at.
        let ordered = all.sorted { $0.order.lexicographicallyPrecedes($1.order) }
        byWord = ordered.indices.reduce(into: [:]) { $0[ordered[$1].word, default: []].append($1) }
        entries = ordered
        shapes = ordered.map { ($0.route.method == .get, $0.route.isQuick, $0.route.pieces) }
        quickWords = Set(ordered.filter { $0.route.isQuick }.map(\.word))
    }

    /// The route of a `GET` that may answer at once, by its number in ``quickRoutes``, and what stands in the place of its variables.
    func quick(_ path: [String]) -> (number: Int, variables: [String: String])? {
        guard let first = path.first, quickWords.contains(first), let numbers = byWord[first] else { return nil }
        for number in numbers where shapes[number].isGet {
            // The first is the one that answers it.
            guard let variables = Route.variables(of: shapes[number].pieces, in: path) else { continue }
            return shapes[number].isQuick ? (number, variables) : nil
        }
        return nil
    }

    /// The pieces of a path that has nothing to decode and no query, and that may be answered at once.
    func plainPath(_ target: String) -> [String]? {
        if target.utf8.count > GatewayLimits.targetBytes { return nil }
        var path: [String] = []
        var begin = target.utf8.startIndex
        for at in target.utf8.indices {
            switch target.utf8[at] {
            case UInt8(ascii: "/"):
                if at != target.utf8.startIndex { path.append(String(target[begin..<at])) }
                if path.count == 1, !quickWords.contains(path[0]) { return nil }
                begin = target.utf8.index(after: at)
            case UInt8(ascii: "?"), UInt8(ascii: "%"), UInt8(ascii: "+"), 0x80...: return nil
            default: break
            }
        }
        // One slash at the end makes no other path.
        if begin != target.utf8.endIndex { path.append(String(target[begin...])) }
        return path
    }

    /// All routes, those that may answer at once with what they are.
    var quickRoutes: [(domain: Domain, route: Route)?] {
        entries.map { $0.route.isQuick ? ($0.domain, $0.route) : nil }
    }

    /// Whether any path may be answered at once.
    var hasQuick: Bool { !quickWords.isEmpty }

    private static func check(_ entry: Entry, beside other: Entry) throws(BusError) {
        let (a, b) = (entry.route, other.route)
        guard a.pieces.count == b.pieces.count,
            zip(a.pieces, b.pieces).allSatisfy({ one, two in one.isVariable || two.isVariable || one == two })
        else { return }
        let isSameShape = zip(a.pieces, b.pieces).allSatisfy { $0.isVariable == $1.isVariable }
        if a.method == b.method, isSameShape || entry.domain.name != other.domain.name {
            throw BusError(
                .configuration, "\(entry.named) and \(other.named) would answer the same requests; change one of them")
        }
        if isSameShape, a.template != b.template {
            throw BusError(
                .configuration,
                "\(entry.named) and \(other.named) are one path and name its variables otherwise; name them alike")
        }
    }

    /// The routes that a path may be, whatever their method.
    func matches(_ path: [String]) -> [(method: String, endpoint: Endpoint)] {
        guard let first = path.first, let numbers = byWord[first] else { return [] }
        return numbers.compactMap { number in
            let route = entries[number].route
            guard let variables = route.variables(in: path) else { return nil }
            let match = RouteMatch(
                number: number, template: route.template, isOpen: route.isOpen, variables: variables)
            return (route.method.rawValue, .route(match))
        }
    }

    /// What a match has found.
    func found(_ match: RouteMatch) -> (domain: Domain, route: Route) {
        let entry = entries[match.number]
        return (entry.domain, entry.route)
    }
}

extension Route.Piece {
    fileprivate var isVariable: Bool { if case .variable = self { true } else { false } }
}

extension RouteTable.Entry {
    fileprivate var word: String {
        guard case .word(let word) = route.pieces[0] else { return "" }
        return word
    }
    fileprivate var named: String { "\(route.method.rawValue) \(route.template) of \(domain.name)" }
    fileprivate var order: [Int] { route.pieces.map { $0.isVariable ? 1 : 0 } }
}

extension Route {
    fileprivate var isQuick: Bool { quick != nil && method == .get && isOpen && parameters.isEmpty }

    /// What stands in the place of its variables; nil where the path is another. A variable is never empty.
    fileprivate func variables(in path: [String]) -> [String: String]? { Self.variables(of: pieces, in: path) }

    fileprivate static func variables(of pieces: [Piece], in path: [String]) -> [String: String]? {
        if path.count != pieces.count { return nil }
        var variables: [String: String] = [:]
        for (piece, text) in zip(pieces, path) {
            switch piece {
            case .word(let word): if word != text { return nil }
            case .variable(let name):
                if text.isEmpty { return nil }
                variables[name] = text
            }
        }
        return variables
    }
}
