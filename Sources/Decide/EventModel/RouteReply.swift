/// What a route answers.
public struct RouteReply: Sendable, Hashable {
    /// 200 to 599.
    public var status: Int
    /// The media type of the text, as the field `Content-Type` has it; nil where there is no text.
    public var type: String?
    /// The body.
    public var text: String
    /// Further header fields. They go before those that the gateway would set, such as `Cache-Control` (`no-store` unless told)
    /// and `Content-Security-Policy` (nothing but what the page itself has).
    public var fields: [NamedText]

    /// An answer whose parts are known.
    public init(_ status: Int, _ type: String? = nil, _ text: String = "", fields: [NamedText] = []) {
        (self.status, self.type, self.text, self.fields) = (status, type, text, fields)
    }

    /// JSON, as it is given.
    public static func json(_ text: String, status: Int = 200) -> RouteReply {
        RouteReply(status, "application/json", text)
    }

    /// A page.
    public static func html(_ text: String, status: Int = 200) -> RouteReply {
        RouteReply(status, "text/html; charset=utf-8", text)
    }

    /// Sends whoever asks elsewhere.
    ///
    /// - Parameters:
    ///   - location: A URL, or a path of this place.
    ///   - status: 302 for now, 303 after a form.
    public static func redirect(to location: String, status: Int = 302) -> RouteReply {
        RouteReply(status, fields: [NamedText("Location", location)])
    }
}

/// Why a route does not answer as it was meant: whoever asks is told as problem details (RFC 9457).
///
/// A handler may also throw ``Malformed``, which is 400, and let through what its ``RouteBus`` throws.
public struct RouteProblem: Error, Sendable, Hashable {
    /// The statuses that a problem may have.
    public enum Status: Int, Sendable, Hashable {
        case badRequest = 400
        case unauthorized = 401
        case forbidden = 403
        case notFound = 404
        case conflict = 409
        case gone = 410
        case tooManyRequests = 429
        case unavailable = 503
    }
    /// Which sort of problem.
    public var status: Status
    /// What was wrong and, where there is something, what to do.
    public var detail: String
    /// The field of a body or the parameter that is at fault.
    public var field: String?
    /// A word for programs, as refusals have it.
    public var reason: String?
    /// After how long to come again, told in whole seconds; nil is what the gateway says of the status.
    public var retryAfter: Duration?

    /// A problem with a sentence for people.
    public init(
        _ status: Status, _ detail: String, field: String? = nil, reason: String? = nil, retryAfter: Duration? = nil
    ) {
        (self.status, self.detail, self.field, self.reason) = (status, detail, field, reason)
        self.retryAfter = retryAfter
    }

    /// A refusal: 409 with its words.
    public init(_ refused: Refused) { self.init(.conflict, refused.message, reason: refused.reason) }
}
