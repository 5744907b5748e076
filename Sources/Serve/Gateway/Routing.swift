internal import EventModel
internal import HTTPTypes
internal import MillraceBus

extension GatewayEnvironment {
    /// Answers a path of a domain's own.
    func route(_ match: RouteMatch, _ request: GatewayRequest) async throws -> Reply {
        let (domain, route) = routes.found(match)
        if !route.isOpen { try request.require(Scope(route.scope), in: domain.name) }
        let asked = try await RouteRequest(
            method: route.method, isHead: request.isHead, variables: match.variables,
            parameters: request.target.parameters.map { NamedText($0.name, $0.value) },
            arguments: arguments(of: route, request), body: request.routeBody(route.bodies),
            subject: request.access.subject, address: request.address, host: request.host,
            isSecure: settings.isSecure, now: now(), field: { [fields = request.fields] in fields[HTTPField.Name($0)] },
            cookie: { [fields = request.fields] in fields.cookie($0) })
        let bus = GatewayRouteBus(
            around: self, domain: domain, access: request.access, trace: request.trace)
        do {
            return try Reply(try await route.answer(asked, bus))
        } catch let problem as RouteProblem {
            throw Problem(problem)
        } catch let refused as Refused {
            throw Problem(RouteProblem(refused))
        }
    }

    /// The parameters that a route declares, of those that were given.
    private func arguments(of route: Route, _ request: GatewayRequest) throws -> [String: Value] {
        if route.parameters.isEmpty { return [:] }
        let given = request.target.parameters.filter { given in
            route.parameters.contains { Spelling.same($0.name, given.name) }
        }
        return try ParameterValues.names.values(
            given.map { ($0.name, $0.value) }, of: route.parameters, for: route.template, and: [])
    }
}

extension GatewayRequest {
    /// The body of a route's request, which is one of some kinds or none.
    func routeBody(_ kinds: [RouteBody.Kind]) async throws -> RouteBody {
        if kinds.isEmpty || body.isEmpty { return .none }
        switch try body.kind(of: kinds.map { $0 == .json ? .json : .form }) {
        case .form:
            // Any page of the web can send a form.
            if !isOwnPage {
                throw Problem(
                    .forbidden, "forms come from this gateway's own pages, which say so in Origin", field: "Origin")
            }
            let fields = try RequestTarget.parameters(of: try await body.text(.form)[...], "the form")
            return .form(fields.map { NamedText($0.name, $0.value) })
        default:
            let json = try await body.json()
            try JSONMembers.checkOnce(Array(json.utf8)[...])
            return .json(json)
        }
    }
}

extension Scope {
    init(_ scope: Route.Scope) {
        switch scope {
        case .query: self = .query
        case .send: self = .send
        case .produce: self = .produce
        }
    }
}

extension Problem {
    init(_ problem: RouteProblem) {
        self.init(Status(rawValue: problem.status.rawValue) ?? .internalError, problem.detail, field: problem.field)
        if let reason = problem.reason { members = [("reason", JSON.string(reason))] }
        if let wait = problem.retryAfter {
            retryAfter = wait
        } else if status == .unavailable || status == .tooManyRequests {
            retryAfter = GatewayLimits.retryAfter
        }
    }
}

extension Reply {
    /// Fields that say how an answer is sent, which is the gateway's.
    private static let own: Set<String> = ["connection", "content-length", "content-type", "transfer-encoding"]
    /// A page has its own pictures, the style of the gateway's pages, and forms that lead back here.
    private static let policy =
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        + "frame-ancestors 'none'"

    /// - Throws: ``RouteFault`` where it is none that can be sent.
    init(_ reply: RouteReply) throws(RouteFault) {
        guard (200...599).contains(reply.status) else { throw RouteFault("the status \(reply.status)") }
        self.init(reply.status)
        if let type = reply.type {
            fields[.contentType] = type
            content = .text(reply.text)
        }
        for field in reply.fields {
            guard let name = HTTPField.Name(field.name), !Self.own.contains(name.canonicalName) else {
                throw RouteFault("the field \(field.name)")
            }
            // Two lines of one would let a text that is shown end the head and begin a body of its own.
            guard HTTPField.isValidValue(field.value) else { throw RouteFault("a value of \(field.name)") }
            fields.append(HTTPField(name: name, value: field.value))
        }
        if reply.type?.hasPrefix("text/html") == true {
            if fields[.contentSecurityPolicy] == nil { fields[.contentSecurityPolicy] = Self.policy }
            if fields[.referrerPolicy] == nil { fields[.referrerPolicy] = "same-origin" }
        }
    }
}

/// A route has answered what cannot be sent: a mistake in its domain.
struct RouteFault: Error, CustomStringConvertible {
    let what: String
    init(_ what: String) { self.what = what }
    var description: String { "a route answered with \(what), which is not its to send" }
}

extension HTTPField.Name {
    private static let ofRoutes: [RouteField: HTTPField.Name] = Dictionary(
        uniqueKeysWithValues: RouteField.allCases.compactMap { field in
            HTTPField.Name(field.rawValue).map { (field, $0) }
        })

    init(_ field: RouteField) { self = Self.ofRoutes[field]! }
}

extension HTTPFields {
    /// A cookie by its name. Who holds a token is never told to a domain.
    func cookie(_ name: String) -> String? {
        if name == Credentials.cookie { return nil }
        for pair in self[values: .cookie].lazy.flatMap({ $0.split(separator: ";") }) {
            let pair = pair.trimming { $0 == " " || $0 == "\t" }
            if pair.hasPrefix("\(name)=") { return String(pair.dropFirst(name.count + 1)) }
        }
        return nil
    }
}
