/// What a request asks for, by its method and path.
package enum Endpoint: Sendable, Hashable {
    case start
    case command(String)
    case commands
    case event(String)
    case catalogue
    case view(String)
    case views
    case topic(String)
    case topics
    case workers
    case quarantine
    case waiting(worker: String, key: String?)
    case redrive(worker: String?)
    case drop(worker: String)
    case live
    case ready
    case metrics
    case openAPI
    case asyncAPI
    case session
    case logIn
    case logOut
    case page(PagePath)
    /// A path of a domain's own.
    case route(RouteMatch)

    /// Whether it is answered also where nobody says who asks: it tells nothing, or is how one says so.
    package var isOpen: Bool {
        switch self {
        case .live, .ready, .openAPI, .asyncAPI, .logIn, .logOut: true
        case .route(let match): match.isOpen
        default: false
        }
    }

    /// The path as documents and metrics have it: what differs from request to request is in braces.
    package var template: String {
        switch self {
        case .start: "/"
        case .command: "/commands/{command}"
        case .commands: "/commands"
        case .event: "/events/{event}"
        case .catalogue: "/events"
        case .view: "/views/{query}"
        case .views: "/views"
        case .topic: "/topics/{topic}"
        case .topics: "/topics"
        case .workers: "/workers"
        case .quarantine: "/quarantine"
        case .waiting: "/quarantine/{worker}"
        case .redrive(nil): "/quarantine/redrive"
        case .redrive: "/quarantine/{worker}/redrive"
        case .drop: "/quarantine/{worker}/drop"
        case .live: "/healthz"
        case .ready: "/readyz"
        case .metrics: "/metrics"
        case .openAPI: "/openapi.json"
        case .asyncAPI: "/asyncapi.json"
        case .session, .logIn, .logOut: "/session"
        case .page(let page): page.template
        case .route(let match): match.template
        }
    }

    /// The words that the gateway's own paths begin with, so no domain's.
    static let ownWords: Set<String> = [
        PagePath.root, "commands", "events", "views", "topics", "workers", "quarantine", "healthz", "readyz", "metrics",
        "openapi.json", "asyncapi.json", "session",
    ]

    /// The endpoints of a path, by method.
    private static func all(at path: [String], _ routes: RouteTable) -> [(method: String, endpoint: Endpoint)] {
        let routed = routes.matches(path)
        return routed.isEmpty ? own(at: path) : routed
    }

    private static func own(at path: [String]) -> [(method: String, endpoint: Endpoint)] {
        if path.first == PagePath.root {
            return PagePath.all(at: path.dropFirst()).map { ($0.method, .page($0.endpoint)) }
        }
        switch path.count {
        case 0: return [("GET", .start)]
        case 1:
            switch path[0] {
            case "commands": return [("POST", .commands)]
            case "events": return [("GET", .catalogue)]
            case "views": return [("GET", .views)]
            case "topics": return [("GET", .topics)]
            case "workers": return [("GET", .workers)]
            case "quarantine": return [("GET", .quarantine)]
            case "healthz": return [("GET", .live)]
            case "readyz": return [("GET", .ready)]
            case "metrics": return [("GET", .metrics)]
            case "openapi.json": return [("GET", .openAPI)]
            case "asyncapi.json": return [("GET", .asyncAPI)]
            case "session": return [("GET", .session), ("POST", .logIn), ("DELETE", .logOut)]
            default: return []
            }
        case 2:
            switch path[0] {
            case "commands": return [("POST", .command(path[1]))]
            case "events": return [("POST", .event(path[1]))]
            case "views": return [("GET", .view(path[1]))]
            case "topics": return [("GET", .topic(path[1]))]
            case "quarantine" where path[1] == "redrive": return [("POST", .redrive(worker: nil))]
            case "quarantine": return [("GET", .waiting(worker: path[1], key: nil))]
            default: return []
            }
        case 3 where path[0] == "quarantine" && path[2] == "redrive": return [("POST", .redrive(worker: path[1]))]
        case 3 where path[0] == "quarantine" && path[2] == "drop": return [("POST", .drop(worker: path[1]))]
        default: return []
        }
    }

    /// The methods of a path; none where there is no such path.
    package static func methods(at path: [String], _ routes: RouteTable = RouteTable()) -> [String] {
        var methods: [String] = []
        for method in all(at: path, routes).map(\.method) where !methods.contains(method) { methods.append(method) }
        if methods.isEmpty { return [] }
        return (methods.contains("GET") ? ["GET", "HEAD"] : []) + methods.filter { $0 != "GET" } + ["OPTIONS"]
    }

    /// - Throws: ``Problem`` where there is no such path, or it has no such method.
    package static func find(
        _ method: String, _ path: [String], _ routes: RouteTable = RouteTable()
    ) throws(Problem) -> Endpoint {
        let all = all(at: path, routes)
        if all.isEmpty {
            throw Problem(.notFound, "there is no /\(path.joined(separator: "/")); /openapi.json says what there is")
        }
        let asked = method == "HEAD" ? "GET" : method
        if let found = all.first(where: { $0.method == asked }) { return found.endpoint }
        var problem = Problem(.methodNotAllowed, "\(method) is not a method of /\(path.joined(separator: "/"))")
        problem.allow = methods(at: path, routes)
        throw problem
    }
}
