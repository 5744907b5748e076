internal import EventModel
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import MillraceBus
internal import NIOCore

/// Who is at the other end of a connection.
struct GatewayContext: InitializableFromSource {
    let address: String
    private let channel: any Channel
    /// Whether nobody is there any more.
    var isClosed: Bool { !channel.isActive }

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
        address = Self.address(of: source.channel)
    }

    static func address(of channel: any Channel) -> String { channel.remoteAddress?.ipAddress ?? "unknown" }
}

/// Lets requests in or refuses them, has them answered, and sees that each is answered well: with what protects browsers, logged
/// and counted.
struct GatewayResponder: HTTPResponder {
    let around: GatewayEnvironment

    func respond(to request: Request, context: GatewayContext) async throws -> Response {
        let start = ContinuousClock.now
        let body = RequestedBody(request)
        var name = "none"
        var subject: String?
        var span: RequestSpan?
        var reply: Reply
        do {
            reply = try await answer(request, context, body, &name, &subject, &span)
        } catch {
            let problem = around.problem(error)
            if problem.status == .internalError {
                around.logger.warning(
                    "request failed", metadata: ["path": "\(Seen.path(request.head.path ?? ""))", "error": "\(error)"])
            }
            reply = around.reply(problem, to: request)
        }
        finish(&reply, request, body)
        let seen = Seen(
            method: request.method.rawValue, target: request.head.path ?? "", name: name, status: reply.status,
            address: context.address, subject: subject, start: start, span: span)
        return response(reply, isHead: request.method == .head, seen)
    }

    private func answer(
        _ request: Request, _ context: GatewayContext, _ body: RequestedBody, _ name: inout String,
        _ subject: inout String?, _ span: inout RequestSpan?
    ) async throws -> Reply {
        try around.rates.check(context.address)
        try checkHost(request.head.authority)
        let target = try RequestTarget(request.head.path ?? "")
        let origin = try allowedOrigin(request)
        if request.method == .options {
            let methods = Endpoint.methods(at: target.path, around.routes)
            if methods.isEmpty { _ = try Endpoint.find("OPTIONS", target.path, around.routes) }
            return preflight(methods, isAllowed: origin != nil)
        }
        let endpoint = try Endpoint.find(request.method.rawValue, target.path, around.routes)
        name = endpoint.template
        if case .page(let page) = endpoint, page.isOpen { return try around.file(page, request.headers) }
        let (access, token) = try access(to: endpoint, request)
        subject = access.subject
        if let subject { try around.tokenRates.check(subject) }
        let trace = request.headers[.traceparent].flatMap { TraceContext($0) }
        span = RequestSpan(request.method.rawValue, endpoint, of: trace)
        let checkAgain: @Sendable () throws(Problem) -> Void = {
            [authority = around.settings.authority, closed = around.closedSessions] () throws(Problem) in
            if let token { try closed.check(authority.access(token: token)) }
        }
        return try await around.answer(
            endpoint,
            GatewayRequest(
                target: target, fields: request.headers, access: access, whose: access.subject ?? context.address,
                address: context.address, host: request.head.authority, isHead: request.method == .head, body: body,
                isOwnPage: isOwn(request), trace: span?.child ?? trace,
                isGone: { context.isClosed || (try? checkAgain()) == nil },
                checkAgain: checkAgain))
    }

    /// What whoever asks may do. Where a token is not asked for, one that is there anyway is not looked at.
    private func access(
        to endpoint: Endpoint, _ request: Request
    ) throws(Problem) -> (access: Access, token: String?) {
        let authority = around.settings.authority
        if !authority.asksForTokens { return (try authority.access(token: nil), nil) }
        if endpoint.isOpen || around.signsIn(at: endpoint) {
            // Nor may another's page have a browser come in with a token of its choice.
            if [.logIn, .logOut].contains(endpoint), request.headers[.origin] != nil, !isOwn(request) {
                throw Problem(.forbidden, "only pages of this address may log in or out", field: "Origin")
            }
            return (Access(subject: nil, grants: []), nil)
        }
        let credentials = try Credentials(request.headers)
        let access = try authority.access(token: credentials.token)
        try around.closedSessions.check(access)
        // A browser sends its cookie whoever has it ask. So where anything may change, it must be a page of this place's own.
        if credentials.isCookie, ![.get, .head].contains(request.method), !isOwn(request) {
            throw Problem(
                .forbidden,
                """
                with a cookie only pages of this address may change anything, and neither Origin nor Sec-Fetch-Site says that one \
                asks; programs send Authorization
                """, field: "Origin")
        }
        return (access, credentials.token)
    }

    /// A page of anybody's can have its own name lead to this machine. So on an address that only this machine reaches, no other
    /// name is answered.
    func checkHost(_ authority: String?) throws(Problem) {
        guard around.settings.address.isLoopback, let authority else { return }
        let isBracketed = authority.hasPrefix("[")
        let end = authority.utf8.firstIndex(of: UInt8(ascii: isBracketed ? "]" : ":")) ?? authority.endIndex
        let host = isBracketed ? authority[..<end] + "]" : authority[..<end]
        if !GatewayAddress.isLoopback(String(host)) {
            throw Problem(
                .misdirected, "this address answers to localhost and 127.0.0.1 alone, not to \(host)", field: "Host")
        }
    }

