/// A path of a domain's own on the gateway, beside those that follow from its commands, views and topics: a link that is
/// followed, an interface that others have settled.
///
/// ```swift
/// Route(.get, "/things/{thing}/likes", "How many like a thing.", taking: [limit]) { request, bus in
///     let thing = request.variables["thing"] ?? ""
///     let answer = try await bus.query("likes.count", ["thing": .text(thing)])
///     return .json("{\"likes\":\(answer.rows.count)}")
/// }
/// ```
///
/// Its handler is called at once by any number of tasks. It reads views and sends commands through the ``RouteBus`` that it is
/// given, and knows no server.
public struct Route: Sendable {
    /// The methods that a route may have. A route of `get` answers `HEAD` too: see ``RouteRequest/isHead``.
    public enum Method: String, Sendable, Hashable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// What a token must allow in the route's domain, where the gateway asks for tokens.
    public enum Scope: String, Sendable, Hashable { case query, send, produce }

    /// One way in which it may answer, for documents.
    public struct Reply: Sendable, Hashable {
        /// Its status: 302.
        public let status: Int
        /// When it comes.
        public let about: String
        /// The media type of its body; nil where it has none.
        public let type: String?
        /// A status, when it comes, and of which media type its body is.
        public init(_ status: Int, _ about: String, _ type: String? = "application/json") {
            (self.status, self.about, self.type) = (status, about, type)
        }
    }

    /// A piece of the path.
    public enum Piece: Sendable, Hashable {
        case word(String)
        /// Whatever stands there, by this name.
        case variable(String)
    }

    /// The method that it answers.
    public let method: Method
    /// The path with its variables in braces: `/l/{code}`.
    public let template: String
    /// The same in its pieces. The first is a word: requests are found by it.
    public let pieces: [Piece]
    /// One sentence, for people.
    public let about: String
    /// Whether it is answered without a token also where the gateway asks for tokens. Nobody's token is looked at then: see
    /// ``RouteRequest/subject``.
    public let isOpen: Bool
    /// What a token must allow, where it is not open.
    public let scope: Scope
    /// The parameters of the query that it declares, checked before its handler is called. Others are there as they were given.
    public let parameters: [Parameter]
    /// The bodies that it takes; none where there is nothing.
    public let bodies: [RouteBody.Kind]
    /// How it may answer, beside what every path may.
    public let replies: [Reply]
    /// What answers it at once, where it can.
    public let quick: (@Sendable (RouteRequest, any RouteBus) throws -> RouteReply?)?
    /// What answers it.
    public let answer: @Sendable (RouteRequest, any RouteBus) async throws -> RouteReply

    /// Declares a route, for ``Domain/routing(_:)``. A template that is none ends the program.
    ///
    /// - Parameters:
    ///   - method: The method that it answers; a `GET` is answered without its body for `HEAD`.
    ///   - template: Words, and variables in braces: `/api/users/{username}/tweets`. It begins with a word, which may not be
    ///     one of the gateway's own, such as `views`.
    ///   - about: One sentence for descriptions of the gateway.
    ///   - isOpen: Whether it answers those without a token too.
    ///   - scope: What a token must allow.
    ///   - parameters: Of the query.
    ///   - bodies: Kinds of bodies; any other is refused.
    ///   - replies: How it may answer, beside what every path may.
    ///   - quick: Answers a request without waiting, of what ``RouteBus/known(_:_:)`` has at hand; nil, or an error, has `answer`
    ///     called, so nothing may have come of it then. A gateway may call it on the thread that reads the connection, and need not
    ///     call it at all. It is for a `get` that is open and declares no parameters.
    ///   - answer: What answers a request, over the bus.
    public init(
        _ method: Method, _ template: String, _ about: String, isOpen: Bool = false, scope: Scope = .query,
        taking parameters: [any DeclaredParameter] = [], reading bodies: [RouteBody.Kind] = [],
        replying replies: [Reply] = [Reply(200, "It is done.")],
        quick: (@Sendable (RouteRequest, any RouteBus) throws -> RouteReply?)? = nil,
        answer: @escaping @Sendable (RouteRequest, any RouteBus) async throws -> RouteReply
    ) {
        (self.method, self.template, self.about, self.isOpen, self.scope) = (method, template, about, isOpen, scope)
        self.parameters = parameters.map(\.declaration)
        (self.bodies, self.replies, self.quick, self.answer) = (bodies, replies, quick, answer)
        guard let pieces = Self.pieces(of: template), case .word? = pieces.first else {
            preconditionFailure(
                "\(template) is no path of a route: it has words of letters, digits, - and . and variables such as {code}, "
                    + "each once, and begins with a word")
        }
        self.pieces = pieces
    }

    /// - Returns: nil where it is no template.
    private static func pieces(of template: String) -> [Piece]? {
        guard template.hasPrefix("/") else { return nil }
        var (pieces, names) = ([Piece](), Set<Substring>())
        for piece in template.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let isVariable = piece.hasPrefix("{") && piece.hasSuffix("}")
            let name = isVariable ? piece.dropFirst().dropLast() : piece
            let isWord =
                !name.isEmpty
                && name.allSatisfy { character in
                    character.isASCII && (character.isLetter || character.isNumber || "-._".contains(character))
                }
            guard isWord, !isVariable || names.insert(name).inserted else { return nil }
            pieces.append(isVariable ? .variable(String(name)) : .word(String(name)))
        }
        return pieces
    }
    private init(
        _ route: Route, quick: (@Sendable (RouteRequest, any RouteBus) throws -> RouteReply?)?,
        answer: @escaping @Sendable (RouteRequest, any RouteBus) async throws -> RouteReply
    ) {
        (method, template, pieces, about) = (route.method, route.template, route.pieces, route.about)
        (isOpen, scope, parameters) = (route.isOpen, route.scope, route.parameters)
        (bodies, replies, self.quick, self.answer) = (route.bodies, route.replies, quick, answer)
    }

    /// The same route, which refuses parameters that it does not declare: what is misspelled would else be passed over.
    package var refusingOtherParameters: Route {
        let (template, names, answer) = (template, parameters.map(\.name), answer)
        let check: @Sendable (RouteRequest) throws(Malformed) -> Void = { (request) throws(Malformed) in
            for given in request.parameters where !names.contains(where: { Spelling.same($0, given.name) }) {
                throw Malformed(
                    given.name,
                    names.isEmpty
                        ? "is given, and \(template) has no parameters"
                        : Nearest.notA("parameter", of: template, given.name, among: names))
            }
        }
        var quickly = quick
        if let quick {
            quickly = { request, bus in
                try check(request)
                return try quick(request, bus)
            }
        }
        return Route(self, quick: quickly) { request, bus in
            try check(request)
            return try await answer(request, bus)
        }
    }
}
