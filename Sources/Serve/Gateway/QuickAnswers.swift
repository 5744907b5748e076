internal import EventModel
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import MillraceBus
internal import NIOCore
internal import Synchronization

/// Answers that need not wait, given on the thread that reads the connection: a short link that is followed, and what a view says of
/// a key.
///
/// A request is let in by the same rules as any other; where anything about it is out of the ordinary, it goes the long way.
struct QuickAnswers: Sendable {
    private let responder: GatewayResponder
    private let date = DateField()
    /// What protects browsers in an answer that has no text, made once.
    private let plain: HTTPFields
    private var around: GatewayEnvironment { responder.around }

    init(_ around: GatewayEnvironment) {
        responder = GatewayResponder(around: around)
        var reply = Reply(302)
        responder.protect(&reply)
        plain = reply.fields
    }

    private func reply(_ given: RouteReply) throws -> Reply {
        if given.type == nil, given.fields.count == 1, given.fields[0].name == "Location",
            HTTPField.isValidValue(given.fields[0].value)
        {
            var reply = Reply(given.status)
            reply.fields = plain
            reply.fields.append(HTTPField(name: .location, value: given.fields[0].value))
            return reply
        }
        var reply = try Reply(given)
        responder.protect(&reply)
        return reply
    }

    /// Fields that say that a request wants more than an answer.
    private static let unusual: [HTTPField.Name] = [
        .traceparent, .contentLength, .transferEncoding, .expect, .upgrade,
    ]
    /// Fields that matter where a path is a domain's own.
    private static let personal: [HTTPField.Name] = [.origin, .authorization]

    /// - Parameter peer: Who is at the other end.
    /// - Returns: nil where it goes the long way.
    func answer(_ head: HTTPRequest, _ peer: GatewayContext) -> (head: HTTPResponse, body: ByteBuffer?)? {
        guard head.method == .get || head.method == .head, let path = head.path, Self.isUsual(head.headerFields, but: Self.unusual)
        else {
            return nil
        }
        if path.hasPrefix("/views/") {
            guard let (reply, seen) = responder.viewNow(head, peer) else { return nil }
            return written(reply, seen)
        }
        return route(head, path, peer)
    }

    private func route(
        _ head: HTTPRequest, _ path: String, _ peer: GatewayContext
    ) -> (head: HTTPResponse, body: ByteBuffer?)? {
        guard around.routes.hasQuick, !head.headerFields.contains(where: { Self.personal.contains($0.name) }),
            let target = try? RequestTarget(path), let found = around.routes.quick(target.path),
            let quick = found.route.quick, (try? responder.checkHost(head.authority)) != nil
        else { return nil }
        var seen = GatewayResponder.Seen(head, peer)
        guard around.rates.take(peer.address) == nil else { return nil }
        let asked = RouteRequest(
            method: .get, isHead: head.method == .head, variables: found.match.variables,
            parameters: target.parameters.map { NamedText($0.name, $0.value) }, subject: nil, address: peer.address,
            host: head.authority, isSecure: around.settings.isSecure, now: now(),
            field: { [fields = head.headerFields] in fields[HTTPField.Name($0)] },
            cookie: { [fields = head.headerFields] in fields.cookie($0) })
        let access = Access(subject: nil, grants: [])
        let bus = GatewayRouteBus(around: around, domain: found.domain, access: access, trace: nil)
        guard let given = try? quick(asked, bus), let reply = try? reply(given) else {
            around.rates.giveBack(peer.address)
            return nil
        }
        (seen.name, seen.status) = (found.match.template, reply.status)
        return written(reply, seen)
    }

    func written(_ reply: Reply, _ seen: GatewayResponder.Seen) -> QuickAnswer {
        responder.note(seen)
        var fields = reply.fields
        var body: ByteBuffer?
        if case .text(let text) = reply.content { body = ByteBuffer(string: text) }
        if reply.status != 304 { fields[.contentLength] = String(body?.readableBytes ?? 0) }
        fields[.date] = date.text
        return (
            HTTPResponse(status: .init(code: reply.status), headerFields: fields),
            seen.method == "HEAD" ? nil : body
        )
    }

    /// Whether a request has none of some fields, and its connection goes on.
    static func isUsual(_ fields: HTTPFields, but unusual: [HTTPField.Name]) -> Bool {
        for field in fields {
            if unusual.contains(field.name) { return false }
            if field.name == .connection, field.value.lowercased() != "keep-alive" { return false }
        }
        return true
    }
}

/// The field `Date` (RFC 9110, section 6.6.1), written once a second.
private final class DateField: Sendable {
    private let last = Mutex<(second: Int, text: String)>((0, ""))

    var text: String {
        var second = time(nil)
        return last.withLock { last in
            if last.second == second { return last.text }
            var (parts, bytes) = (tm(), [CChar](repeating: 0, count: 64))
            gmtime_r(&second, &parts)
            let count = strftime(&bytes, bytes.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            last = (second, String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self))
            return last.text
        }
    }
}
