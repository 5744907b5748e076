internal import EventModel

/// A message that its domain takes as it is, and which of its fields are required: those without which it does not.
///
/// It is found by filling in each field and asking the domain's own check, so what it says cannot differ from what happens.
package struct Example {
    private let found: Catalogue.Found
    /// Fields with values as JSON, in the order of the schema.
    package private(set) var members: [(name: String, value: String)]

    package init(_ found: Catalogue.Found, members: [(name: String, value: String)]) {
        (self.found, self.members) = (found, members)
    }

    /// What is put into fields of text. The first is fine for most; a currency must be one.
    private static let texts = ["a", "EUR"]

    /// - Returns: nil where nothing is found that the domain takes.
    package init?(of found: Catalogue.Found) {
        let choices = found.kind.fields.map(\.values.count).max() ?? 0
        for text in Self.texts {
            for choice in 0..<max(1, choices) {
                let all = found.kind.fields.map { (name: $0.name, value: Self.value($0, text, choice)) }
                if let example = Example(found, members: all).withoutWhatIsRefused {
                    self = example
                    return
                }
            }
        }
        return nil
    }

    package var json: String { JSON.object(members.map { ($0.name, $0.value) }) }

    /// The fields without which the domain refuses it.
    package var required: Set<String> { Set(members.map(\.name).filter { without($0).refusal != nil }) }

    /// The message with nothing but what is required, or all of it where that is not enough.
    package var least: String {
        let required = required
        let short = Example(found, members: members.filter { required.contains($0.name) })
        return short.refusal == nil ? short.json : json
    }

    /// Adds what another requires and this one lacks.
    package mutating func fillIn(from other: Example?) {
        guard let other else { return }
        let required = other.required
        for member in other.members where required.contains(member.name) {
            if !members.contains(where: { $0.name == member.name }) { members.append(member) }
        }
    }

    private func without(_ field: String) -> Example {
        Example(found, members: members.filter { $0.name != field })
    }

    /// Leaves out, one after another, the fields that are said to be wrong.
    private var withoutWhatIsRefused: Example? {
        var example = self
        while let refusal = example.refusal {
            let wrong = found.kind.fields.first { $0.has(refusal.field) }
            guard let wrong, example.members.contains(where: { $0.name == wrong.name }) else { return nil }
            example = example.without(wrong.name)
        }
        return example
    }

    /// Why the domain does not take it.
    private var refusal: Malformed? {
        do {
            _ = try found.key(found.schema.encode(found.kind, json: Bytes(json)))
            return nil
        } catch let error as Malformed {
            return error
        } catch {
            return Malformed(found.kind.name, String(describing: error))
        }
    }

    private static func value(_ field: Schema.Field, _ text: String, _ choice: Int) -> String {
        let one =
            switch field.type {
            case "string": JSON.string(text)
            case "timestamp": JSON.string("2030-01-01T00:00:00Z")
            case "base64": JSON.string("YQ==")
            case "bool": "true"
            case "enum": JSON.string(field.values.isEmpty ? "" : field.values[choice % field.values.count])
            case _ where !field.parts.isEmpty:
                JSON.object(field.parts.map { ($0.name, value($0, text, choice)) })
            case _ where field.type.hasPrefix("{"): "{}"
            default: "1"
            }
        return field.repeated ? JSON.array([one]) : one
    }
}

extension Schema.Field {
    /// Whether a field of this name is this one, or within it.
    fileprivate func has(_ name: String) -> Bool { self.name == name || parts.contains { $0.has(name) } }
}

extension Catalogue.Found {
    /// See ``Example``.
    package var example: Example? { Example(of: self) }
}
