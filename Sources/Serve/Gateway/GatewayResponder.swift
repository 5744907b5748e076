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

    init(source: ApplicationRequestContextSource) { self.init(source.channel) }

    init(_ channel: any Channel) {
        self.channel = channel
        address = channel.remoteAddress?.ipAddress ?? "unknown"
    }
}

/// Lets requests in or refuses them, has them answered, and sees that each is answered well: with what protects browsers, logged
/// and counted.
struct GatewayResponder: HTTPResponder {
    let around: GatewayEnvironment

    func respond(to request: Request, context: GatewayContext) async throws -> Response {
        var seen = Seen(request.head, context)
        let body = RequestedBody(request)
        var reply: Reply
        do {
            switch try admit(request, context, body, &seen) {
            case .answered(let answer): reply = answer
            case .asks(let endpoint, let asked): reply = try await around.answer(endpoint, asked)
            }
        } catch {
            reply = refused(request, error)
        }
        finish(&reply, request, body)
        seen.status = reply.status
        return response(reply, isHead: request.method == .head, seen)
    }

    /// Answers a request for a view on the caller's thread.
    ///
    /// - Returns: nil where it goes the long way, as if it came only then.
    func viewNow(_ head: HTTPRequest, _ context: GatewayContext) -> (reply: Reply, seen: Seen)? {
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        var seen = Seen(request.head, context)
        let body = RequestedBody(request)
        var reply: Reply
        do {
            guard case .asks(.view(let name), let asked) = try admit(request, context, body, &seen),
                let answer = try around.queryNow(name, asked)
            else {
                around.rates.giveBack(context.address)
                if let subject = seen.subject { around.tokenRates.giveBack(subject) }
                return nil
            }
            reply = answer
        } catch {
            reply = refused(request, error)
        }
        finish(&reply, request, body)
        seen.status = reply.status
        return (reply, seen)
    }

    private func refused(_ request: Request, _ error: any Error) -> Reply {
        around.reply(problem(error, at: request.head.path ?? ""), to: request)
    }

    /// What an error means to whoever asked. Of one that is the gateway's own the log is told more.
    func problem(_ error: any Error, at target: String) -> Problem {
        let problem = around.problem(error)
        if problem.status == .internalError {
            around.logger.warning(
                "request failed", metadata: ["path": "\(Seen.path(target))", "error": "\(error)"])
        }
        return problem
    }

    private enum Admitted {
        case answered(Reply)
        case asks(Endpoint, GatewayRequest)
    }

    /// - Parameter seen: What is known of the request is put there.
    /// - Throws: ``Problem`` where it is not let in.
    private func admit(
        _ request: Request, _ context: GatewayContext, _ body: RequestedBody, _ seen: inout Seen
    ) throws -> Admitted {
        try around.rates.check(context.address)
        try checkHost(request.head.authority)
        let target = try RequestTarget(request.head.path ?? "")
        let origin = try allowedOrigin(request)
        if request.method == .options {
            let methods = Endpoint.methods(at: target.path, around.routes)
            if methods.isEmpty { _ = try Endpoint.find("OPTIONS", target.path, around.routes) }
            return .answered(preflight(methods, isAllowed: origin != nil))
        }
        let endpoint = try Endpoint.find(request.method.rawValue, target.path, around.routes)
        seen.name = endpoint.template
        if case .page(let page) = endpoint, page.isOpen { return .answered(try around.file(page, request.headers)) }
        let (access, token) = try access(to: endpoint, request)
        seen.subject = access.subject
        if let subject = access.subject { try around.tokenRates.check(subject) }
        let trace = request.headers[.traceparent].flatMap { TraceContext($0) }
        let span = RequestSpan(request.method.rawValue, endpoint, of: trace)
        seen.span = span
        let checkAgain: @Sendable () throws(Problem) -> Void = {
            [authority = around.settings.authority, closed = around.closedSessions] () throws(Problem) in
            if let token { try closed.check(authority.access(token: token)) }
        }
        return .asks(
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
            // Whoever is on the way can make a page of http, and none of https. A proxy in front may speak it in this one's stead.
            let schemes = around.settings.isSecure ? ["https"] : ["http", "https"]
            return request.head.authority.map { host in schemes.contains { origin == "\($0)://\(host)" } } ?? false
        }
        return request.headers[.secFetchSite] == "same-origin"
    }

    private func preflight(_ methods: [String], isAllowed: Bool) -> Reply {
        var reply = Reply(204)
        reply.fields[.allow] = methods.joined(separator: ", ")
        if isAllowed {
            reply.fields[.accessControlAllowMethods] = methods.joined(separator: ", ")
            reply.fields[.accessControlAllowHeaders] =
                "Authorization, Content-Type, Content-Encoding, Idempotency-Key, Last-Event-ID, If-None-Match, "
                + "traceparent, tracestate"
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
        var name = "none"
        var status = 0
        var address: String
        var subject: String?
        var start = ContinuousClock.now
        var span: RequestSpan?

        init(_ head: HTTPRequest, _ context: GatewayContext) {
            (method, target, address) = (head.method.rawValue, head.path ?? "", context.address)
        }
        init(_ head: PlainHead, _ context: GatewayContext) {
            (method, target, address) = (head.method, head.target, context.address)
        }

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
        // It would be that of an answer that is not sent (RFC 9110, section 8.6).
        if reply.status == 304 { response.headers[.contentLength] = nil }
        if isHead {
            response = response.createHeadResponse()
            if case .stream = reply.content {
                response.headers[.contentLength] = nil
                // Without a length it is written as if it came in chunks, whose end would begin the next answer.
                response.headers[.connection] = "close"
            }
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
