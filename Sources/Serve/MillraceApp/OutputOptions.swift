internal import ArgumentParser
internal import EventModel
internal import MillraceBus

/// How rows are shown: a table on a terminal, JSON elsewhere, or what the line says.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Show JSON.")
    var json = false
    @Flag(help: "Show a table.")
    var table = false
    @Flag(help: "Show comma-separated values, with a header.")
    var csv = false
    @Flag(name: .customLong("no-color"), help: "Show no colours (also NO_COLOR).")
    var noColor = false

    var asTable: Bool { table || (!json && !csv && Output.isTerminal) }

    func validate() throws {
        let chosen = [("--json", json), ("--table", table), ("--csv", csv)].filter(\.1).map(\.0)
        if chosen.count > 1 { throw ValidationError("\(chosen[0]) and \(chosen[1]) exclude each other") }
    }
}

/// A row as JSON has it: names, and values as JSON text.
typealias Members = [(name: String, value: String)]

extension OutputOptions {
    /// Shows rows that are all there.
    ///
    /// - Parameter names: The columns of CSV, which has a header also where there are no rows; nil takes those of the rows.
    func show(_ rows: [Members], columns names: [String]? = nil, table: () -> TextTable) throws {
        if asTable { return try Output.standard.write(table().text) }
        try showLines(rows, columns: names)
    }

    /// Shows rows in another shape than a table.
    func showLines(_ rows: [Members], columns names: [String]? = nil) throws {
        if csv {
            let names = names ?? Self.columns(of: rows)
            var text = CSVLine.header(names)
            for row in rows { text += CSVLine.text(row, names) }
            return try Output.standard.write(text)
        }
        for row in rows { try Output.standard.line(JSON.object(row.map { ($0.name, $0.value) })) }
    }

    /// Every column that one of the rows has, in the order in which they come.
    static func columns(of rows: [Members]) -> [String] {
        var (names, known): ([String], Set<String>) = ([], [])
        for name in rows.joined().map(\.name) where known.insert(name).inserted { names.append(name) }
        return names
    }
}

/// Rows as comma-separated values (RFC 4180): texts as they are, what JSON has in brackets as JSON, null as nothing.
enum CSVLine {
    static func header(_ names: [String]) -> String { names.map(quoted).joined(separator: ",") + "\n" }

    static func text(_ row: Members, _ names: [String]) -> String {
        names.map { name in row.first { $0.name == name }.map { quoted(plain($0.value)) } ?? "" }
            .joined(separator: ",") + "\n"
    }

    /// A value's text.
    static func plain(_ json: String) -> String {
        if json == "null" { return "" }
        guard json.hasPrefix("\"") else { return json }
        return JSONEscapes.text(Array(json.utf8)[1...].dropLast()) ?? json
    }

    static func quoted(_ text: String) -> String {
        if !text.utf8.contains(where: { [0x22, 0x2c, 0x0a, 0x0d].contains($0) }) { return text }
        // By scalars: a mark behind a quote makes another character of both.
        let doubled = text.unicodeScalars.flatMap { $0 == "\"" ? [$0, $0] : [$0] }
        return "\"" + String(String.UnicodeScalarView(doubled)) + "\""
    }
}
