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
