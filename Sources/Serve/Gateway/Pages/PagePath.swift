/// A page for people, or what belongs to one, by its path behind `/ui`.
package enum PagePath: Sendable, Hashable {
    case overview
    case domain(String)
    case topic(String)
    case view(String)
    case command(String)
    /// A command as a form sends it.
    case send(String)
    case redrive
    case drop
    /// A token, as the form sends it in which one says who one is.
    case signIn
    case signOut
    /// Events of all domains as they come.
    case latest
    /// A file that all pages have.
    case asset(String)
    /// A file of a domain's page.
    case file(domain: String, name: String)

    /// What all their paths begin with.
    package static let root = "ui"

    /// The path as metrics have it.
    package var template: String {
        let rest =
            switch self {
            case .overview: ""
            case .domain: "/domains/{domain}"
            case .topic: "/topics/{topic}"
            case .view: "/views/{query}"
            case .command, .send: "/commands/{command}"
            case .redrive: "/quarantine/redrive"
            case .drop: "/quarantine/drop"
            case .signIn: "/sign-in"
            case .signOut: "/sign-out"
            case .latest: "/latest"
            case .asset: "/assets/{name}"
            case .file: "/domains/{domain}/{name}"
            }
        return "/\(Self.root)\(rest)"
    }

    /// Whether anybody may have it, also who has not said who he is: what the page that asks him is made of.
    package var isOpen: Bool {
        switch self {
        case .asset, .file: true
        default: false
        }
    }

    /// Those of a path behind `/ui`, by method.
    static func all(at path: ArraySlice<String>) -> [(method: String, endpoint: PagePath)] {
        let path = Array(path)
        switch path.count {
        case 0: return [("GET", .overview)]
        case 1:
            switch path[0] {
            case "latest": return [("GET", .latest)]
            case "sign-in": return [("POST", .signIn)]
            case "sign-out": return [("POST", .signOut)]
            default: return []
            }
        case 2:
            switch path[0] {
            case "domains": return [("GET", .domain(path[1]))]
            case "topics": return [("GET", .topic(path[1]))]
            case "views": return [("GET", .view(path[1]))]
            case "commands": return [("GET", .command(path[1])), ("POST", .send(path[1]))]
            case "assets": return [("GET", .asset(path[1]))]
            case "quarantine" where path[1] == "redrive": return [("POST", .redrive)]
            case "quarantine" where path[1] == "drop": return [("POST", .drop)]
            default: return []
            }
        case 3 where path[0] == "domains": return [("GET", .file(domain: path[1], name: path[2]))]
        default: return []
        }
    }

    /// Its address.
    func link(_ parameters: [(name: String, value: String)] = []) -> Link {
        let path: [String] =
            switch self {
            case .overview: []
            case .domain(let name): ["domains", name]
            case .topic(let name): ["topics", name]
            case .view(let name): ["views", name]
            case .command(let name), .send(let name): ["commands", name]
            case .redrive: ["quarantine", "redrive"]
            case .drop: ["quarantine", "drop"]
            case .signIn: ["sign-in"]
            case .signOut: ["sign-out"]
            case .latest: ["latest"]
            case .asset(let name): ["assets", name]
            case .file(let domain, let name): ["domains", domain, name]
            }
        return Link([Self.root] + path, parameters)
    }
}
