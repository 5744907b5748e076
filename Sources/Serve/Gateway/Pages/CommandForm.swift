internal import EventModel
internal import Foundation
internal import MillraceBus

/// A command's fields as a form: made of its schema, and read back into its JSON.
struct CommandForm {
    /// The field with the command's id: a form that is sent twice has the same outcome.
    static let id = "@id"

    let found: Catalogue.Found
    private let required: Set<String>
    private let examples: [String: String]

    init(_ found: Catalogue.Found) {
        self.found = found
        let example = found.example
        required = example?.required ?? []
        examples = (example?.members ?? []).reduce(into: [:]) { $0[$1.name] = $1.value }
    }

    // MARK: What is shown

    /// - Parameters:
    ///   - values: What was filled in, by the fields' names.
    ///   - problem: What was wrong with it.
    func html(id: String, values: [String: String], problem: Problem?) -> HTML {
        let link = PagePath.send("\(found.domain.name).\(found.kind.name)").link()
        return HTML.tag("form", .class("fields"), .set("method", "post"), .action(link)) {
            HTML.tag("input", .type("hidden"), .name(Self.id), .value(id))
            for field in found.kind.fields { html(field, field.name, values, problem) }
            if found.kind.fields.isEmpty { HTML.tag("p") { "It has no fields." } }
            HTML.tag("button") { "Send \(found.kind.name)" }
        }
    }

    private func html(_ field: Schema.Field, _ name: String, _ values: [String: String], _ problem: Problem?) -> HTML {
        if !field.parts.isEmpty, !field.repeated {
            return HTML.tag("fieldset") {
                HTML.tag("legend") { name }
                if !field.about.isEmpty { HTML.tag("p", .class("about")) { field.about } }
                for part in field.parts { html(part, "\(name).\(part.name)", values, problem) }
            }
        }
        let value = values[name] ?? ""
        let isAtFault =
            problem?.field.map { $0 == name || name.hasSuffix(".\($0)") || $0.hasPrefix(name + "[") } ?? false
        return PageParts.field(
            "field-\(name)", name, about: about(field), isRequired: required.contains(name),
            error: isAtFault ? problem?.detail : nil
        ) { attributes in
            let all = attributes + [.set("placeholder", placeholder(field, name)), .set("dir", "auto")]
            if Entry(field) == .json || Entry(field) == .lines {
                return HTML.tag("textarea", all + [.name(name), .set("rows", "4"), .set("spellcheck", "false")]) {
                    value
                }
            }
            if !field.values.isEmpty { return PageParts.select(attributes, name: name, field.values, chosen: value) }
            if field.type == "bool" {
                return PageParts.select(attributes, name: name, ["true", "false"], chosen: value)
            }
            return PageParts.input(all, name: name, value)
        }
    }

    private func about(_ field: Schema.Field) -> String {
        let how: String? =
            switch Entry(field) {
            case .json: "As JSON."
            case .lines: "One a line."
            case .plain: field.type == "timestamp" ? "A moment such as 2030-12-31T19:30:00Z." : nil
            }
        return [field.about, how].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
    }

    private func placeholder(_ field: Schema.Field, _ name: String) -> String {
        Entry(field) == .json && !field.about.contains("{") ? examples[name] ?? "" : ""
    }

    /// How a field is written in a form.
    private enum Entry {
        case plain
        /// A list of plain values, one a line.
        case lines
        /// What has fields of its own, more than once or of a kind that is not known here.
        case json

        init(_ field: Schema.Field) {
            let isMessage = !field.parts.isEmpty || field.type.hasPrefix("{") || field.type == "group"
            self = isMessage ? .json : field.repeated ? .lines : .plain
        }
    }

    // MARK: What is sent

    /// The command's JSON, of what was filled in. Of what was left empty nothing is said.
    ///
    /// - Throws: ``Problem`` where what should be JSON is none, or something is filled in that the command has no field for.
    func json(_ values: [String: String]) throws(Problem) -> String {
        let names = Self.names(found.kind.fields, "")
        if let name = values.keys.sorted().first(where: { name in !names.contains { Spelling.same($0, name) } }) {
            throw Problem(
                .badRequest, "\(name) \(Nearest.notA("field", of: found.kind.name, name, among: names))", field: name)
        }
        return try object(found.kind.fields, "", values) ?? "{}"
    }

    /// Of what the form shows, those within others too.
    private static func names(_ fields: [Schema.Field], _ prefix: String) -> [String] {
        fields.flatMap { field in
            field.parts.isEmpty || field.repeated
                ? [prefix + field.name] : names(field.parts, "\(prefix)\(field.name).")
        }
    }

    private func object(
        _ fields: [Schema.Field], _ prefix: String, _ values: [String: String]
    ) throws(Problem) -> String? {
        var members: [(String, String)] = []
        for field in fields {
            if let value = try value(field, prefix + field.name, values) { members.append((field.name, value)) }
        }
        return members.isEmpty ? nil : JSON.object(members)
    }

    private func value(
        _ field: Schema.Field, _ name: String, _ values: [String: String]
    ) throws(Problem) -> String? {
        if !field.parts.isEmpty, !field.repeated { return try object(field.parts, name + ".", values) }
        guard let text = values[name], !text.isEmpty else { return nil }
        switch Entry(field) {
        case .json:
            let isJSON = (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
            if !isJSON { throw Problem(.badRequest, "\(name) is no JSON", field: name) }
            return text
        case .lines:
            var all: [String] = []
            for line in text.split(whereSeparator: \.isNewline) {
                let line = line.trimming(\.isWhitespace)
                if !line.isEmpty { all.append(try scalar(field, name, String(line))) }
            }
            return JSON.array(all)
        case .plain: return try scalar(field, name, text)
        }
    }

    private static let numbers: Set<String> = ["int32", "int64", "uint32", "uint64", "double", "float"]

    /// Numbers too may be texts in the JSON of proto3 (protobuf.dev/programming-guides/json).
    private func scalar(_ field: Schema.Field, _ name: String, _ text: String) throws(Problem) -> String {
        if Self.numbers.contains(field.type), Double(text) == nil {
            throw Problem(.badRequest, "\(name): \(text) is no number", field: name)
        }
        return field.type == "bool" && ["true", "false"].contains(text) ? text : JSON.string(text)
    }
}
