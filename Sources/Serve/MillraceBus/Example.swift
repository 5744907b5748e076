package import EventModel

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

    /// What is put into fields of text, one after another where it is refused: a currency, a URL and a name of some letters may be
    /// asked for.
    private static let texts = ["a", "EUR", "https://example.com/", "example"]

    /// - Returns: nil where nothing is found that the domain takes.
    package init?(of found: Catalogue.Found) {
        let choices = found.kind.fields.map(\.values.count).max() ?? 0
        for first in Self.texts {
            let texts = [first] + Self.texts.filter { $0 != first }
            for choice in 0..<max(1, choices) {
                let all = found.kind.fields.map { (name: $0.name, value: Self.value($0, first, choice)) }
                if let example = Example(found, members: all).with(texts, choice) {
                    self = example
                    return
                }
            }
        }
        return nil
    }

    package var json: String { JSON.object(members.map { ($0.name, $0.value) }) }

    /// The fields without which the domain refuses it. Two that come together or not at all are not required.
    package var required: Set<String> {
        let needed = members.map(\.name).filter { without([$0]).refusal != nil }
        return Set(needed.filter { one in !needed.contains { $0 != one && without([one, $0]).refusal == nil } })
    }

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

    private func without(_ fields: Set<String>) -> Example {
        Example(found, members: members.filter { !fields.contains($0.name) })
    }

    /// Gives a field that is said to be wrong another text. One that no text makes right is left out.
    private func with(_ texts: [String], _ choice: Int) -> Example? {
        var example = self
        var tried: [String: Int] = [:]
        while let refusal = example.refusal {
            guard let wrong = found.kind.fields.first(where: { $0.has(refusal.field) }),
                let index = example.members.firstIndex(where: { $0.name == wrong.name })
            else { return nil }
            let next = tried[wrong.name, default: 0] + 1
            tried[wrong.name] = next
            // A field that takes some words alone names them.
            let candidates = texts + wrong.about.split { !$0.isLetter && $0 != "-" }.map(String.init)
            if (wrong.type == "string" || !wrong.parts.isEmpty) && next < candidates.count {
                example.members[index].value = Self.value(wrong, candidates[next], choice)
            } else {
                example.members.remove(at: index)
            }
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
        field.json(of: { 1 }) { part in
            switch part.type {
            case "string": JSON.string(text)
            case "timestamp": JSON.string("2030-01-01T00:00:00Z")
            case "base64": JSON.string("YQ==")
            case "bool": "true"
            case "enum": JSON.string(part.values.isEmpty ? "" : part.values[choice % part.values.count])
            default: "1"
            }
        }
    }
}

extension Schema.Field {
    /// A value of this field as JSON, put together from those of the fields within it that have no fields.
    ///
    /// - Parameters:
    ///   - count: How many a repeated field has.
    ///   - leaf: The value, as JSON, of a field that is no message.
    package func json(of count: () -> Int, _ leaf: (Schema.Field) -> String) -> String {
        func one() -> String {
            if !parts.isEmpty { return JSON.object(parts.map { ($0.name, $0.json(of: count, leaf)) }) }
            return type.hasPrefix("{") ? "{}" : leaf(self)
        }
        return repeated ? JSON.array((0..<count()).map { _ in one() }) : one()
    }

    /// Whether a field of this name, or on this path (`terms.tags[2]`), is this one or within it.
    fileprivate func has(_ path: String) -> Bool {
        let name = path.prefix { $0 != "." && $0 != "[" }
        return self.name == name || parts.contains { $0.has(path) }
    }
}

extension Catalogue.Found {
    /// See ``Example``.
    package var example: Example? { Example(of: self) }
}
