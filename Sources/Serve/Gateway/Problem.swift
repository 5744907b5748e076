internal import EventLog
internal import EventModel
internal import Handling
package import MillraceBus

/// Why a request is not answered as it was meant: problem details (RFC 9457).
package struct Problem: Error, Sendable {
    /// The status codes that the gateway uses (RFC 9110, section 15).
    package enum Status: Int, Sendable, CaseIterable {
        case badRequest = 400
        case unauthorized = 401
        case forbidden = 403
        case notFound = 404
        case methodNotAllowed = 405
        case notAcceptable = 406
        case requestTimeout = 408
        case conflict = 409
        case gone = 410
        case contentTooLarge = 413
        case uriTooLong = 414
        case unsupportedMediaType = 415
        case misdirected = 421
        case tooManyRequests = 429
        case headersTooLarge = 431
        case internalError = 500
        case notImplemented = 501
        case unavailable = 503
        case insufficientStorage = 507

        package var title: String {
            switch self {
            case .badRequest: "Bad Request"
            case .unauthorized: "Unauthorized"
            case .forbidden: "Forbidden"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .notAcceptable: "Not Acceptable"
            case .requestTimeout: "Request Timeout"
            case .conflict: "Conflict"
            case .gone: "Gone"
            case .contentTooLarge: "Content Too Large"
            case .uriTooLong: "URI Too Long"
            case .unsupportedMediaType: "Unsupported Media Type"
            case .misdirected: "Misdirected Request"
            case .tooManyRequests: "Too Many Requests"
            case .headersTooLarge: "Request Header Fields Too Large"
            case .internalError: "Internal Server Error"
            case .notImplemented: "Not Implemented"
            case .unavailable: "Service Unavailable"
            case .insufficientStorage: "Insufficient Storage"
            }
        }
    }

    package static let mediaType = "application/problem+json"

    package var status: Status
    /// What the command line says of it.
    package var detail: String
    /// The field of a message, the parameter or the header field that is at fault.
    package var field: String?
    /// Further members, as JSON.
    package var members: Members = []
    /// After how long it may go better.
    package var retryAfter: Duration?
    /// The methods that a path has.
    package var allow: [String] = []
    /// How one may say who one is: the field `WWW-Authenticate`.
    package var challenge: String?

    package init(_ status: Status, _ detail: String, field: String? = nil, retryAfter: Duration? = nil) {
        (self.status, self.detail, self.field, self.retryAfter) = (status, detail, field, retryAfter)
    }

    /// The same of one line of a body.
    func at(line: Int) -> Problem {
        var problem = self
        problem.members = [("line", String(line))] + members
        return problem
    }

    package var json: String {
        let own: Members = [
            ("type", JSON.string("about:blank")), ("title", JSON.string(status.title)),
            ("status", String(status.rawValue)), ("detail", JSON.string(detail)),
        ]
        return JSON.object(
            (own + (field.map { [("field", JSON.string($0))] } ?? []) + members).map { ($0.name, $0.value) })
    }
}

extension Problem {
    /// What an error means to whoever asked over HTTP.
    ///
    /// - Parameters:
    ///   - declared: The names of the topics that are declared.
    ///   - named: Whether a name that nothing has was the request's path, and not a parameter.
    package init(_ error: any Error, declared: [String], inPath named: Bool = false) {
        if let problem = error as? Problem {
            self = problem
            return
        }
        if let error = error as? ActsForAnother {
            self.init(error)
            return
        }
        guard let told = Explanation(error, declared: { declared }) else {
            // What is not known here may say what is nobody's business.
            self.init(.internalError, "something went wrong; the gateway's own log says what")
            return
        }
        self.init(Self.status(of: error, told.kind, named), told.message, field: told.field)
        if let error = error as? CommandClient.NoAnswer {
            // Whoever asks over HTTP has no option for the id, and may start no workers.
            detail = """
                no handler answered command \(error.id) within \(error.waited.short). It is on the log and will be decided: \
                the same id, as Idempotency-Key, gives the outcome later; /workers shows who is behind
                """
            members = [("id", JSON.string(error.id))]
        }
        if status == .unavailable { retryAfter = GatewayLimits.retryAfter }
    }

    private static func status(of error: any Error, _ kind: Explanation.Kind, _ named: Bool) -> Status {
        if named, error is UnknownName { return .notFound }
        if let error = error as? LogError {
            if error.kind == .unknownTopic { return kind == .usage ? .notFound : .unavailable }
            if error.kind == .tooLarge { return .contentTooLarge }
            if error.kind == .full { return .insufficientStorage }
        }
        switch kind {
        case .usage: return .badRequest
        case .data: return error is Malformed ? .badRequest : .internalError
        case .tryAgain, .unavailable: return .unavailable
        case .noInput, .software, .ioError, .noPermission, .configuration: return .internalError
        }
    }
}
