internal import EventModel
internal import MillraceBus

/// What operations are made of.
extension OpenAPI {
    func operation(
        _ id: String, _ tag: String, _ about: String, parameters: [String] = [], body: String? = nil,
        responses: [(String, String, String?)], errors: [Int], of types: MediaType..., unchanged: Bool = false,
        isOpen: Bool = false, isEmpty: Bool = false, needs grant: Access.Grant? = nil
    ) -> String {
        let types = types.isEmpty ? [.json] : types
        var answers = responses.map { status, about, schema in
            let content = types.map { type -> (String, String) in
                let shape = type == .json ? schema ?? anyObject : #"{"type":"string"}"#
                return (type.rawValue, object([("schema", shape)]))
            }
            return (status, object([("description", JSON.string(about)), ("content", object(content))]))
        }
        if unchanged { answers.append(("304", object([("description", JSON.string("It is as it was."))]))) }
        if isEmpty { answers.append(("204", object([("description", JSON.string("It is done."))]))) }
        let errors = isOpen ? errors : errors + [401]
        // A name of the host that is none, and what nobody thought of, can come of any.
        for code in (errors + [421, 500]).sorted() {
            answers.append((String(code), reference("responses", "Problem\(code)")))
        }
        return object(
            [
                ("operationId", JSON.string(id)), ("tags", JSON.array([JSON.string(tag)])),
                ("summary", JSON.string(about)),
            ] + (parameters.isEmpty ? [] : [("parameters", JSON.array(parameters))])
                + (body.map { [("requestBody", $0)] } ?? []) + [
                    ("responses", object(answers)), ("security", isOpen ? "[]" : security(grant)),
                ])
    }

    /// A token, in either way, with the scope that is needed; or none, where the gateway asks for none.
    func security(_ grant: Access.Grant?) -> String {
        let scopes = JSON.array(grant.map { [JSON.string($0.text)] } ?? [])
        return JSON.array([object([("token", scopes)]), object([("cookie", scopes)]), "{}"])
    }

    func body(_ found: Catalogue.Found, _ type: MediaType) -> String {
        let shape = [("schema", reference("schemas", "\(found.domain.name).\(found.kind.name)"))]
        return object([
            ("required", "true"),
            (
                "content",
                object([(type.rawValue, object(shape + (found.example.map { [("example", $0.least)] } ?? [])))])
            ),
        ])
    }

    /// A body of lines, of which each is a message.
    func linesBody(_ found: Catalogue.Found?) -> String {
        let example = found?.example.map { [("example", JSON.string($0.least + "\n"))] } ?? []
        let about = found.map { "Each line is a \($0.domain.name).\($0.kind.name)." } ?? "Each line is a command."
        return object([
            ("required", "true"), ("description", JSON.string(about + " It may be packed with gzip.")),
            (
                "content",
                object([(MediaType.lines.rawValue, object([("schema", #"{"type":"string"}"#)] + example))])
            ),
        ])
    }

    func parameter(_ name: String, _ about: String, _ schema: String, required: Bool = false) -> String {
        object([
            ("name", JSON.string(name)), ("in", JSON.string("query")), ("required", String(required)),
            ("description", JSON.string(about)), ("schema", schema),
        ])
    }

    func header(_ name: String, _ about: String, _ schema: String = #"{"type":"string"}"#) -> String {
        object([
            ("name", JSON.string(name)), ("in", JSON.string("header")), ("required", "false"),
            ("description", JSON.string(about)), ("schema", schema),
        ])
    }

    func schema(of parameter: Parameter) -> String {
        if !parameter.allowed.isEmpty {
            return object([
                ("type", JSON.string("string")), ("enum", JSON.array(parameter.allowed.map(JSON.string))),
            ])
        }
        switch parameter.kind {
        case .text: return parameter.required ? #"{"type":"string","minLength":1}"# : #"{"type":"string"}"#
        case .integer: return #"{"type":"integer","format":"int64"}"#
        case .real: return #"{"type":"number"}"#
        case .timestamp: return #"{"type":"string","examples":["2026-11-01T20:00:00Z","-1h","now"]}"#
        case .duration: return #"{"type":"string","pattern":"\#(Self.duration)","examples":["60s","5m","1h"]}"#
        case .flag: return #"{"type":"boolean"}"#
        }
    }

    func reference(_ kind: String, _ name: String) -> String {
        object([("$ref", JSON.string("#/components/\(kind)/\(name)"))])
    }

    func object(_ members: [(String, String)]) -> String { JSON.object(members) }
    var anyObject: String { #"{"type":"object"}"# }
}
