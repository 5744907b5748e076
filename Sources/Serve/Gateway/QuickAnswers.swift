internal import HTTPTypes
internal import NIOCore

/// What a view says of a key, answered on the thread that reads the connection, for requests that are not as plain as those of
/// ``PlainAnswers``: with a token, from a page, with other parameters.
///
/// A request is let in by the same code as any other; where it wants more than an answer, it goes the long way.
struct QuickAnswers: Sendable {
    private let responder: GatewayResponder
    private let date: DateField

    init(_ around: GatewayEnvironment, _ date: DateField) {
        (responder, self.date) = (GatewayResponder(around: around), date)
    }

    /// Fields that say that a request wants more than an answer.
    private static let unusual: [HTTPField.Name] = [
        .traceparent, .contentLength, .transferEncoding, .expect, .upgrade,
    ]
    /// - Parameter peer: Who is at the other end.
    /// - Returns: nil where it goes the long way.
    func answer(_ head: HTTPRequest, _ peer: GatewayContext) -> (head: HTTPResponse, body: ByteBuffer?)? {
        guard head.method == .get || head.method == .head, let path = head.path, path.hasPrefix(PlainView.folder),
            isUsual(head.headerFields), let (reply, seen) = responder.viewNow(head, peer)
        else { return nil }
        return written(reply, seen)
    }

    private func written(
        _ reply: Reply, _ seen: GatewayResponder.Seen
    ) -> (head: HTTPResponse, body: ByteBuffer?) {
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

    private func isUsual(_ fields: HTTPFields) -> Bool {
        for field in fields {
            if Self.unusual.contains(field.name) { return false }
            if field.name == .connection, field.value.lowercased() != "keep-alive" { return false }
        }
        return true
    }
}
