internal import EventModel
internal import Foundation

/// Lays out what a query answered as its exhibit says, in lines of 80 columns.
struct ExhibitLayout {
    static let columns = 80

    private let exhibit: Exhibit

    init(_ exhibit: Exhibit) { self.exhibit = exhibit }

    /// - Throws: where the answer has no column that is to be shown.
    func text(_ pages: [Page]) throws -> String {
        let rows = pages.flatMap(\.rows)
        guard let columns = pages.first?.columns, !rows.isEmpty else { return "  nothing yet\n" }
        switch exhibit.form {
        case .table(let shown): return try Self.cut(table(columns, rows, shown))
        case .map(let lines, let mark, let signs): return try Self.cut(map(columns, rows, lines, mark, signs))
        }
    }

    private func table(_ columns: [Column], _ rows: [Row], _ shown: [ShownColumn]) throws -> String {
        let chosen = try shown.map { (try place(of: $0.name, in: columns), $0.title) }
        // All columns, since an amount is written by the currency beside it; then those that are shown.
        let whole = TextTable(columns, rows.map { Self.timesOfDay($0, columns) })
        return TextTable(
            header: chosen.map(\.1), rows: whole.rows.map { row in chosen.map { row[$0.0] } },
            right: Set(chosen.indices.filter { whole.right.contains(chosen[$0].0) })
        ).text
    }

    /// Moments are all of today or yesterday: of them the hour, the minute and the second are shown, in UTC.
    private static func timesOfDay(_ row: Row, _ columns: [Column]) -> Row {
        zip(columns, row).map { column, value in
            guard column.kind == .timestamp, let time = value.integer else { return value }
            return .text(String(Timestamp(time).rfc3339.dropFirst(11).prefix(8)))
        }
    }

    private func map(
        _ columns: [Column], _ rows: [Row], _ lines: [String], _ mark: String, _ signs: [String: Character]
    ) throws -> String {
        let names = try lines.map { try place(of: $0, in: columns) }
        let status = try place(of: mark, in: columns)
        var shown: [(line: String, signs: String)] = []
        for row in rows {
            let line = names.map { row[$0].text ?? row[$0].integer.map(String.init) ?? "" }.joined(separator: " ")
            let sign = signs[row[status].text ?? ""] ?? "?"
            if shown.last?.line == line {
                shown[shown.count - 1].signs.append(sign)
            } else {
                shown.append((line, String(sign)))
            }
        }
        let width = shown.map(\.line.count).max() ?? 0
        return shown.map { "  \($0.line.padding(toLength: width, withPad: " ", startingAt: 0))  \($0.signs)\n" }
            .joined()
    }

    private func place(of name: String, in columns: [Column]) throws -> Int {
        if let place = columns.firstIndex(where: { $0.name == name }) { return place }
        let known = columns.map(\.name).joined(separator: ", ")
        throw Failure(.software, "\(exhibit.title): \(exhibit.query) has no column \(name), only \(known)")
    }

    /// What is longer than a line ends in an ellipsis.
    private static func cut(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.count > columns ? $0.prefix(columns - 1) + "…" : $0 }
            .joined(separator: "\n")
    }
}
