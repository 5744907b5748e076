internal import EventModel
internal import HTTPTypes
internal import JSONText
internal import MillraceBus

/// Browsers keep a token in a cookie, for pages cannot read it there, and an event stream of theirs can set no field.
extension GatewayEnvironment {
    /// `GET /session`: who asks, and what he may do.
    func session(_ request: GatewayRequest) throws -> Reply {
        try request.parameters.end("/session")
        let scopes = request.access.grants.map(\.text).sorted()
        return .json(
            JSON.object([
                ("tokens", String(settings.authority.asksForTokens)),
                ("subject", request.access.subject.map(JSON.string) ?? "null"),
                ("scopes", JSON.array(scopes.map(JSON.string))),
                ("expires", request.access.expires.map { JSON.string($0.rfc3339) } ?? "null"),
            ]))
    }

    /// `POST /session` with `{"token":"..."}`: has the browser send the token from now on, until it expires.
    func logIn(_ request: GatewayRequest) async throws -> Reply {
        try request.parameters.end("/session")
        let json = JSONValue(Array(try await request.body.json().utf8)[...])
        guard case .object(let members)? = json, members.count == 1, case .text(let token)? = json?["token"] else {
            throw Problem(.badRequest, "token: is missing; say {\"token\":\"...\"} and nothing else", field: "token")
        }
        if !settings.authority.asksForTokens {
            throw Problem(.conflict, "nobody is asked for a token here")
        }
        return Self.setting(try cookie(token))
    }

    /// `POST /ui/sign-in`: the same for a form.
    func signIn(_ request: GatewayRequest) async throws -> Reply {
        var fields = try await form(request)
        let token = (try fields.one("token") ?? "").filter { !$0.isWhitespace }
        let target = SignIn.page(try fields.one(SignIn.target) ?? "")
        try fields.end("the form")
        var reply = Reply.seeOther(target)
        if settings.authority.asksForTokens { reply.fields[.setCookie] = try cookie(token) }
        return reply
    }

    /// `POST /ui/sign-out`.
    func signOut(_ request: GatewayRequest) async throws -> Reply {
        try await form(request).end("the form")
        var reply = Reply.seeOther(PagePath.overview.link())
        reply.fields[.setCookie] = Credentials.setting("", for: 0, isSecure: settings.isSecure)
        return reply
    }

    private func cookie(_ token: String) throws -> String {
        let access = try settings.authority.access(token: token)
        let left = access.expires.map { max(1, $0.second - now().second) } ?? 0
        return Credentials.setting(token, for: left, isSecure: settings.isSecure)
    }

    /// `DELETE /session`: has the browser forget it.
    func logOut(_ request: GatewayRequest) throws -> Reply {
        try request.parameters.end("/session")
        return Self.setting(Credentials.setting("", for: 0, isSecure: settings.isSecure))
    }

    private static func setting(_ cookie: String) -> Reply {
        var reply = Reply(204)
        reply.fields[.setCookie] = cookie
        return reply
    }
}
