internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Money

/// Columns lined up for a person, within the width of their terminal.
///
/// What is too wide is made narrower in this order: headers down to the width of their values, then texts that are neither
/// keys nor numbers nor moments, the widest first, with `…` for what is left out. Where that is not enough, columns that are
/// empty in every row are left out, and named below; then keys are cut; then there is one field a line.
struct TextTable {
    /// A text is cut to no fewer columns than this.
    static let least = 8
    /// A header is cut to no fewer, and a key.
    static let leastHeader = 4
    static let leastKey = 12
    private static let gap = 2

    var header: [String]
    var rows: [[String]]
    /// Columns whose values are lined up on the right.
    var right: Set<Int> = []
    /// Columns whose values are never cut, besides those on the right: names that are typed again, and moments.
    var whole: Set<Int> = []
    /// Columns whose values are cut only where nothing else helps.
    var keys: Set<Int> = []
    /// Whether the last column goes on in a line below, instead of being cut.
    var isProse = false
    /// Columns that are no narrower than this, and whether the header is shown: for a part of a table.
    var atLeast: [Int] = []
    var hasHeader = true
    /// The columns of words that are good or bad news.
    var coloured: Set<Int> = []

    var text: String { text(within: Terminal.width) }

    /// - Parameter width: Nil where nothing has to fit.
    func text(within width: Int?) -> String {
        let (header, rows, needed, natural) = measured
        guard let width else { return lines(header, rows, natural) }
        if isProse { return prose(header, rows, natural, width) }
        if let widths = fitted(natural, needed, width) { return lines(header, rows, widths) }
        if let shorter = withoutEmpty, let text = shorter.text(leavingOut: emptyHeaders, within: width) { return text }
        guard let widths = fitted(natural, needed, width, keysAtMost: Self.leastKey)
        else { return fields(header, rows, width) }
        return lines(header, rows, widths)
    }

    /// What is shown, how wide the widest value of each column is, and how wide each column would be where nothing has to fit.
    private var measured: (header: [String], rows: [[String]], needed: [Int], natural: [Int]) {
        let rows = rows.map { $0.map(Self.onOneLine) }
        let header = header.map { $0.uppercased() }
        let needed = header.indices.map { i in rows.map { DisplayWidth.of($0[i]) }.max() ?? 0 }
        return (header, rows, needed, natural(header, needed))
    }

    /// The columns that say nothing in any row.
    private var empty: [Int] {
        if rows.isEmpty { return [] }
        return header.indices.filter { column in rows.allSatisfy { $0[column].isEmpty || $0[column] == "-" } }
    }

    private var emptyHeaders: [String] { empty.map { header[$0] } }

    /// The table without columns that are empty in every row; nil where there are none, or where it is a part of one.
    private var withoutEmpty: TextTable? {
        let empty = Set(empty)
        let left = header.indices.filter { !empty.contains($0) }
        if empty.isEmpty || left.isEmpty || !hasHeader || !atLeast.isEmpty { return nil }
        let places = Dictionary(uniqueKeysWithValues: left.enumerated().map { ($1, $0) })
        func moved(_ columns: Set<Int>) -> Set<Int> { Set(columns.compactMap { places[$0] }) }
        return TextTable(
            header: left.map { header[$0] }, rows: rows.map { row in left.map { row[$0] } }, right: moved(right),
            whole: moved(whole), keys: moved(keys), coloured: moved(coloured))
    }

    /// Nil where it does not fit, keys cut or not.
    private func text(leavingOut names: [String], within width: Int) -> String? {
        let (header, rows, needed, natural) = measured
        guard let widths = fitted(natural, needed, width) ?? fitted(natural, needed, width, keysAtMost: Self.leastKey)
        else { return nil }
        let note = DisplayWidth.wrapped("(empty in every row: \(names.joined(separator: ", ")))", width)
        return lines(header, rows, widths) + note.joined(separator: "\n") + "\n"
    }

    /// The columns' widths where nothing has to fit.
    var natural: [Int] { measured.natural }

    private func natural(_ header: [String], _ needed: [Int]) -> [Int] {
        header.indices.map { i in
            max(DisplayWidth.of(header[i]), needed[i], i < atLeast.count ? atLeast[i] : 0)
        }
    }

    /// The columns' widths; nil where they cannot be made to fit.
    private func fitted(_ natural: [Int], _ needed: [Int], _ width: Int, keysAtMost limit: Int? = nil) -> [Int]? {
        let mayCut = natural.indices.filter { !right.contains($0) && !whole.contains($0) && !keys.contains($0) }
        var widths = natural
        if let limit { for i in keys.subtracting(right).subtracting(whole) { widths[i] = min(widths[i], limit) } }
        for i in mayCut { widths[i] = min(widths[i], max(width, Self.least)) }
        var over = widths.reduce(0, +) + Self.gap * (widths.count - 1) - width
        func narrow(_ columns: [Int], to least: (Int) -> Int) {
            while over > 0, let widest = columns.filter({ widths[$0] > least($0) }).max(by: { widths[$0] < widths[$1] })
            {
                widths[widest] -= 1
                over -= 1
            }
        }
        narrow(Array(natural.indices)) { max(min(needed[$0], widths[$0]), min(natural[$0], Self.leastHeader)) }
        narrow(mayCut) { min(widths[$0], Self.least) }
        return over > 0 ? nil : widths
    }

