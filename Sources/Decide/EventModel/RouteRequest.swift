/// A name with a value, as queries and forms have them.
public struct NamedText: Sendable, Hashable {
    /// As it was given.
    public var name: String
    /// As it was given.
    public var value: String
    /// A name with its value.
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}

/// The body of a request.
public enum RouteBody: Sendable, Hashable {
    /// What a body may be.
    public enum Kind: String, Sendable, Hashable {
        case json = "application/json"
        case form = "application/x-www-form-urlencoded"
    }
    case none
    /// JSON as it was sent; whether it is any is the route's to find out.
    case json(String)
    /// The fields of a form, in their order.
    case form([NamedText])

    /// The first field of a form by that name; nil where there is none, or it is no form.
    public subscript(name: String) -> String? {
        guard case .form(let fields) = self else { return nil }
        return fields.first { $0.name == name }?.value
    }
}

/// The header fields that a route may read.
public enum RouteField: String, Sendable, Hashable, CaseIterable {
    case accept = "Accept"
    case acceptLanguage = "Accept-Language"
    case idempotencyKey = "Idempotency-Key"
    case ifNoneMatch = "If-None-Match"
    /// What a browser loads ahead of its user says so in one of these.
    case purpose = "Purpose"
    case secPurpose = "Sec-Purpose"
    case referer = "Referer"
    case userAgent = "User-Agent"
}

/// What a route is asked, checked against what it declares.
public struct RouteRequest: Sendable {
    /// The method of the route that answers it.
    public let method: Route.Method
    /// Whether only what would be answered is asked for (`HEAD`): nothing may come of it.
    public let isHead: Bool
    /// What stands in the place of each variable of the path, decoded.
    public let variables: [String: String]
    /// All parameters of the query in their order, decoded, those that the route does not declare among them.
    public let parameters: [NamedText]
    /// Its body.
    public let body: RouteBody
    /// Who asks, by the token; nil where the route is open or the gateway asks for none.
    public let subject: String?
    /// The address that it came from.
    public let address: String
    /// What the client calls this place: `example.com:8443`. Nil where it does not say.
    public let host: String?
    /// Whether it came over TLS.
    public let isSecure: Bool
    /// When it came, by the gateway's clock.
    public let now: Timestamp
    private let arguments: Arguments
    private let field: @Sendable (RouteField) -> String?
    private let cookies: @Sendable (String) -> String?

    /// A request as the gateway, or a test, makes it.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - isHead: Whether the answer's body is not sent.
    ///   - variables: What stands in the path for the template's variables, by name.
    ///   - parameters: All parameters of the query, as they were given.
    ///   - arguments: The declared parameters, by name.
    ///   - body: What was sent.
    ///   - subject: Who asks, by the token; nil where there is none.
    ///   - address: The address that it came from.
    ///   - host: What the client calls this place; nil where it does not say.
    ///   - isSecure: Whether it came over TLS.
    ///   - now: When it came.
    ///   - field: Gives a header field; nil where it was not sent.
    ///   - cookie: Gives a cookie by its name.
    public init(
        method: Route.Method = .get, isHead: Bool = false, variables: [String: String] = [:],
        parameters: [NamedText] = [], arguments: [String: Value] = [:], body: RouteBody = .none,
        subject: String? = nil, address: String = "", host: String? = nil, isSecure: Bool = false, now: Timestamp,
        field: @escaping @Sendable (RouteField) -> String? = { _ in nil },
        cookie: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        (self.method, self.isHead, self.variables) = (method, isHead, variables)
        (self.parameters, self.body, self.subject, self.address) = (parameters, body, subject, address)
        (self.host, self.isSecure, self.now, self.field, cookies) = (host, isSecure, now, field, cookie)
        self.arguments = Arguments(arguments, now: now, limit: Limits.pageRows, cursor: nil)
    }

    /// A header field; nil where it was not sent.
    public subscript(field: RouteField) -> String? { self.field(field) }

    /// A cookie by its name; nil where it was not sent. The gateway's own is nobody's to read.
    public func cookie(_ name: String) -> String? { cookies(name) }

    /// - Throws: ``Malformed`` where it was not given, which a handler never meets: it was checked before.
    public subscript<Content>(parameter: RequiredParameter<Content>) -> Content {
        get throws(Malformed) { try arguments[parameter] }
    }

    /// What was given; nil where it was left out.
    public subscript<Content>(parameter: OptionalParameter<Content>) -> Content? { arguments[parameter] }

    /// Whether a flag was said.
    public subscript(parameter: FlagParameter) -> Bool { arguments[parameter] }
}
