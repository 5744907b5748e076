package import EventModel
internal import Foundation
internal import Handling

/// How a record is printed: JSON, CSV, or by a template. A template and CSV have keys, values and headers as they are, byte
/// for byte; JSON, which must be UTF-8, has what is not with U+FFFD, and in base64 beside.
package struct RecordShape: Sendable {
    private enum Piece: Sendable {
        case text([UInt8])
        case verb(Character)
    }
    private let pieces: [Piece]?
    private let csv: Bool
    private let domains: [Domain]

    package init(format: String?, csv: Bool, domains: [Domain]) throws {
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
                throw BusError(.usage, "--format ends with \(character)")
            }
            if character == "\\" {
                guard let plain: Character = ["n": "\n", "t": "\t", "r": "\r", "\\": "\\", "0": "\0"][next] else {
                    throw BusError(.usage, "--format has \\\(next); there are \\n \\t \\r \\0 \\\\")
                }
                text.append(plain)
            } else if next == "%" {
                text.append("%")
            } else if "tpodkKvsVShyj".contains(next) {
                if !text.isEmpty { pieces.append(.text(Array(text.utf8))) }
                text = ""
                pieces.append(.verb(next))
            } else {
                throw BusError(.usage, "--format has %\(next); there are %t %p %o %d %k %K %v %V %h %y %j %%")
            }
        }
        return text.isEmpty ? pieces : pieces + [.text(Array(text.utf8))]
    }

    package var header: String { csv ? "topic,partition,offset,timestamp,key,type,event\n" : "" }

    private func schema(_ topic: String) -> Schema? { domains.schema(of: topic) }

    /// The types that records of a topic can have; nil where its schema is not known here.
    package static func types(of topic: String, _ domains: [Domain]) -> [String]? {
        guard let schema = domains.schema(of: topic) else { return nil }
        // Facts to be admitted are on the commands' topic.
        let facts = domains.first { $0.commandsTopic == topic }?.decider?.events.kinds ?? []
        return (schema.kinds + facts).map(\.name)
    }

    /// The type that a word means, whatever its case. One that none of the topics can have is refused, where all their
    /// schemas are known.
    package static func type(
        _ type: String, of topics: [String], _ domains: [Domain]
    ) throws -> String {
        var known: [String] = []
        for topic in topics {
            guard let kinds = types(of: topic, domains) else { return type }
            known += kinds
        }
        // A newer program's type is shown as unknown, with its number.
        if let found = Naming.find(type, in: known, names: { [$0] }).first { return found }
        if type.hasPrefix("unknown") || type == "empty" { return type }
        let of = topics.joined(separator: ", ")
        let question = Nearest.question(to: type, among: known).map { " \($0.prefix(1).uppercased())\($0.dropFirst())" }
        throw BusError(
            .usage, "there is no type \(type) in \(of).\(question ?? "") There are \(known.joined(separator: ", "))")
    }

    package func type(_ record: Record, _ source: TopicPartition) -> String { types(source)(record) }

    /// What tells the types of a partition's records: the schema is looked up once for all of them.
    package func types(_ source: TopicPartition) -> (Record) -> String {
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
    package func hides(_ record: Record, _ source: TopicPartition) -> Bool {
        reading(record, source)?.hides(record.value) ?? false
    }

    /// The event as JSON; what no schema can read is shown as text.
    package func event(_ record: Record, _ source: TopicPartition) -> String {
        decoded(record, source) ?? JSON.string(record.value.text)
    }

    /// The event as JSON; nil where no schema can read it.
    package func decoded(_ record: Record, _ source: TopicPartition) -> String? {
        if source.topic.hasSuffix(".outcomes"), let outcome = try? Outcome(record.value) { return outcome.json }
        return try? reading(record, source)?.decode(record.value).json
    }

    /// Adds the record as it is printed.
    package func add(_ record: Record, _ source: TopicPartition, to out: inout [UInt8]) {
        if let pieces {
            for piece in pieces {
                switch piece {
                case .text(let plain): out += plain
                case .verb(let verb): add(verb, record, source, to: &out)
                }
            }
        } else if csv {
            out += source.topic.utf8
            let plain = [
                source.partition.description, record.offset.description, record.timestamp.rfc3339,
            ]
            for field in plain { out += ",\(field)".utf8 }
            let others = [record.key, Bytes(type(record, source)), Bytes(event(record, source))]
            for field in others {
                out.append(UInt8(ascii: ","))
                Self.addQuoted(field.slice, to: &out)
            }
            out.append(UInt8(ascii: "\n"))
        } else {
            out += json(record, source).utf8
            out.append(UInt8(ascii: "\n"))
        }
    }

    package func json(_ record: Record, _ source: TopicPartition) -> String {
        let event = decoded(record, source)
        var members = [
            ("topic", JSON.string(source.topic)), ("partition", source.partition.description),
            ("offset", record.offset.description), ("timestamp", JSON.string(record.timestamp.rfc3339)),
            ("key", JSON.string(record.key.text)), ("type", JSON.string(type(record, source))),
            ("event", event ?? JSON.string(record.value.text)),
        ]
        if record.key.validText == nil { members.append(("keyBase64", JSON.string(record.key.base64))) }
        if event == nil, record.value.validText == nil {
            members.append(("eventBase64", JSON.string(record.value.base64)))
        }
        return JSON.object(members)
    }

    private func add(_ verb: Character, _ record: Record, _ source: TopicPartition, to out: inout [UInt8]) {
        switch verb {
        case "t": out += source.topic.utf8
        case "p": out += source.partition.description.utf8
        case "o": out += record.offset.description.utf8
        case "d": out += String(record.timestamp.rawValue).utf8
        case "k": out += record.key.slice
        case "K": out += String(record.key.count).utf8
        case "v", "s": out += record.value.slice
        case "V", "S": out += String(record.value.count).utf8
        case "h":
            for (i, header) in record.headers.enumerated() {
                out += "\(i == 0 ? "" : ",")\(header.name)=".utf8
                out += header.value.slice
            }
        case "y": out += type(record, source).utf8
        default: out += event(record, source).utf8
        }
    }

    /// RFC 4180.
    private static func addQuoted(_ field: ArraySlice<UInt8>, to out: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        guard field.contains(where: { $0 == quote || $0 == UInt8(ascii: ",") || $0 == 0x0a || $0 == 0x0d }) else {
            out += field
            return
        }
        out.append(quote)
        for byte in field {
            if byte == quote { out.append(quote) }
            out.append(byte)
        }
        out.append(quote)
    }
}

extension Bytes {
    fileprivate var base64: String { Data(slice).base64EncodedString() }
}
