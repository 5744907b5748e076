package import EventModel

/// A value as JSON text.
package enum JSON {
    package static func string(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                out +=
                    "\\u" + String(repeating: "0", count: scalar.value < 16 ? 3 : 2) + String(scalar.value, radix: 16)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    package static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(string($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }

    package static func array(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

    package static func value(_ value: Value, _ kind: Column.Kind) -> String {
        switch value {
        case .null: "null"
        case .integer(let ms) where kind == .timestamp: string(Timestamp(ms).rfc3339)
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let value): string(value)
        }
    }

    package static func offsets(_ offsets: [TopicPartition: Offset]) -> String {
        object(offsets.sorted { $0.key < $1.key }.map { ($0.key.description, $0.value.description) })
    }

    /// A row with its columns' names in camel case, as protobuf's JSON has them.
    package static func row(_ row: Row, _ columns: [Column]) -> String {
        object(zip(columns, row).map { (camel($0.name), value($1, $0.kind)) })
    }

    package static func camel(_ snake: String) -> String {
        let parts = snake.split(separator: "_")
        return parts.dropFirst().reduce(String(parts.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }
}
