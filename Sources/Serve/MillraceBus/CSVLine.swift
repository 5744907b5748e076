internal import EventModel

/// A row as JSON has it: names, and values as JSON text.
package typealias Members = [(name: String, value: String)]

/// Rows as comma-separated values (RFC 4180): texts as they are, what JSON has in brackets as JSON, null as nothing.
package enum CSVLine {
    package static func header(_ names: [String]) -> String { names.map(quoted).joined(separator: ",") + "\n" }

    package static func text(_ row: Members, _ names: [String]) -> String {
        names.map { name in row.first { $0.name == name }.map { quoted(plain($0.value)) } ?? "" }
            .joined(separator: ",") + "\n"
    }

    /// A value's text.
    package static func plain(_ json: String) -> String {
        if json == "null" { return "" }
        guard json.hasPrefix("\"") else { return json }
        return JSONEscapes.text(Array(json.utf8)[1...].dropLast()) ?? json
    }

    package static func quoted(_ text: String) -> String {
        if !text.utf8.contains(where: { [0x22, 0x2c, 0x0a, 0x0d].contains($0) }) { return text }
        // By scalars: a mark behind a quote makes another character of both.
        let doubled = text.unicodeScalars.flatMap { $0 == "\"" ? [$0, $0] : [$0] }
        return "\"" + String(String.UnicodeScalarView(doubled)) + "\""
    }
}
