internal import EventModel
internal import HTTPTypes
internal import MillraceBus

/// What every page has around its own.
struct PageFrame {
    let title: String
    /// The modules and style sheets that it has besides those of all pages.
    var scripts: [PagePath] = []
    var styles: [PagePath] = []
    /// The domains that whoever asks may go to.
    var domains: [Domain]
    var here: PagePath?
    /// Who asks, where somebody has said so.
    var subject: String?

    /// Scripts, styles and answers come from here alone, and nothing is run or looked like that stands in the page itself
    /// (www.w3.org/TR/CSP3).
    static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
        form-action 'self'; frame-ancestors 'none'
        """

    func page(@HTMLBuilder _ content: () -> HTML) -> String {
        let all = HTML.tag("html", .set("lang", "en")) {
            head
            HTML.tag("body") {
                HTML.tag("a", .class("skip"), .set("href", "#main")) { "Skip to the content" }
                header
                HTML.tag("p", .id("gone"), .class("gone"), .set("role", "alert"), .flag("hidden")) {
                    "The server does not answer. This page comes back by itself."
                }
                HTML.tag("main", .id("main"), .set("tabindex", "-1")) { content() }
                footer
            }
        }
        return "<!doctype html>\n" + all.markup + "\n"
    }

    private var head: HTML {
        HTML.tag("head") {
            HTML.tag("meta", .set("charset", "utf-8"))
            HTML.tag("meta", .name("viewport"), .set("content", "width=device-width, initial-scale=1"))
            HTML.tag("meta", .name("color-scheme"), .set("content", "light dark"))
            HTML.tag("title") { "\(title) · Millrace" }
            HTML.tag("link", .set("rel", "icon"), .href(PagePath.asset("icon.svg").link()))
            for style in [.asset("style.css")] + styles {
                HTML.tag("link", .set("rel", "stylesheet"), .href(style.link()))
            }
            for script in [.asset("live.js")] + scripts {
                HTML.tag("script", .type("module"), .src(script.link()))
            }
        }
    }

    private var header: HTML {
        HTML.tag("header", .class("bar")) {
            HTML.tag("a", .class("home"), .href(PagePath.overview.link())) { "Millrace" }
            HTML.tag("nav", .label("Domains")) {
                HTML.tag("ul") {
                    for domain in domains {
                        HTML.tag("li") {
                            let path = PagePath.domain(domain.name)
                            let current = here == path ? [HTML.Attribute.set("aria-current", "page")] : []
                            HTML.tag("a", [.href(path.link())] + current) { domain.name }
                        }
                    }
                }
            }
            if let subject {
                HTML.tag("span", .class("who")) {
                    HTML.tag("bdi") { subject }
                    " "
                    HTML.tag("form", .class("inline"), .set("method", "post"), .action(PagePath.signOut.link())) {
                        HTML.tag("button", .class("plain"), .id("sign-out")) { "Sign out" }
                    }
                }
            }
        }
    }

    private var footer: HTML {
        HTML.tag("footer") {
            "Millrace \(Version.number) · "
            HTML.tag("a", .href(Link(["openapi.json"]))) { "OpenAPI" }
            " · "
            HTML.tag("a", .href(Link(["asyncapi.json"]))) { "AsyncAPI" }
            " · "
            HTML.tag("a", .href(Link(["metrics"]))) { "Metrics" }
        }
    }
}

extension Reply {
    /// A page for people.
    static func page(_ text: String, status: Int = 200) -> Reply {
        var reply = Reply(status, .html, .text(text))
        reply.fields[.contentSecurityPolicy] = PageFrame.policy
        // A form's request has its origin only where the page says whence it comes, here at least.
        reply.fields[.referrerPolicy] = "same-origin"
        return reply
    }

    /// Elsewhere, by GET.
    static func seeOther(_ link: Link) -> Reply {
        var reply = Reply(303)
        reply.fields[.location] = link.text
        return reply
    }
}

extension GatewayEnvironment {
    /// The frame of a page, as whoever asks sees it.
    func frame(_ title: String, _ access: Access?, here: PagePath? = nil) -> PageFrame {
        let seen = domains.filter { domain in
            access.map { access in Scope.allCases.contains { access.allows($0, in: domain.name) } } ?? false
        }
        return PageFrame(title: title, domains: seen, here: here, subject: access?.subject)
    }
}
