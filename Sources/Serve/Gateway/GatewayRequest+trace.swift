internal import EventModel
internal import HTTPTypes

extension GatewayRequest {
    /// The trace that the client says its request belongs to; what is malformed is taken for none.
    var trace: TraceContext? { fields[.traceparent].flatMap { TraceContext($0) } }
}

extension HTTPField.Name {
    fileprivate static let traceparent = HTTPField.Name(HeaderName.trace)!
}
