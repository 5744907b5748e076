internal import EventModel
internal import Secrets
internal import SwiftProtobuf

/// The paths of links on the gateway: to follow one, its picture, and to make one.
struct LinkRoutes: Sendable {
    let policy: LinkPolicy
    private let guesses = Guesses()
    private let agents = Remembered<UserAgent>()
    private let referrers = Remembered<String>()

    init(_ policy: LinkPolicy) { self.policy = policy }

    private static let page = "text/html; charset=utf-8"
    private static let ends = [
        Route.Reply(302, "Where the link leads.", nil),
        Route.Reply(200, "It has a password, or is only looked at.", page),
        Route.Reply(403, "Nobody is led there, or the password is another.", page),
        Route.Reply(404, "There is none.", page),
        Route.Reply(410, "It has ended.", page),
    ]

    var all: [Route] {
        [
            Route(
                .get, "/l/{code}", "Follows a link; with + behind the code it shows where that leads.", isOpen: true,
                replying: Self.ends, quick: { try followAtOnce($0, $1) }
            ) { try await follow($0, $1) },
            Route(
                .post, "/l/{code}", "Follows a link that has a password.", isOpen: true, reading: [.form],
                replying: Self.ends + [Route.Reply(303, "Where the link leads.", nil)]
            ) { try await enter($0, $1) },
            Route(
                .get, "/l/{code}/qr.svg", "A link as a picture that cameras read.", isOpen: true,
                replying: [
                    Route.Reply(200, "The picture.", "image/svg+xml"),
                    Route.Reply(404, "There is no such link.", Self.page),
                ]
            ) { try await picture($0, $1) },
            Route(
                .post, "/links", "Makes a link, and tells its code.", scope: .send, reading: [.json],
                replying: [Route.Reply(201, "The link."), Route.Reply(200, "The link that is there already.")]
            ) { try await make($0, $1) },
        ]
    }

    // MARK: Following

    typealias Link = LinkTable.Link

    private func follow(_ request: RouteRequest, _ bus: any RouteBus) async throws -> RouteReply {
        let asked = request.variables["code"] ?? ""
        let isLook = asked.hasSuffix("+")
        guard let (code, row) = try await find(isLook ? String(asked.dropLast()) : asked, bus) else {
            return LinkPages.missing(asked)
        }
        if let end = try await end(of: row, code, request, bus) { return end }
        return try leads(code, row, isLook, request, bus)
    }

    /// The same of what the view has at hand. What depends on how many clicks there were is asked for.
    private func followAtOnce(_ request: RouteRequest, _ bus: any RouteBus) throws -> RouteReply? {
        let asked = request.variables["code"] ?? ""
        let isLook = asked.hasSuffix("+")
        for code in LinkSpelling.of(isLook ? String(asked.dropLast()) : asked) {
            guard let answer = bus.known("links.resolve", ["code": .text(code)]) else { return nil }
            guard let row = answer.rows.first else { continue }
            if let end = end(of: row, request) { return end }
            if let limit = row[Link.clickLimit], limit > 0 { return nil }
            return try leads(code, row, isLook, request, bus)
        }
        return LinkPages.missing(asked)
    }

    /// Where a link leads that has not ended.
    private func leads(
        _ code: String, _ row: Row, _ isLook: Bool, _ request: RouteRequest, _ bus: any RouteBus
    ) throws -> RouteReply {
        if row[Link.passwordHash] != nil { return LinkPages.password(code, isWrong: false) }
        let url = row[Link.url] ?? ""
        if isLook { return LinkPages.preview(url, row[Link.title] ?? "") }
        try count(code, request, bus)
        return .redirect(to: url)
    }

