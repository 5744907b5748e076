internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Yams

/// The topics as files such as `topics.yaml` declare them: each topic's name with what a deployment chooses of it and what the
/// code needs.
enum TopicFile {
    /// The topics that are to be: as the code has them, and over that each file in turn, topic by topic and field by field.
    ///
    /// - Parameter files: none takes topics.yaml, where there is one here.
    static func declared(_ files: [String], domains: [Domain]) throws -> [DeclaredTopic] {
        var declared = Declared(code: domains.builtInTopics)
        let isHere = FileManager.default.fileExists(atPath: "topics.yaml")
        for path in files.isEmpty && isHere ? ["topics.yaml"] : files {
            guard FileManager.default.fileExists(atPath: path) else {
                throw Failure(.noInput, "the topics file \(path) does not exist")
            }
            for section in try sections(of: path) { try declared.take(section) }
        }
        return try declared.all()
    }

    /// What one file says of one topic.
    private struct Section {
        let name: String
        let fields: Node.Mapping
        /// Where it stands, for people.
        let line: String
    }

    private struct Declared {
        let code: [Topic]
        var topics: [String: DeclaredTopic]
        /// Those that the code does not know, in the order in which they were named.
        var others: [String] = []
        var lines: [String: String] = [:]

        init(code: [Topic]) {
            self.code = code
            topics = Dictionary(code.map { ($0.name, DeclaredTopic(builtIn: $0)) }) { $1 }
        }

        mutating func take(_ section: Section) throws {
            let name = section.name
            var topic = topics[name] ?? DeclaredTopic(named: Topic(name, partitions: 1, key: "", schema: "", owner: ""))
            if topics[name] == nil { others.append(name) }
            // Its first file says what is chosen; what the code has is none.
            if lines[name] == nil { topic.chosen = [] }
            lines[name] = section.line
            try Fields(section: section).apply(to: &topic)
            topics[name] = topic
        }

        func all() throws -> [DeclaredTopic] {
            let all = (code.map(\.name) + others).compactMap { topics[$0] }
            for declared in all {
                let topic = declared.topic
                let line = lines[topic.name] ?? "topic \(topic.name)"
                if others.contains(topic.name), !declared.chosen.contains(.partitions) {
                    throw Failure(.configuration, "\(line): partitions is missing, and no domain has this topic")
                }
                do throws(Malformed) {
                    try topic.check()
                } catch {
                    throw Failure(.configuration, "\(line): \(error.message)")
                }
                if let least = topic.minInSync, declared.chosen.contains(.replication), least > topic.replication {
                    throw Failure(
                        .configuration,
                        "\(line): min.insync.replicas is \(least), and of \(topic.replication) replicas there are never so many"
                    )
                }
            }
            return all
        }
    }

