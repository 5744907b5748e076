package import EventModel
internal import MillraceBus

/// The topics of some domains as AsyncAPI 3.0 (asyncapi.com/docs/reference/specification/v3.0.0).
package struct AsyncAPI {
    private let domains: [Domain]
    private let catalogue: Catalogue

    package init(_ domains: [Domain]) { (self.domains, catalogue) = (domains, Catalogue(domains: domains)) }

    package var text: String {
        JSON.object([
            ("asyncapi", JSON.string("3.0.0")),
            (
                "info",
                JSON.object([
                    ("title", JSON.string("Millrace")), ("version", JSON.string(Version.number)),
                    (
                        "description",
                        JSON.string(
                            """
                            The topics of the log. Records are protobuf on the log; the gateway reads and writes them as the \
                            JSON of proto3.
                            """)
                    ),
                ])
            ),
            ("defaultContentType", JSON.string("application/json")),
            ("channels", JSON.object(topics.map { ($0.name, channel($0)) })),
            ("operations", JSON.object(topics.map { ("read_\($0.name)", read($0)) } + sends)),
            ("components", JSON.object([("messages", JSON.object(messages))])),
        ])
    }

    private var topics: [Topic] { domains.flatMap(\.topics) }

    /// What a topic may carry, by the names of its messages.
    private func kinds(_ topic: Topic) -> [Catalogue.Found] {
        (catalogue.commands + catalogue.events + catalogue.derived).filter { $0.topic == topic.name }
    }

    private func name(_ found: Catalogue.Found) -> String { "\(found.domain.name).\(found.kind.name)" }

    private func channel(_ topic: Topic) -> String {
        let about = "Key: \(topic.key). \(topic.partitions) partitions. Written by \(topic.owner)."
        let all = kinds(topic).map { (name($0), reference("components/messages/\(name($0))")) }
        let outcome = topic.name.hasSuffix(".outcomes") ? [("Outcome", reference("components/messages/Outcome"))] : []
        return JSON.object([
            ("address", JSON.string(topic.name)), ("description", JSON.string(about)),
            ("messages", JSON.object(all + outcome)),
        ])
    }

    private func read(_ topic: Topic) -> String {
        JSON.object([
            ("action", JSON.string("send")), ("channel", reference("channels/\(topic.name)")),
            ("summary", JSON.string("Records of \(topic.name), to whoever reads them: GET /topics/\(topic.name)")),
        ])
    }

    /// What the bus takes: commands and telemetry.
    private var sends: [(String, String)] {
        let open = Set(catalogue.commands.map(\.topic) + catalogue.events.filter { !$0.decided }.map(\.topic))
        return topics.filter { open.contains($0.name) }.map { topic in
            (
                "write_\(topic.name)",
                JSON.object([
                    ("action", JSON.string("receive")), ("channel", reference("channels/\(topic.name)")),
                    ("summary", JSON.string("What producers write to \(topic.name).")),
                ])
            )
        }
    }

    private var messages: [(String, String)] {
        let all = (catalogue.commands + catalogue.events + catalogue.derived).map { found in
            let example = found.example.map { [("examples", JSON.array([JSON.object([("payload", $0.least)])]))] } ?? []
            return (
                name(found),
                JSON.object(
                    [
                        ("name", JSON.string(found.kind.name)), ("summary", JSON.string(found.kind.about)),
                        ("contentType", JSON.string("application/json")), ("payload", MessageSchema.of(found)),
                    ] + example)
            )
        }
        return all + [
            (
                "Outcome",
                #"""
                {"name":"Outcome","contentType":"application/json","payload":{"type":"object","required":["id","outcome"],"properties":{"id":{"type":"string"},"outcome":{"type":"string","enum":["accepted","refused"]},"reason":{"type":["string","null"]},"message":{"type":["string","null"]},"events":{"type":"array","items":{"type":"object"}}}}}
                """#
            )
        ]
    }

    private func reference(_ place: String) -> String { JSON.object([("$ref", JSON.string("#/\(place)"))]) }
}