    /// The origin of the page that asks, where it may read the answer. A page that may not, may change nothing either.
    private func allowedOrigin(_ request: Request) throws(Problem) -> String? {
        guard let origin = request.headers[.origin] else { return nil }
        if around.settings.origins.contains(where: { $0 == "*" || $0 == origin }) { return origin }
        if isOwn(request) || [.get, .head, .options].contains(request.method) { return nil }
        throw Problem(
            .forbidden, "pages of \(origin) may not ask here; --cors-origin names those that may", field: "Origin")
    }

    /// Whether a page of this address asks. Where a page says nothing of where it is from, the browser says it for a form of its
    /// own (`Sec-Fetch-Site`, which pages cannot set).
    private func isOwn(_ request: Request) -> Bool {
        let origin = request.headers[.origin]
        if let origin, origin != "null" {
            return request.head.authority.map { ["http://\($0)", "https://\($0)"].contains(origin) } ?? false
        }
        return request.headers[.secFetchSite] == "same-origin"
    }

    private func preflight(_ methods: [String], isAllowed: Bool) -> Reply {
        var reply = Reply(204)
        reply.fields[.allow] = methods.joined(separator: ", ")
        if isAllowed {
            reply.fields[.accessControlAllowMethods] = methods.joined(separator: ", ")
            reply.fields[.accessControlAllowHeaders] =
                "Authorization, Content-Type, Content-Encoding, Idempotency-Key, Last-Event-ID, If-None-Match"
            reply.fields[.accessControlMaxAge] = "600"
        }
        return reply
    }

    func protect(_ reply: inout Reply) {
        reply.fields[.xContentTypeOptions] = "nosniff"
        if reply.fields[.referrerPolicy] == nil { reply.fields[.referrerPolicy] = "no-referrer" }
        reply.fields[.xFrameOptions] = "DENY"
        if reply.fields[.contentSecurityPolicy] == nil {
            reply.fields[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'; sandbox"
        }
        reply.fields[.crossOriginResourcePolicy] = "same-origin"
        if reply.fields[.cacheControl] == nil { reply.fields[.cacheControl] = "no-store" }
        if !around.settings.origins.isEmpty { reply.fields[.vary] = "Accept, Origin" }
    }

    private func finish(_ reply: inout Reply, _ request: Request, _ body: RequestedBody) {
        protect(&reply)
        if let origin = request.headers[.origin], (try? allowedOrigin(request)) ?? nil != nil {
            reply.fields[.accessControlAllowOrigin] = origin
            reply.fields[.accessControlExposeHeaders] =
                "ETag, Idempotency-Key, Millrace-Next, Millrace-As-Of, Retry-After"
            reply.fields[.crossOriginResourcePolicy] = "cross-origin"
        }
        if case .stream = reply.content {} else if body.isLeftBehind { reply.fields[.connection] = "close" }
    }

    /// A request as the log and the metrics have it: without its body and its query.
    struct Seen: Sendable {
        var method: String
        var target: String
        var name: String
        var status: Int
        var address: String
        var subject: String?
        var start: ContinuousClock.Instant
        var span: RequestSpan?

        private static let shownPath = 200
        static func path(_ target: String) -> String {
            String(target.prefix { $0 != "?" }.prefix(shownPath))
        }
    }

    private func response(_ reply: Reply, isHead: Bool, _ seen: Seen) -> Response {
        let body: ResponseBody
        switch reply.content {
        case .none: body = ResponseBody()
        case .text(let text): body = ResponseBody(byteBuffer: ByteBuffer(string: text))
        case .stream(let write):
            if isHead {
                body = ResponseBody()
                break
            }
            body = ResponseBody { writer in
                do {
                    try await write(StreamWriter(writer))
                } catch {
                    note(seen, failed: error)
                    throw error
                }
                note(seen)
                try await writer.finish(nil)
            }
            let status = HTTPResponse.Status(code: reply.status)
            return Response(status: status, headers: reply.fields, body: body)
        }
        note(seen)
        var response = Response(status: .init(code: reply.status), headers: reply.fields, body: body)
        if isHead {
            response = response.createHeadResponse()
            if case .stream = reply.content { response.headers[.contentLength] = nil }
        }
        return response
    }

    func note(_ seen: Seen, failed error: (any Error)? = nil) {
        let took = ContinuousClock.now - seen.start
        around.metrics.note(seen.name, seen.method, seen.status, took)
        seen.span?.end(seen.status)
        guard around.settings.logsAccess else { return }
        var metadata: Logger.Metadata = [
            "method": "\(seen.method)", "path": "\(Seen.path(seen.target))", "status": "\(seen.status)",
            "ms": "\(took.milliseconds)", "address": "\(seen.address)",
        ]
        if let subject = seen.subject { metadata["subject"] = "\(subject)" }
        if error != nil { metadata["ended"] = "by the reader" }
        around.logger.notice("request", metadata: metadata)
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
    static let xFrameOptions = HTTPField.Name("X-Frame-Options")!
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
}
