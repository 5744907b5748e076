internal import EventModel
internal import Foundation
internal import MillraceBus

extension GatewayEnvironment {
    /// `GET /ui/domains/{domain}`. Its parameters are for its own script.
    func domainPage(_ name: String, _ request: GatewayRequest) throws -> Reply {
        guard let domain = domains.first(where: { $0.name == name }) else {
            throw Problem(
                .notFound, "there is no domain \(name); there are \(domains.map(\.name).joined(separator: ", "))")
        }
        if !Scope.allCases.contains(where: { request.access.allows($0, in: name) }) {
            try request.require(.query, in: name)
        }
        var frame = frame(domain.page?.title ?? name, request.access, here: .domain(name))
        if domain.page?.file("page.js") != nil { frame.scripts = [.file(domain: name, name: "page.js")] }
        if domain.page?.file("page.css") != nil { frame.styles = [.file(domain: name, name: "page.css")] }
        return .page(
            frame.page {
                HTML.tag("h1") { domain.page?.title ?? name }
                HTML.tag("p", .class("lead")) { domain.about }
                if let page = domain.page?.file("page.html") {
                    HTML.tag("noscript") {
                        HTML.tag("p", .class("about")) {
                            "What moves on this page needs JavaScript. All below works without."
                        }
                    }
                    HTML.tag("div", .class("own"), .id("own")) { page.markup }
                }
                HTML.tag("section") {
                    HTML.tag("h2") { "All of \(name)" }
                    PageParts.contents(of: domain, request.access)
                }
            })
    }
}

extension DomainPage.File {
    /// What the domain's author wrote, as it is: it is part of the program, and nothing from outside.
    fileprivate var markup: HTML {
        HTML(trusted: Data(base64Encoded: base64).map { String(decoding: $0, as: UTF8.self) } ?? "")
    }
}
