package import EventModel
internal import Quarantining

extension Topic {
    /// Where imports of files keep how far they have come; written by `import` alone.
    package static let imports = Topic(
        "millrace.imports", partitions: 1, cleanup: .compact, key: "importer/site/file", schema: "json",
        owner: "import")
}

extension [Domain] {
    /// The schema of a topic's values; nil where it is known by its name alone.
    package func schema(of topic: String) -> Schema? {
        topic == QuarantineLog.topic.name ? QuarantineLog.schema : lazy.compactMap { $0.schema(of: topic) }.first
    }

    /// The topics that the program's own code asks for.
    package var builtInTopics: [Topic] { Workers.topics(of: self) + [.imports] }
}

extension Topic {
    package static let columns = [
        "topic", "partitions", "replication", "retention", "cleanup", "clock", "key", "schema", "owner",
    ]

    package var members: Members {
        [
            ("topic", JSON.string(name)), ("partitions", String(partitions)), ("replication", String(replication)),
            ("retention", retention.map { JSON.string($0.short) } ?? "null"),
            ("cleanup", JSON.string(cleanup.rawValue)), ("clock", JSON.string(clock.rawValue)),
            ("key", JSON.string(key)), ("schema", JSON.string(schema)), ("owner", JSON.string(owner)),
        ]
    }
}
