import Domains
import EventModel
import MillraceBus
import SwiftProtobuf

/// Events of one kind whose fields are drawn from few values. That a domain has such a kind is all that is known of it.
struct RandomFacts: Sendable {
    private let found: Catalogue.Found
    private let example: Example

    /// All kinds that people can write, of all domains.
    static let all = Catalogue(domains: Domains.all).events.compactMap { found in
        found.example.map { RandomFacts(found: found, example: $0) }
    }

    /// One that its domain takes.
    func event(
        at time: Timestamp, using random: inout SeededRandom
    ) -> (topic: String, key: Bytes, value: Bytes) {
        var members = example.members
        let drawn = members.map { member in
            let field = found.kind.fields.first { $0.name == member.name }
            return field.map { Self.value($0, at: time, using: &random) } ?? member.value
        }
        var taken = encoded(members)
        // Each by itself: some fields take no more than a few words.
        for index in members.indices {
            let before = members[index].value
            members[index].value = drawn[index]
            if let next = encoded(members) { taken = next } else { members[index].value = before }
        }
        guard let taken else { preconditionFailure("the example of \(found.kind.name) is refused") }
        return (found.topic, taken.key, taken.value)
    }

    private func encoded(_ members: [(name: String, value: String)]) -> (key: Bytes, value: Bytes)? {
        let json = JSON.object(members.map { ($0.name, $0.value) })
        guard let value = try? found.schema.encode(found.kind, json: Bytes(json)), let key = try? found.key(value)
        else { return nil }
        return (key, value)
    }

    private static func value(
        _ field: Schema.Field, at time: Timestamp, using random: inout SeededRandom
    ) -> String {
        field.json(of: { Int.random(in: 1...2, using: &random) }) { part in
            switch part.type {
            case "string": JSON.string("n\(Int.random(in: 1...5, using: &random))")
            case "timestamp":
                JSON.string((time + Duration.seconds(Int64.random(in: -3600...3600, using: &random))).rfc3339)
            case "base64": JSON.string(["YQ==", "YWI=", ""].randomElement(using: &random) ?? "")
            case "bool": Bool.random(using: &random) ? "true" : "false"
            case "enum": JSON.string(part.values.randomElement(using: &random) ?? "")
            default: "\(Int.random(in: 1...9, using: &random))"
            }
        }
    }
}