    private static func sections(of path: String) throws -> [Section] {
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
            return Section(name: name, fields: fields, line: line)
        }
    }

    /// The fields of a section.
    private struct Fields {
        static let known = [
            "partitions", "replication", "min.insync.replicas", "max.message.bytes", "retention", "cleanup", "clock",
            "key", "schema", "owner", "readers",
        ]
        let section: Section
        private let variables = Substitution(environment: ProcessInfo.processInfo.environment)

        init(section: Section) { self.section = section }

        func apply(to declared: inout DeclaredTopic) throws {
            for case let field? in section.fields.keys.map(\.string) where !Self.known.contains(field) {
                throw wrong("\(field) is not a field; it has \(Self.known.joined(separator: ", "))")
            }
            try choose(.partitions, 1...Limits.partitions, &declared) { $0.partitions = $1 }
            try choose(.replication, 1...100, &declared) { $0.replication = $1 }
            try choose(.minInSync, 1...100, &declared) { $0.minInSync = $1 }
            try choose(.maxMessageBytes, 1...Int(Int32.max), &declared) { $0.maxMessageBytes = $1 }
            if let retention = try text("retention") {
                let kept = Duration(short: retention)
                if retention != "forever", kept == nil {
                    throw wrong("retention must be forever or a time such as 7d or 12h\(said("retention", retention))")
                }
                declared.topic.retention = kept
                declared.chosen.insert(.retention)
            }
            if let cleanup = try text("cleanup") {
                guard let known = Topic.Cleanup(rawValue: cleanup) else {
                    throw wrong("cleanup must be delete or compact")
                }
                declared.topic.cleanup = known
            }
            if let clock = try text("clock") {
                guard let known = Topic.Clock(rawValue: clock) else { throw wrong("clock must be event or log") }
                declared.topic.clock = known
            }
            if let key = try text("key") { declared.topic.key = key }
            if let schema = try text("schema") { declared.topic.schema = schema }
            if let owner = try text("owner") { declared.topic.owner = owner }
            if let readers = try text("readers") {
                declared.topic.readers = readers.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            }
        }

        private func choose(
            _ choice: DeclaredTopic.Choice, _ range: ClosedRange<Int>, _ declared: inout DeclaredTopic,
            _ set: (inout Topic, Int) -> Void
        ) throws {
            let field = choice.rawValue
            guard let node = section.fields[field] else { return }
            let text = try self.text(field)
            // A number is as YAML writes one; what a variable says is plain.
            let isPlain = node.string.map { !Substitution.isIn($0) } ?? true
            guard let value = isPlain ? node.int : text.flatMap({ Int($0) }), range.contains(value) else {
                throw wrong(
                    "\(field) must be \(range.lowerBound) to \(range.upperBound)\(said(field, text ?? ""))")
            }
            set(&declared.topic, value)
            declared.chosen.insert(choice)
        }

        /// A field's text with what its variables say; nil where it is not there.
        private func text(_ field: String) throws -> String? {
            guard let node = section.fields[field] else { return nil }
            guard let text = node.string else { throw wrong("\(field) must be one value") }
            do throws(Malformed) {
                return try variables.text(text, field)
            } catch {
                throw wrong(error.message)
            }
        }

        /// What a value came to, where it has variables.
        private func said(_ field: String, _ text: String) -> String {
            guard let written = section.fields[field]?.string, Substitution.isIn(written) else { return "" }
            return ", and \(written) is \(text.isEmpty ? "empty" : text)"
        }

        private func wrong(_ why: String) -> Failure { Failure(.configuration, "\(section.line): \(why)") }
    }

    /// What stands at the head of the file, for whoever edits it.
    private static var remarks: String {
        #"""
        # Every topic of Millrace: what the code needs (key, schema, owner, readers, cleanup, clock) and what a deployment may choose
        # (partitions, replication, min.insync.replicas, max.message.bytes, retention). \#(Program.name) topics check compares this file
        # with the code and with the log; a test does too.
        #
        # retention: forever, or a time such as 7d or 12h. cleanup: delete, or compact to keep only each key's newest record. clock:
        # whose time a record has, the event's own or the log's as it takes the record (LogAppendTime in Kafka).
        # owner is the worker that writes it; readers are workers of other domains that read it: Tools/acls makes rights of both.
        # min.insync.replicas and max.message.bytes: the broker's own where nothing is said. What is not said is not compared.
        #
        # ${NAME} is a variable of the environment, ${NAME:-DEFAULT} one that may be missing. A second --topics FILE goes over this
        # one, topic by topic and field by field: it may name some topics, and of each only what is otherwise there.

        """#
    }

    /// The file for these topics.
    static func text(_ topics: [Topic]) -> String {
        topics.map { topic in
            let readers = topic.readers.isEmpty ? "" : "    readers: \(topic.readers.joined(separator: ", "))\n"
            return """
                  \(topic.name):
                    partitions: \(topic.partitions)
                    replication: ${MILLRACE_REPLICATION:-\(topic.replication)}
                    max.message.bytes: \(topic.maxMessageBytes ?? Limits.messageBytes)
                    retention: \(topic.retention?.short ?? "forever")
                    cleanup: \(topic.cleanup.rawValue)
                    clock: \(topic.clock.rawValue)
                    key: \(topic.key.contains("#") || topic.key.contains(": ") ? "\"\(topic.key)\"" : topic.key)
                    schema: \(topic.schema)
                    owner: \(topic.owner)
                \(readers)
                """
        }.reduce(remarks + "topics:\n", +)
    }
}