    private func enter(_ request: RouteRequest, _ bus: any RouteBus) async throws -> RouteReply {
        let asked = request.variables["code"] ?? ""
        guard let (code, row) = try await find(asked, bus) else { return LinkPages.missing(asked) }
        if let end = try await end(of: row, code, request, bus) { return end }
        let url = row[Link.url] ?? ""
        if let hash = row[Link.passwordHash] {
            if let wait = guesses.take(code, request.address, at: request.now) {
                throw RouteProblem(
                    .tooManyRequests, "too many passwords were tried; come again later", retryAfter: wait)
            }
            do {
                if try await !SlowHash.matches(request.body["password"] ?? "", hash) {
                    return LinkPages.password(code, isWrong: true)
                }
            } catch is ScryptThreads.Busy {
                // It was not looked at.
                guesses.giveBack(code, request.address)
                throw RouteProblem(.unavailable, "too many passwords are looked at; come again")
            }
        }
        try count(code, request, bus)
        return .redirect(to: url, status: 303)
    }

    private func find(_ asked: String, _ bus: any RouteBus) async throws -> (String, Row)? {
        for code in LinkSpelling.of(asked) {
            if let row = try await bus.query("links.resolve", ["code": .text(code)]).rows.first { return (code, row) }
        }
        return nil
    }

    /// What is answered where a link leads nowhere now.
    private func end(
        of row: Row, _ code: String, _ request: RouteRequest, _ bus: any RouteBus
    ) async throws -> RouteReply? {
        if let end = end(of: row, request) { return end }
        guard let limit = row[Link.clickLimit], limit > 0 else { return nil }
        let total = try await bus.query("links.total", ["code": .text(code)]).rows.first?[1].integer ?? 0
        return total >= limit ? LinkPages.gone() : nil
    }

    /// The same, whatever its limit of clicks.
    private func end(of row: Row, _ request: RouteRequest) -> RouteReply? {
        if row[Link.stage] != LinkGroup.Stage.active.rawValue { return LinkPages.gone() }
        if let until = row[Link.until], until <= request.now { return LinkPages.gone() }
        if let from = row[Link.from], from > request.now { return LinkPages.early() }
        return policy.refusal(of: row[Link.url] ?? "", asked: request.host).map(LinkPages.barred)
    }

    /// Counts a click beside the answer. What only shows a link to somebody else has not followed it.
    private func count(_ code: String, _ request: RouteRequest, _ bus: any RouteBus) throws {
        let agent = agents.value(request[.userAgent] ?? "") { UserAgent($0) }
        if request.isHead || agent.isPreview || isAhead(request[.purpose]) || isAhead(request[.secPurpose]) { return }
        let referrer = request[.referer].map { referrers.value($0, Self.host(ofReferrer:)) } ?? ""
        let click = LinksLinkClicked.with {
            $0.code = code
            $0.visitor = policy.visitors.visitor(request.address, request[.userAgent], at: request.now)
            ($0.referrer, $0.country) = (referrer, policy.countries.country(of: request.address))
            $0.device = agent.device
        }
        try bus.produce(click, at: request.now)
    }

    /// Whether a browser asks before its user does.
    private func isAhead(_ purpose: String?) -> Bool {
        guard let purpose else { return false }
        return ["prefetch", "preview", "prerender"].contains { purpose.contains($0) }
    }

    /// The host that somebody came from; empty where that is not told as it should be.
    private static func host(ofReferrer text: String) -> String {
        let host = (try? WebURL(text).host) ?? ""
        return host.utf8.count > LinksLimits.referrer ? "" : host
    }

    private func picture(_ request: RouteRequest, _ bus: any RouteBus) async throws -> RouteReply {
        let asked = request.variables["code"] ?? ""
        guard let (code, _) = try await find(asked, bus) else { return LinkPages.missing(asked) }
        guard let picture = QRCode("\(base(request))/\(code)") else {
            throw RouteProblem(.badRequest, "the address of this place is too long for a picture")
        }
        return RouteReply(200, "image/svg+xml; charset=utf-8", picture.svg)
    }

    /// What short links begin with, up to the slash before the code.
    func base(_ request: RouteRequest) -> String {
        policy.base ?? "\(request.isSecure ? "https" : "http")://\(request.host ?? "localhost")/l"
    }
}
