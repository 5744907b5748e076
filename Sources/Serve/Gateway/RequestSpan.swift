internal import EventModel
internal import HTTPTypes
internal import RecordTracing
internal import Tracing

/// The span of a request: of each that says that it belongs to a trace, and of each that writes to the log.
struct RequestSpan: Sendable {
    private let span: any Span
    /// What follows from the request carries this.
    let child: TraceContext?

    /// Nil where this process has no tracer, or the request belongs to no trace and begins none.
    init?(_ method: String, _ endpoint: Endpoint, of parent: TraceContext?) {
        guard parent != nil || endpoint.beginsTrace, let tracer = RecordSpans.tracer else { return nil }
        span = tracer.startSpan(
            "\(method) \(endpoint.template)", context: parent?.context(of: tracer) ?? .topLevel, ofKind: .server)
        span.updateAttributes { attributes in
            attributes["http.request.method"] = method
            attributes["http.route"] = endpoint.template
        }
        child = TraceContext(of: span, tracer)
    }

    func end(_ status: Int) {
        span.updateAttributes { $0["http.response.status_code"] = Int64(status) }
        if status >= 500 { span.setStatus(SpanStatus(code: .error)) }
        span.end()
    }
}

extension Endpoint {
    fileprivate var beginsTrace: Bool {
        switch self {
        case .command, .commands: true
        default: false
        }
    }
}

extension HTTPField.Name {
    static let traceparent = HTTPField.Name(HeaderName.trace)!
}
