internal import EventModel
internal import Foundation
internal import Quarantining
internal import Yams

/// The topics as `topics.yaml` declares them: each topic's name with its partitions, replication, retention, cleanup,
/// clock, key, schema and owner.
enum TopicFile {
    /// Where imports of files keep how far they have come; written by `import` alone.
    static let imports = Topic(
        "millrace.imports", partitions: 1, cleanup: .compact, key: "importer/site/file", schema: "json",
        owner: "import")

    /// The schema of a topic's values, nil where it is known by its name alone.
    static func schema(of topic: String, _ domains: [Domain]) -> Schema? {
        topic == QuarantineLog.topic.name
            ? QuarantineLog.schema : domains.lazy.compactMap { $0.schema(of: topic) }.first
    }

    /// What the program's own code says.
    static func builtIn(_ domains: [Domain]) -> [Topic] { domains.flatMap(\.topics) + [QuarantineLog.topic, imports] }

    /// The topics that are to be: the file's where there is one, else the built-in ones.
    ///
    /// A topic that the file leaves out is as the code has it.
    static func declared(_ file: String?, domains: [Domain]) throws -> [Topic] {
        let code = builtIn(domains)
        let path = file ?? "topics.yaml"
        guard FileManager.default.fileExists(atPath: path) else {
            if let file { throw Failure(.noInput, "the topics file \(file) does not exist") }
            return code
        }
        let read = try parse(path)
        let named = Dictionary(read.map { ($0.name, $0) }) { $1 }
        return code.map { named[$0.name] ?? $0 } + read.filter { topic in !code.contains { $0.name == topic.name } }
    }

    static func parse(_ path: String) throws -> [Topic] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Failure(.noInput, "the topics file \(path) cannot be read as UTF-8")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw Failure(.configuration, "\(path) is not YAML: \(error)")
        }
        guard let topics = node?["topics"]?.mapping else {
            throw Failure(.configuration, "\(path) has no mapping named topics")
        }
        return try topics.map { name, node in
            let line = "\(path):\(name.mark?.line ?? 0): topic \(name.string ?? "?")"
            guard let name = name.string, let fields = node.mapping else {
                throw Failure(.configuration, "\(line) must be a mapping")
            }
            let topic = try topic(name, fields, line)
            do throws(Malformed) {
                try topic.check()
            } catch {
                throw Failure(.configuration, "\(line): \(error.message)")
            }
            return topic
        }
    }

    private static func topic(_ name: String, _ fields: Node.Mapping, _ line: String) throws -> Topic {
        let known = ["partitions", "replication", "retention", "cleanup", "clock", "key", "schema", "owner"]
        for case let field? in fields.keys.map(\.string) where !known.contains(field) {
            throw Failure(.configuration, "\(line): \(field) is not a field; it has \(known.joined(separator: ", "))")
        }
        func number(_ field: String, _ range: ClosedRange<Int>) throws -> Int {
            guard let value = fields[field]?.int, range.contains(value) else {
                throw Failure(.configuration, "\(line): \(field) must be \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        func text(_ field: String) throws -> String {
            guard let value = fields[field]?.string else {
                throw Failure(.configuration, "\(line): \(field) is missing")
            }
            return value
        }
        guard let cleanup = Topic.Cleanup(rawValue: try text("cleanup")) else {
            throw Failure(.configuration, "\(line): cleanup must be delete or compact")
        }
        guard let clock = Topic.Clock(rawValue: try text("clock")) else {
            throw Failure(.configuration, "\(line): clock must be event or log")
        }
        let retention = try text("retention")
        let kept = Duration(short: retention)
        if retention != "forever", kept == nil {
            throw Failure(.configuration, "\(line): retention must be forever or a time such as 7d or 12h")
        }
        return Topic(
            name, partitions: try number("partitions", 1...Limits.partitions),
            replication: try number("replication", 1...100), retention: kept, cleanup: cleanup,
            clock: clock, key: try text("key"),
            schema: try text("schema"), owner: try text("owner"))
    }

    /// The file for these topics.
    static func text(_ topics: [Topic]) -> String {
        topics.map { topic in
            """
              \(topic.name):
                partitions: \(topic.partitions)
                replication: \(topic.replication)
                retention: \(topic.retention?.short ?? "forever")
                cleanup: \(topic.cleanup.rawValue)
                clock: \(topic.clock.rawValue)
                key: \(topic.key.contains("#") || topic.key.contains(": ") ? "\"\(topic.key)\"" : topic.key)
                schema: \(topic.schema)
                owner: \(topic.owner)

            """
        }.reduce("topics:\n", +)
    }
}
