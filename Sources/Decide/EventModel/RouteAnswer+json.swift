/// Answers as JSON, for routes.
extension RouteAnswer {
    /// Each row as an object, with its columns' names in camel case and moments in RFC 3339, as the gateway's views have them.
    public var objects: [String] {
        let names = columns.map { Self.quoted(Self.camel($0.name)) }
        return rows.map { row in
            let members = zip(zip(names, columns), row).map { "\($0.0):\(Self.text($1, $0.1.kind))" }
            return "{\(members.joined(separator: ","))}"
        }
    }

    private static func camel(_ snake: String) -> String {
        let parts = snake.split(separator: "_")
        return parts.dropFirst().reduce(String(parts.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    private static func text(_ value: Value, _ kind: Column.Kind) -> String {
        switch value {
        case .null: "null"
        case .integer(let milliseconds) where kind == .timestamp: quoted(Timestamp(milliseconds).rfc3339)
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let value): quoted(value)
        }
    }

    /// A text as JSON has it (RFC 8259, section 7).
    public static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        if isPlain { return "\"\(text)\"" }
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
}

extension RouteRequest {
    /// Places as people write them, `TOPIC/PARTITION@OFFSET`, with commas between: what a view must have seen.
    ///
    /// - Throws: ``Malformed`` where it is no place.
    public func places(_ parameter: OptionalParameter<String>) throws(Malformed) -> [TopicPartition: Offset] {
        guard let text = self[parameter] else { return [:] }
        var places: [TopicPartition: Offset] = [:]
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = word.split(separator: "@", omittingEmptySubsequences: false)
            guard sides.count == 2, let slash = sides[0].lastIndex(of: "/"), slash != sides[0].startIndex,
                let partition = Int32(sides[0][sides[0].index(after: slash)...]), partition >= 0,
                let offset = Int64(sides[1]), offset >= 0
            else {
                throw Malformed(parameter.declaration.name, "is no place such as social.events/2@17")
            }
            let place = TopicPartition(String(sides[0][..<slash]), Partition(rawValue: partition))
            places[place] = max(places[place] ?? 0, Offset(offset))
        }
        return places
    }
}

extension RouteOutcome {
    /// The places that it wrote to as ``RouteRequest/places(_:)`` reads them.
    public var written: String {
        places.sorted { $0.key < $1.key }.map { "\($0.key)@\($0.value)" }.joined(separator: ",")
    }
}