    private func lines(_ header: [String], _ rows: [[String]], _ widths: [Int]) -> String {
        var text = hasHeader ? line(header, widths) : ""
        for row in rows { text += line(row, widths, isColoured: true) }
        return text
    }

    private func line(_ cells: [String], _ widths: [Int], isColoured: Bool = false) -> String {
        let fields = cells.indices.map { i in
            let cell = DisplayWidth.prefix(cells[i], widths[i])
            return DisplayWidth.padded(cell, widths[i], right: right.contains(i))
        }
        let last = fields.lastIndex { !$0.allSatisfy { $0 == " " } } ?? 0
        let shown = fields.indices.prefix(last + 1).map { i in
            let field = i == last && !right.contains(i) ? Self.trimmed(fields[i]) : fields[i]
            return isColoured ? tinted(field, cells[i], i) : field
        }
        return shown.joined(separator: String(repeating: " ", count: Self.gap)) + "\n"
    }

    private static func trimmed(_ text: String) -> String { String(text.reversed().drop { $0 == " " }.reversed()) }

    private func tinted(_ shown: String, _ cell: String, _ column: Int) -> String {
        guard coloured.contains(column), let colour = Palette.of(cell) else { return shown }
        return colour(shown)
    }

    /// One field a line, and an empty line between rows.
    private func fields(_ header: [String], _ rows: [[String]], _ width: Int) -> String {
        let names = header.map(DisplayWidth.of).max() ?? 0
        let room = max(Self.least, width - names - Self.gap)
        let records = rows.map { row in
            row.indices.map { i in
                let name = DisplayWidth.padded(header[i], names + Self.gap)
                let indent = "\n" + String(repeating: " ", count: names + Self.gap)
                let value = DisplayWidth.wrapped(row[i], room).joined(separator: indent)
                return "\(name)\(tinted(value, row[i], i))\n"
            }.joined()
        }
        return records.joined(separator: "\n")
    }

    /// The last column in as many lines as it takes.
    private func prose(_ header: [String], _ rows: [[String]], _ natural: [Int], _ width: Int) -> String {
        guard let last = natural.indices.last else { return "" }
        let indent = natural.dropLast().reduce(0) { $0 + $1 + Self.gap }
        // Where other columns leave no room, all of it stands below.
        let isBelow = width - indent < 3 * Self.least
        let margin = isBelow ? 6 : indent
        // Types of messages in messages can be wider than the terminal.
        if indent > width {
            return rows.map { row in
                let words = row.joined(separator: " ").split(separator: " ").joined(separator: " ")
                return "  "
                    + DisplayWidth.wrapped(words, max(Self.least, width - margin))
                    .joined(separator: "\n" + String(repeating: " ", count: margin)) + "\n"
            }.joined()
        }
        var text = line(header, natural)
        for row in rows {
            let words = DisplayWidth.wrapped(row[last], max(Self.least, width - margin))
            let first = row.dropLast() + [isBelow && natural[last] > width - indent ? "" : words[0]]
            text += line(Array(first), natural.dropLast() + [max(natural[last], width)])
            let rest = first.last == "" ? words[...] : words.dropFirst()
            for more in rest where !more.isEmpty { text += String(repeating: " ", count: margin) + more + "\n" }
        }
        return text
    }
}

extension TextTable {
    /// - Parameter keys: The names of columns that are keys.
    init(_ columns: [Column], _ rows: [Row], keys: Set<String> = []) {
        header = columns.map { $0.name.replacingOccurrences(of: "_", with: " ") }
        self.rows = rows.map { row in
            zip(columns, row).map { column, value in
                switch value {
                case .null: "-"
                case .integer(let amount) where column.currency != nil: Self.money(amount, of: column, in: row, columns)
                case .integer(let ms) where column.kind == .timestamp: Timestamp(ms).rfc3339
                case .integer(let value): String(value)
                case .real(let value): String(format: "%.\(column.decimals)f", value)
                case .text(let value): value
                }
            }
        }
        right = Set(columns.indices.filter { columns[$0].kind == .integer || columns[$0].kind == .real })
        whole = Set(columns.indices.filter { columns[$0].kind == .timestamp })
        self.keys = Set(columns.indices.filter { keys.contains(columns[$0].name) })
    }

    /// Major units, with as many digits behind the point as the currency has: 4500 EUR is 45.00. Where the currency is not
    /// known the amount stays as it is.
    private static func money(_ amount: Int64, of column: Column, in row: Row, _ columns: [Column]) -> String {
        let code = zip(columns, row).first { $0.0.name == column.currency }?.1.text
        return code.flatMap { Currency.major(amount, $0) } ?? String(amount)
    }

    /// A line feed would break the table, a mark of direction make one row look like another, and an escape sequence do worse
    /// to a terminal: see ``Shown``. JSON has them as they are.
    static func onOneLine(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return text }
        var plain = text
        if text.utf8.contains(where: { $0 < 0x20 }) {
            plain.unicodeScalars.removeAll { $0 == "\r" }
            plain = String(plain.unicodeScalars.flatMap { $0 == "\n" ? "↵" : $0 == "\t" ? " " : String($0) })
        }
        return Shown.text(plain)
    }
}
