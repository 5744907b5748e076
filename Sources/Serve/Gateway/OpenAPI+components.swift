internal import EventModel
internal import MillraceBus

/// What operations refer to.
extension OpenAPI {
    var components: String {
        let messages = (catalogue.commands + catalogue.events).map { found in
            ("\(found.domain.name).\(found.kind.name)", MessageSchema.of(found))
        }
        let codes = Problem.Status.allCases.map { status -> (String, String) in
            let field = #"{"schema":{"type":"integer"},"description":"Seconds after which to come again."}"#
            let headers =
                switch status {
                case .tooManyRequests, .unavailable: [("headers", #"{"Retry-After":\#(field)}"#)]
                case .unauthorized, .forbidden: [("headers", #"{"WWW-Authenticate":\#(Self.challenge)}"#)]
                default: [(String, String)]()
                }
            let shape = status == .conflict ? reference("schemas", "Refused") : reference("schemas", "Problem")
            return (
                "Problem\(status.rawValue)",
                object(
                    [("description", JSON.string(status.title))] + headers + [
                        ("content", object([(Problem.mediaType, object([("schema", shape)]))]))
                    ])
            )
        }
        return object([
            ("schemas", object(Self.shapes + messages)), ("responses", object(codes)),
            ("parameters", object(parameters)), ("securitySchemes", Self.schemes),
        ])
    }

    private static let challenge =
        #"{"schema":{"type":"string"},"description":"What is wrong with the token, as RFC 6750 says it."}"#

    private static let schemes = JSON.object([
        (
            "token",
            JSON.object([
                ("type", JSON.string("http")), ("scheme", JSON.string("bearer")), ("bearerFormat", JSON.string("JWT")),
                (
                    "description",
                    JSON.string(
                        "A token with the scope that is named, or the same with * for the domain. It is asked for where the "
                            + "gateway has keys.")
                ),
            ])
        ),
        (
            "cookie",
            JSON.object([
                ("type", JSON.string("apiKey")), ("in", JSON.string("cookie")),
                ("name", JSON.string(Credentials.cookie)),
                ("description", JSON.string("The same token, kept by a browser after POST /session.")),
            ])
        ),
    ])

    private var parameters: [(String, String)] {
        [
            (
                "IdempotencyKey",
                header(
                    "Idempotency-Key", "The command's id: the same again gives the same outcome and does nothing.",
                    #"{"type":"string","minLength":1,"maxLength":\#(Limits.commandID),"pattern":"^[!-9;-~]+$"}"#)
            ),
            (
                "Wait",
                parameter(
                    "wait", "How long to wait.",
                    #"{"type":"string","pattern":"\#(Self.duration)","examples":["10s","500ms"]}"#)
            ),
            ("OnError", parameter("on-error", "At a bad line.", #"{"type":"string","enum":["stop","skip"]}"#)),
            (
                "After",
                parameter(
                    "after", "Wait until the view has seen TOPIC/PARTITION@OFFSET.",
                    #"{"type":"array","items":{"type":"string","pattern":"\#(Self.place)"}}"#)
            ),
            (
                "AsOf",
                parameter(
                    "as-of", "The view as it was at @TIME or at TOPIC/PARTITION@OFFSET.",
                    #"{"type":"string","pattern":"^@.+|\#(Self.place)"}"#)
            ),
            (
                "Limit",
                parameter(
                    "limit", "Rows of a page.", #"{"type":"integer","minimum":1,"maximum":\#(Limits.pageRows)}"#)
            ),
            ("Cursor", parameter("cursor", "Where the page begins: next of the page before.", #"{"type":"string"}"#)),
            ("IfNoneMatch", header("If-None-Match", "The ETag of an answer that is there already.")),
        ]
    }

    static let duration = "^[0-9]+(ms|s|m|h|d)?$"
    static let place = "^[^/]+/[0-9]+@[0-9]+$"

    private static let shapes: [(String, String)] = [
        (
            "Outcome",
            #"""
            {"type":"object","required":["id","outcome","reason","message","events"],"properties":{"id":{"type":"string"},"outcome":{"type":"string","enum":["accepted","refused"]},"reason":{"type":["string","null"]},"message":{"type":["string","null"]},"events":{"type":"array","items":{"$ref":"#/components/schemas/Written"}}}}
            """#
        ),
        (
            "Written",
            #"""
            {"type":"object","required":["topic","partition","offset","type"],"properties":{"topic":{"type":"string"},"partition":{"type":"integer"},"offset":{"type":"integer","format":"int64"},"type":{"type":"string"}}}
            """#
        ),
        (
            "Problem",
            #"""
            {"type":"object","required":["type","title","status","detail"],"properties":{"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},"field":{"type":"string"},"line":{"type":"integer"},"id":{"type":"string"}}}
            """#
        ),
        (
            "Refused",
            #"""
            {"allOf":[{"$ref":"#/components/schemas/Problem"}],"properties":{"outcome":{"type":"string","const":"refused"},"reason":{"type":"string"},"message":{"type":"string"}}}
            """#
        ),
        (
            "Produced",
            #"""
            {"type":"object","required":["produced","refused","bad","last"],"properties":{"produced":{"type":"integer"},"refused":{"type":"integer"},"bad":{"type":"integer"},"last":{"type":"object","additionalProperties":{"type":"integer"}},"problems":{"type":"array","items":{"$ref":"#/components/schemas/Problem"}}}}
            """#
        ),
        (
            "Session",
            #"""
            {"type":"object","required":["tokens","subject","scopes","expires"],"properties":{"tokens":{"type":"boolean"},"subject":{"type":["string","null"]},"scopes":{"type":"array","items":{"type":"string"}},"expires":{"type":["string","null"],"format":"date-time"}}}
            """#
        ),
        (
            "Page",
            #"""
            {"type":"object","required":["rows","next","asOf"],"properties":{"rows":{"type":"array","items":{"type":"object"}},"next":{"type":["string","null"]},"asOf":{"type":"object","additionalProperties":{"type":"integer"}}}}
            """#
        ),
        (
            "Record",
            #"""
            {"type":"object","required":["topic","partition","offset","timestamp","key","type","event"],"properties":{"topic":{"type":"string"},"partition":{"type":"integer"},"offset":{"type":"integer","format":"int64"},"timestamp":{"type":"string","format":"date-time"},"key":{"type":"string"},"type":{"type":"string"},"event":{}}}
            """#
        ),
    ]
}
