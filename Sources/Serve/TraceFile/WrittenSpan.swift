internal import Tracing

/// A span as OpenTelemetry's JSON has it: `Span` of opentelemetry/proto/trace/v1/trace.proto, ids in hexadecimal, 64-bit
/// integers as text.
struct WrittenSpan: Encodable, Sendable {
    struct Attribute: Encodable, Sendable {
        enum Value: Encodable, Sendable, Equatable {
            case string(String), int(Int64), double(Double), bool(Bool)

            private enum Key: String, CodingKey { case stringValue, intValue, doubleValue, boolValue }
            func encode(to encoder: any Encoder) throws {
                var value = encoder.container(keyedBy: Key.self)
                switch self {
                case .string(let text): try value.encode(text, forKey: .stringValue)
                case .int(let number): try value.encode("\(number)", forKey: .intValue)
                case .double(let number): try value.encode(number, forKey: .doubleValue)
                case .bool(let bool): try value.encode(bool, forKey: .boolValue)
                }
            }
        }
        var key: String
        var value: Value
    }
    struct Status: Encodable, Sendable {
        /// 1 is ok, 2 an error.
        var code: Int
        var message: String?

        init(_ status: SpanStatus) {
            code = status.code == .error ? 2 : 1
            message = status.message
        }
    }

    var traceId: String
    var spanId: String
    var parentSpanId: String?
    var name: String
    var kind: Int
    var startTimeUnixNano: String
    var endTimeUnixNano: String
    var attributes: [Attribute]
    var status: Status?

    static func number(of kind: SpanKind) -> Int {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }

    /// In the order of their names. What is neither text, number nor bool is left out.
    static func members(_ attributes: SpanAttributes) -> [Attribute] {
        var members: [Attribute] = []
        attributes.forEach { key, attribute in
            switch attribute {
            case .string(let text): members.append(Attribute(key: key, value: .string(text)))
            case .int32(let number): members.append(Attribute(key: key, value: .int(Int64(number))))
            case .int64(let number): members.append(Attribute(key: key, value: .int(number)))
            case .double(let number): members.append(Attribute(key: key, value: .double(number)))
            case .bool(let bool): members.append(Attribute(key: key, value: .bool(bool)))
            case .stringConvertible(let value): members.append(Attribute(key: key, value: .string("\(value)")))
            default: break
            }
        }
        return members.sorted { $0.key < $1.key }
    }
}

/// A line of the file: `TracesData`.
struct WrittenLine: Encodable {
    struct Resource: Encodable { var attributes: [WrittenSpan.Attribute] }
    struct Scope: Encodable {
        var name: String
        var version: String
    }
    struct ScopeSpans: Encodable {
        var scope: Scope
        var spans: [WrittenSpan]
    }
    struct ResourceSpans: Encodable {
        var resource: Resource
        var scopeSpans: [ScopeSpans]
    }
    var resourceSpans: [ResourceSpans]

    init(_ spans: [WrittenSpan], of service: String, version: String) {
        resourceSpans = [
            ResourceSpans(
                resource: Resource(attributes: [WrittenSpan.Attribute(key: "service.name", value: .string(service))]),
                scopeSpans: [ScopeSpans(scope: Scope(name: "millrace", version: version), spans: spans)])
        ]
    }
}
