internal import EventModel
internal import Handling

/// How a record is printed: JSON, CSV, or by a template.
struct RecordShape {
    private enum Piece {
        case text(String)
        case verb(Character)
    }
    private let pieces: [Piece]?
    private let csv: Bool
    private let domains: [Domain]

    init(format: String?, csv: Bool, domains: [Domain]) throws {
        pieces = try format.map(Self.parse)
        self.csv = csv
        self.domains = domains
    }

    private static func parse(_ format: String) throws -> [Piece] {
        var pieces: [Piece] = []
        var text = ""
        var rest = format[...]
        while let character = rest.popFirst() {
            guard character == "%" || character == "\\" else {
                text.append(character)
                continue
            }
            guard let next = rest.popFirst() else {
                throw Failure(.usage, "--format ends with \(character)")
            }
            if character == "\\" {
                guard let plain: Character = ["n": "\n", "t": "\t", "r": "\r", "\\": "\\", "0": "\0"][next] else {
                    throw Failure(.usage, "--format has \\\(next); there are \\n \\t \\r \\0 \\\\")
                }
                text.append(plain)
            } else if next == "%" {
                text.append("%")
            } else if "tpodkKvsVShyj".contains(next) {
                if !text.isEmpty { pieces.append(.text(text)) }
                text = ""
                pieces.append(.verb(next))
            } else {
                throw Failure(.usage, "--format has %\(next); there are %t %p %o %d %k %K %v %V %h %y %j %%")
            }
        }
        return text.isEmpty ? pieces : pieces + [.text(text)]
    }

    var header: String { csv ? "topic,partition,offset,timestamp,key,type,event\n" : "" }

    private func schema(_ topic: String) -> Schema? { TopicFile.schema(of: topic, domains) }

    /// The types that records of a topic can have; nil where its schema is not known here.
    static func types(of topic: String, _ domains: [Domain]) -> [String]? {
        guard let schema = TopicFile.schema(of: topic, domains) else { return nil }
        // Facts to be admitted are on the commands' topic.
        let facts = domains.first { $0.commandsTopic == topic }?.decider?.events.kinds ?? []
        return (schema.kinds + facts).map(\.name)
    }

    func type(_ record: Record, _ source: TopicPartition) -> String { types(source)(record) }

    /// What tells the types of a partition's records: the schema is looked up once for all of them.
    func types(_ source: TopicPartition) -> (Record) -> String {
        let schema = schema(source.topic)
        let mayBeFacts = source.topic.hasSuffix(".commands")
        return { record in
            if mayBeFacts, record[header: HeaderName.kind] == "fact" {
                return record[header: HeaderName.type] ?? "fact"
            }
            return schema?.kindName(in: record.value) ?? record[header: HeaderName.type] ?? "unknown"
        }
    }

    /// The schema that a record's value has.
    private func reading(_ record: Record, _ source: TopicPartition) -> Schema? {
        if source.topic.hasSuffix(".commands"), record[header: HeaderName.kind] == "fact" {
            return schema(source.topic.dropLast(".commands".count) + ".events")
        }
        return schema(source.topic)
    }

    /// Whether a record has what JSON does not show, for only a newer program knows it.
    func hides(_ record: Record, _ source: TopicPartition) -> Bool {
        reading(record, source)?.hides(record.value) ?? false
    }

    /// The event as JSON; what no schema can read is shown as text.
    private func event(_ record: Record, _ source: TopicPartition) -> String {
        decoded(record, source) ?? JSON.string(record.value.text)
    }

    /// The event as JSON; nil where no schema can read it.
    func decoded(_ record: Record, _ source: TopicPartition) -> String? {
        if source.topic.hasSuffix(".outcomes"), let outcome = try? Outcome(record.value) { return outcome.json }
        return try? reading(record, source)?.decode(record.value).json
    }

    func text(_ record: Record, _ source: TopicPartition) throws -> String {
        if let pieces {
            return pieces.reduce(into: "") { text, piece in
                switch piece {
                case .text(let plain): text += plain
                case .verb(let verb): text += value(verb, record, source)
                }
            }
        }
        if csv {
            return [
                source.topic, source.partition.description, record.offset.description, record.timestamp.rfc3339,
                record.key.text, type(record, source), event(record, source),
            ].map(Self.quoted).joined(separator: ",") + "\n"
        }
        return JSON.object([
            ("topic", JSON.string(source.topic)), ("partition", source.partition.description),
            ("offset", record.offset.description), ("timestamp", JSON.string(record.timestamp.rfc3339)),
            ("key", JSON.string(record.key.text)), ("type", JSON.string(type(record, source))),
            ("event", event(record, source)),
        ]) + "\n"
    }

    private func value(_ verb: Character, _ record: Record, _ source: TopicPartition) -> String {
        switch verb {
        case "t": source.topic
        case "p": source.partition.description
        case "o": record.offset.description
        case "d": String(record.timestamp.rawValue)
        case "k": record.key.text
        case "K": String(record.key.count)
        case "v", "s": record.value.text
        case "V", "S": String(record.value.count)
        case "h": record.headers.map { "\($0.name)=\($0.value.text)" }.joined(separator: ",")
        case "y": type(record, source)
        default: event(record, source)
        }
    }

    /// RFC 4180.
    private static func quoted(_ field: String) -> String {
        field.contains(where: { ",\"\n\r".contains($0) }) ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
    }
}
