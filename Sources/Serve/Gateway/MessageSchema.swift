internal import EventModel
internal import MillraceBus

/// A message's fields as JSON Schema (json-schema.org, 2020-12), in the way of proto3's JSON.
enum MessageSchema {
    static func of(_ found: Catalogue.Found) -> String {
        let actor = found.domain.actor(of: found.kind)
        var (fields, required) = (found.kind.fields, found.example?.required ?? [])
        if let actor, let i = fields.firstIndex(where: { $0.name == actor.name }) {
            // Whoever has a token may leave it out.
            required.remove(actor.name)
            fields[i].about = [
                fields[i].about, "Who acts: with a token it may be left out, and is the token's subject.",
            ]
            .filter { !$0.isEmpty }.joined(separator: " ")
        }
        return object(fields, required: required, about: found.kind.about)
    }

    private static func object(_ fields: [Schema.Field], required: Set<String>, about: String) -> String {
        JSON.object(members(fields, required: required) + described(about))
    }

    private static func members(_ fields: [Schema.Field], required: Set<String>) -> [(String, String)] {
        let needed = fields.map(\.name).filter(required.contains)
        return [
            ("type", JSON.string("object")),
            ("properties", JSON.object(fields.map { ($0.name, of($0, isNeeded: required.contains($0.name))) })),
        ] + (needed.isEmpty ? [] : [("required", JSON.array(needed.map(JSON.string)))])
            + [("additionalProperties", "false")]
    }

    private static func of(_ field: Schema.Field, isNeeded: Bool) -> String {
        var shape = one(field, isNeeded: isNeeded)
        if field.repeated {
            shape =
                [("type", JSON.string("array")), ("items", JSON.object(one(field, isNeeded: false)))]
                + (isNeeded ? [("minItems", "1")] : [])
        }
        // In proto3's JSON null is the same as nothing.
        if !isNeeded {
            shape = shape.map { name, value in
                switch name {
                case "type": (name, JSON.array([value, JSON.string("null")]))
                case "enum": (name, value.dropLast() + ",null]")
                default: (name, value)
                }
            }
        }
        return JSON.object(shape + described(field.about))
    }

    private static func described(_ about: String) -> [(String, String)] {
        about.isEmpty ? [] : [("description", JSON.string(about))]
    }

    private static func one(_ field: Schema.Field, isNeeded: Bool) -> [(String, String)] {
        if !field.parts.isEmpty { return members(field.parts, required: []) }
        return switch field.type {
        // What is needed is not empty either.
        case "string": text() + (isNeeded ? [("minLength", "1")] : [])
        case "timestamp": text("format", "date-time")
        case "base64": text("contentEncoding", "base64")
        case "enum":
            [("type", JSON.string("string"))]
                + (field.values.isEmpty ? [] : [("enum", JSON.array(field.values.map(JSON.string)))])
        case "bool": [("type", JSON.string("boolean"))]
        case "int32", "int64": [("type", JSON.string("integer")), ("format", JSON.string(field.type))]
        case "uint32", "uint64": [("type", JSON.string("integer")), ("minimum", "0")]
        case "double", "float": [("type", JSON.string("number"))]
        default: [("type", JSON.string("object"))]
        }
    }

    private static func text(_ name: String? = nil, _ value: String = "") -> [(String, String)] {
        [("type", JSON.string("string"))] + (name.map { [($0, JSON.string(value))] } ?? [])
    }
}
