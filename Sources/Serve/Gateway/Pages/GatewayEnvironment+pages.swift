internal import EventModel
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import MillraceBus

extension GatewayEnvironment {
    /// Answers a request for a page, or for what belongs to one.
    func page(_ path: PagePath, _ request: GatewayRequest) async throws -> Reply {
        switch path {
        case .overview: try await overview(request)
        case .domain(let name): try domainPage(name, request)
        case .topic(let name): try await topicPage(name, request)
        case .view(let name): try await viewPage(name, request)
        case .command(let name): try commandPage(name, request)
        case .send(let name): try await sendForm(name, request)
        case .redrive: try await redriveForm(request)
        case .drop: try await dropForm(request)
        case .signIn: try await signIn(request)
        case .signOut: try await signOut(request)
        case .latest: try await latest(request)
        case .asset, .file: try file(path, request.fields)
        }
    }

    /// A problem as whoever asked can read it: on a page where a page was asked for.
    func reply(_ problem: Problem, to request: Request) -> Reply {
        var reply = Reply(problem)
        let path = (request.head.path ?? "").prefix { $0 != "?" }.split(separator: "/")
        guard path.first == "ui",
            (try? MediaType.chosen(of: [.json, .html], accept: request.headers[.accept])) == .html
        else { return reply }
        let page = Reply.page(problemPage(problem, at: request.head.path ?? ""), status: problem.status.rawValue)
        reply.content = page.content
        for field in page.fields { reply.fields[field.name] = field.value }
        return reply
    }

    private func problemPage(_ problem: Problem, at target: String) -> String {
        let isUnknown = problem.status == .unauthorized
        return frame(isUnknown ? "Sign in" : problem.status.title, nil).page {
            HTML.tag("h1") { isUnknown ? "Sign in" : problem.status.title }
            HTML.tag("p", .set("dir", "auto")) { problem.detail }
            if isUnknown { SignIn.form(goingOnAt: target) }
        }
    }

    /// A form as it was sent.
    ///
    /// - Throws: ``Problem`` where none of the gateway's own pages sends it: any page of the web can send a form.
    func form(_ request: GatewayRequest) async throws -> ParameterReader {
        if !request.isOwnPage {
            throw Problem(
                .forbidden, "forms come from this gateway's own pages, which say so in Origin", field: "Origin")
        }
        return try await request.body.form()
    }

    /// A file of the pages.
    func file(_ path: PagePath, _ fields: HTTPFields) throws(Problem) -> Reply {
        guard let file = files[path] else { throw Problem(.notFound, "there is no such file") }
        let isKnown = fields[.ifNoneMatch].map { $0.contains(file.tag) } ?? false
        var reply = isKnown ? Reply(304) : Reply(200, file.type, .text(file.text))
        reply.fields[.eTag] = file.tag
        // Asked for again each time, for a newer program has newer ones; it costs a 304.
        reply.fields[.cacheControl] = "no-cache"
        return reply
    }
}

/// The form in which one says who one is, where tokens are asked for.
enum SignIn {
    static let target = "to"

    /// - Parameter target: The page that was asked for.
    static func form(goingOnAt target: String) -> HTML {
        HTML.tag("form", .class("fields"), .set("method", "post"), .action(PagePath.signIn.link())) {
            HTML.tag("input", .type("hidden"), .name(Self.target), .value(page(target).text))
            PageParts.field(
                "token", "Token", about: "It is kept in a cookie of this browser, which scripts cannot read.",
                isRequired: true
            ) {
                HTML.tag("input", $0 + [.name("token"), .type("password"), .set("autocomplete", "current-password")])
            }
            HTML.tag("button") { "Sign in" }
        }
    }

    /// Where one goes on: on a page of this gateway, whatever a form says.
    static func page(_ target: String) -> Link {
        guard let target = try? RequestTarget(target), target.path.first == PagePath.root,
            PagePath.all(at: target.path.dropFirst()).contains(where: { $0.method == "GET" })
        else { return PagePath.overview.link() }
        return Link(target.path, target.parameters.map { ($0.name, $0.value) })
    }
}

/// A file that is built into the executable, as it is served.
struct PageFile: Sendable {
    let type: MediaType
    let text: String
    let tag: String

    private init?(_ name: String, _ base64: String) {
        guard let data = Data(base64Encoded: base64), let type = Self.type(of: name) else { return nil }
        (self.type, text) = (type, String(decoding: data, as: UTF8.self))
        var hash = FNV1a()
        data.withUnsafeBytes { hash.add($0) }
        tag = "\"\(String(hash.value, radix: 16))\""
    }

    private static func type(of name: String) -> MediaType? {
        switch name.split(separator: ".").last {
        case "css": .style
        case "js": .script
        case "svg": .picture
        default: nil
        }
    }

    /// Those of all pages, and those of some domains' own.
    static func all(_ domains: [Domain]) -> [PagePath: PageFile] {
        var files: [PagePath: PageFile] = [:]
        for (name, base64) in PageFiles.all { files[.asset(name)] = PageFile(name, base64) }
        for domain in domains {
            for file in domain.page?.files ?? [] {
                files[.file(domain: domain.name, name: file.name)] = PageFile(file.name, file.base64)
            }
        }
        return files
    }
}
