package import EventModel
package import JSONText

/// A value as JSON text.
package enum JSON {
    package static func string(_ text: String) -> String { RouteAnswer.quoted(text) }

    package static func object(_ members: [(String, String)]) -> String {
        var out = "{"
        for (number, member) in members.enumerated() {
            if number > 0 { out += "," }
            out += string(member.0)
            out += ":"
            out += member.1
        }
        out += "}"
        return out
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

    /// A value that was read, as it was.
    package static func value(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let bool): String(bool)
        case .number(let digits): digits
        case .text(let text): string(text)
        case .list(let values): array(values.map { self.value($0) })
        case .object(let members): object(members.map { ($0.name, self.value($0.value)) })
        }
    }

    package static func offsets(_ offsets: [TopicPartition: Offset]) -> String {
        object(offsets.sorted { $0.key < $1.key }.map { ($0.key.description, $0.value.description) })
    }

    /// A row with its columns' names in camel case, as protobuf's JSON has them.
    package static func row(_ row: Row, _ columns: [Column]) -> String { rows([row], columns)[0] }

    /// Rows of the same columns.
    package static func rows(_ rows: [Row], _ columns: [Column]) -> [String] {
        if rows.isEmpty { return [] }
        let names = columns.enumerated().map { "\($0 == 0 ? "{" : ",")\(string(camel($1.name))):" }
        return rows.map { row in
            var out = columns.isEmpty ? "{" : ""
            for (number, value) in row.enumerated() where number < columns.count {
                out += names[number]
                out += self.value(value, columns[number].kind)
            }
            out += "}"
            return out
        }
    }

    package static func camel(_ snake: String) -> String {
        if !snake.utf8.contains(UInt8(ascii: "_")) { return snake }
        let parts = snake.split(separator: "_")
        return parts.dropFirst().reduce(String(parts.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }
}
