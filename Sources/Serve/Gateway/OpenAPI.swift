package import EventModel
internal import MillraceBus

extension GatewayEnvironment {
    /// `GET /openapi.json`.
    func openAPI(_ request: GatewayRequest) throws -> Reply {
        try request.parameters.end("/openapi.json")
        return .json(openAPIText.value { OpenAPI(domains).text })
    }

    /// `GET /asyncapi.json`.
    func asyncAPI(_ request: GatewayRequest) throws -> Reply {
        try request.parameters.end("/asyncapi.json")
        return .json(asyncAPIText.value { AsyncAPI(domains).text })
    }
}

/// The gateway of some domains as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1).
package struct OpenAPI {
    let domains: [Domain]
    let catalogue: Catalogue

    package init(_ domains: [Domain]) { (self.domains, catalogue) = (domains, Catalogue(domains: domains)) }

    package var text: String {
        object([
            ("openapi", JSON.string("3.1.0")),
            (
                "info",
                object([
                    ("title", JSON.string("Millrace")), ("version", JSON.string(Version.number)),
                    (
                        "description",
                        JSON.string(
                            """
                            Commands go in and are decided, telemetry is checked and appended, views are asked, topics are read \
                            again. All of it follows from the domains.
                            """)
                    ),
                    (
                        "license",
                        object([("name", JSON.string("Apache 2.0")), ("identifier", JSON.string("Apache-2.0"))])
                    ),
                ])
            ),
            ("servers", JSON.array([object([("url", JSON.string("/"))])])),
            (
                "tags",
                JSON.array(
                    (domains.map { ($0.name, $0.about) } + [
                        ("topics", "What is on the log."), ("operators", "How it does."),
                    ])
                    .map { object([("name", JSON.string($0.0)), ("description", JSON.string($0.1))]) })
            ),
            ("paths", object(commands + events + views + topics + operators + routes)),
            ("components", components),
        ])
    }

    // MARK: Paths

    private var commands: [(String, String)] {
        let one = catalogue.commands.map { found -> (String, String) in
            let name = catalogue.path(of: found, among: catalogue.commands)
            let post = operation(
                "send_\(name)", found.domain.name, found.kind.about,
                parameters: [reference("parameters", "IdempotencyKey"), reference("parameters", "Wait")],
                body: body(found, .json),
                responses: [("200", "The command is accepted.", reference("schemas", "Outcome"))],
                errors: [400, 403, 409, 413, 415, 429, 503, 507],
                needs: Access.grant(toSend: found.kind.name, to: found.domain))
            return ("/commands/\(name)", object([("post", post)]))
        }
        let lines = operation(
            "sendLines", "operators", "A command a line, with \"@command\", \"@id\" and \"@time\"; an outcome a line.",
            parameters: [
                parameter("command", "The command of lines that name none.", #"{"type":"string"}"#),
                reference("parameters", "Wait"), reference("parameters", "OnError"),
            ], body: linesBody(nil), responses: [("200", "Outcomes and problems, a line each, in order.", nil)],
            errors: [400, 403, 404, 415, 429], of: .lines, needs: Access.Grant(.send))
        return one + [("/commands", object([("post", lines)]))]
    }

    private var events: [(String, String)] {
        let one = catalogue.events.map { found -> (String, String) in
            let name = catalogue.path(of: found, among: catalogue.events)
            let post = operation(
                "produce_\(name)", found.domain.name, found.kind.about,
                parameters: [
                    reference("parameters", "Wait"), reference("parameters", "OnError"),
                    parameter("time-field", "The field of a line that is its time.", #"{"type":"string"}"#),
                ], body: linesBody(found),
                responses: [("200", "What came of the lines.", reference("schemas", "Produced"))],
                errors: [400, 403, 409, 415, 429, 503, 507], needs: Access.Grant(.produce, in: found.domain.name))
            return ("/events/\(name)", object([("post", post)]))
        }
        let all = operation(
            "events", "operators", "Every event and command with its fields.", responses: [("200", "They.", anyObject)],
            errors: [400, 429])
        return one + [("/events", object([("get", all)]))]
    }

    private var views: [(String, String)] {
        let one = domains.flatMap { domain in
            domain.queries.map { query -> (String, String) in
                let own = query.parameters.map { parameter($0.name, $0.about, schema(of: $0), required: $0.required) }
                let get = operation(
                    "query_\(query.name)", domain.name, query.about,
                    parameters: own
                        + ["After", "AsOf", "Limit", "Cursor", "Wait", "IfNoneMatch"].map {
                            reference("parameters", $0)
                        },
                    responses: [("200", "A page of the view.", reference("schemas", "Page"))],
                    errors: [400, 403, 406, 429, 503], of: .json, .lines, .csv, unchanged: true,
                    needs: Access.Grant(.query, in: domain.name))
                return ("/views/\(query.name)", object([("get", get)]))
            }
        }
        let all = operation(
            "views", "operators", "Every query with its parameters.", responses: [("200", "They.", anyObject)],
            errors: [400, 429])
        return one + [("/views", object([("get", all)]))]
    }

    private var topics: [(String, String)] {
        let names = JSON.array(domains.flatMap(\.topics).map { JSON.string($0.name) })
        let topic = object([
            ("name", JSON.string("topic")), ("in", JSON.string("path")), ("required", "true"),
            ("description", JSON.string("The topic; those of the domains are named here.")),
            ("schema", #"{"type":"string","examples":\#(names)}"#),
        ])
        let position =
            #"{"type":"string","pattern":"^(start|end|[+-]?[0-9]+|(first)?@.+)$","#
            + #""examples":["start","end","17","-10","@-1h","first@2026-11-01T00:00:00Z"]}"#
        let get = operation(
            "replay", "topics", "Reads a topic again, and goes on with what comes.",
            parameters: [
                topic, parameter("from", "Where to begin.", position), parameter("to", "Where to stop.", position),
                parameter("partition", "Only this partition.", #"{"type":"integer","minimum":0}"#),
                parameter("key", "Only records with this key.", #"{"type":"string"}"#),
                parameter("type", "Only this event.", #"{"type":"string"}"#),
                parameter("limit", "At most so many records.", #"{"type":"integer","minimum":0}"#),
                parameter("follow", "Go on as records come.", #"{"type":"boolean"}"#),
                header("Last-Event-ID", "Go on behind this event of an event stream."),
                parameter(
                    "last-event-id", "The same, of readers that cannot set fields; the field goes before it.",
                    #"{"type":"string","examples":["0@18,1@5"]}"#),
            ], responses: [("200", "Records, a line or an event each.", reference("schemas", "Record"))],
            errors: [400, 403, 404, 406, 429, 503], of: .lines, .events, .csv, needs: Access.Grant(.replay))
        let all = operation(
            "topics", "topics", "The topics that are on the log.", responses: [("200", "They.", anyObject)],
            errors: [400, 429, 503])
        return [("/topics/{topic}", object([("get", get)])), ("/topics", object([("get", all)]))]
    }

    private var operators: [(String, String)] {
        let key = parameter("key", "Only this key.", #"{"type":"string"}"#)
        let worker = object([
            ("name", JSON.string("worker")), ("in", JSON.string("path")), ("required", "true"),
            ("schema", #"{"type":"string"}"#),
        ])
        func get(
            _ id: String, _ about: String, _ errors: [Int], parameters: [String] = [], of type: MediaType = .json,
            isOpen: Bool = false
        ) -> String {
            let shape = type == .json ? anyObject : #"{"type":"string"}"#
            let own = operation(
                id, "operators", about, parameters: parameters, responses: [("200", about, shape)], errors: errors,
                of: type, isOpen: isOpen, needs: errors.contains(403) ? Access.Grant(.operate) : nil)
            return object([("get", own)])
        }
        func post(_ id: String, _ about: String, _ parameters: [String]) -> String {
            let own = operation(
                id, "operators", about, parameters: parameters + [reference("parameters", "Wait")],
                responses: [("200", about, anyObject)], errors: [400, 403, 404, 409, 429, 503],
                needs: Access.Grant(.operate))
            return object([("post", own)])
        }
        return [
            ("/", get("start", "What there is.", [400, 429])),
            ("/workers", get("workers", "How workers keep up.", [400, 403, 429, 503])),
            (
                "/quarantine",
                get("waiting", "Keys that are stopped, and why.", [400, 403, 429, 503], parameters: [key])
            ),
            (
                "/quarantine/{worker}",
                get("waitingOf", "Those of one worker.", [400, 403, 404, 429, 503], parameters: [worker, key])
            ),
            ("/quarantine/redrive", post("redrive", "Has all that waits handled again.", [key])),
            ("/quarantine/{worker}/redrive", post("redriveOf", "Has what waits handled again.", [worker, key])),
            (
                "/quarantine/{worker}/drop",
                post(
                    "drop", "Gives up the first record of a key that waits, or all.",
                    [
                        worker, parameter("key", "The key.", #"{"type":"string"}"#, required: true),
                        parameter("all", "All of the key.", #"{"type":"boolean"}"#),
                    ])
            ),
            ("/healthz", get("healthz", "The process is there.", [400, 429], isOpen: true)),
            ("/readyz", get("readyz", "It can do what it is asked.", [400, 429, 503], isOpen: true)),
            ("/metrics", get("metrics", "Metrics for Prometheus.", [400, 403, 429], of: .metrics)),
            ("/openapi.json", get("openapi", "This document.", [400, 429], isOpen: true)),
            ("/asyncapi.json", get("asyncapi", "The topics as AsyncAPI 3.0.", [400, 429], isOpen: true)),
            ("/session", session),
        ]
    }

    private var session: String {
        let token =
            #"{"type":"object","required":["token"],"properties":{"token":{"type":"string"}},"additionalProperties":false}"#
        let get = operation(
            "session", "operators", "Who asks, and what he may do.",
            responses: [("200", "It.", reference("schemas", "Session"))], errors: [400, 429])
        let logIn = operation(
            "logIn", "operators", "Has a browser keep a token in a cookie.",
            body: object([
                ("required", "true"), ("content", object([(MediaType.json.rawValue, object([("schema", token)]))])),
            ]), responses: [], errors: [400, 401, 403, 409, 413, 415, 429], isOpen: true, isEmpty: true)
        let logOut = operation(
            "logOut", "operators", "Has a browser forget it.", responses: [], errors: [400, 403, 429], isOpen: true,
            isEmpty: true)
        return object([("get", get), ("post", logIn), ("delete", logOut)])
    }
}

extension Catalogue {
    /// How a path names an event or a command: with its domain where others have one of the same name.
    func path(of found: Found, among all: [Found]) -> String {
        all.count { $0.kind.name.lowercased() == found.kind.name.lowercased() } > 1
            ? "\(found.domain.name).\(found.kind.name)" : found.kind.name
    }
}
