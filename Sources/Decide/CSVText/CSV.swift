package import EventModel

/// One record of comma-separated values (RFC 4180): a field may stand in quotes, and a quote in it is doubled. In quotes it
/// may span lines, which ``CSVQuotes`` puts together.
package enum CSV {
    /// - Parameter expected: About how many fields there are.
    package static func fields(
        _ line: ArraySlice<UInt8>, separator: UInt8 = comma, expected: Int = 8
    ) throws(Malformed) -> [String] {
        var fields: [String] = []
        fields.reserveCapacity(expected)
        var rest = line
        while true {
            let (field, more) = try rest.first == quote ? quoted(&rest, separator) : plain(&rest, separator)
            guard let text = String(validating: field, as: UTF8.self) else {
                throw Malformed("field \(fields.count + 1)", "is not UTF-8")
            }
            fields.append(text)
            if !more { return fields }
        }
    }

    package static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")

    private static func plain(
        _ rest: inout ArraySlice<UInt8>, _ separator: UInt8
    ) -> (ArraySlice<UInt8>, more: Bool) {
        guard let end = rest.firstIndex(of: separator) else { return (rest, false) }
        defer { rest = rest[(end + 1)...] }
        return (rest[..<end], true)
    }

    private static func quoted(
        _ rest: inout ArraySlice<UInt8>, _ separator: UInt8
    ) throws(Malformed) -> (ArraySlice<UInt8>, more: Bool) {
        var field: [UInt8] = []
        var at = rest.startIndex + 1
        while at < rest.endIndex {
            if rest[at] != quote {
                field.append(rest[at])
                at += 1
                continue
            }
            at += 1
            if at < rest.endIndex, rest[at] == quote {
                field.append(quote)
                at += 1
                continue
            }
            if at == rest.endIndex { return (field[...], false) }
            if rest[at] != separator {
                let name = separator == comma ? "comma" : "separator"
                throw Malformed("line", "has something between a closing quote and the next \(name)")
            }
            rest = rest[(at + 1)...]
            return (field[...], true)
        }
        throw Malformed("line", "ends within quotes")
    }
}

/// Tells of lines, given one after another, whether they end within a quoted field, so that the next one belongs to it.
/// Quotes count where a field begins; fields may be separated by commas, semicolons or tabs.
public struct CSVQuotes: Sendable {
    public private(set) var isOpen = false

    public init() {}

    public mutating func add(_ line: ArraySlice<UInt8>) {
        if !line.contains(UInt8(ascii: "\"")) { return }
        var isStart = true
        var at = line.startIndex
        while at < line.endIndex {
            let byte = line[at]
            if isOpen {
                if byte == UInt8(ascii: "\"") {
                    let next = at + 1
                    if next < line.endIndex, line[next] == UInt8(ascii: "\"") {
                        at = next
                    } else {
                        isOpen = false
                        isStart = false
                    }
                }
            } else if byte == UInt8(ascii: "\""), isStart {
                isOpen = true
            } else {
                isStart = byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == 0x09
            }
            at += 1
        }
    }
}

/// The columns that a file's first line names, and their values in the lines after it.
package struct CSVHeader: Sendable {
    private let width: Int
    /// Where each column asked for stands. They are so few that looking through them is faster than hashing.
    private let positions: [(column: String, position: Int)]
    /// What stands between two fields: a comma, a semicolon or a tab, as the line tells by the names that it has.
    private let separator: UInt8

    package var separatesByComma: Bool { separator == CSV.comma }

    /// - Parameters:
    ///   - needed: Each column with the names it may have, the first being the one it is asked for by.
    ///   - optional: The same, for columns that may be missing.
    package init(_ line: ArraySlice<UInt8>, needed: [[String]], optional: [[String]] = []) throws(Malformed) {
        let line = line.withoutByteOrderMark
        let (separator, names) = try Self.names(line)
        self.separator = separator
        var positions: [(column: String, position: Int)] = []
        for (alternatives, mustBe) in needed.map({ ($0, true) }) + optional.map({ ($0, false) }) {
            if let position = names.firstIndex(where: { alternatives.contains($0) }) {
                let name = names[position]
                if names.count(where: { $0 == name }) > 1 {
                    throw Malformed("the first line", "names the column \(name) twice")
                }
                positions.append((alternatives[0], position))
            } else if mustBe {
                throw Malformed(
                    "the first line",
                    "names no column \(alternatives.joined(separator: " or ")); it has \(names.joined(separator: ", "))"
                )
            }
        }
        width = names.count
        self.positions = positions
    }

    /// The columns' names without the spaces around them, and what separates them: what makes most of them.
    private static func names(_ line: ArraySlice<UInt8>) throws(Malformed) -> (UInt8, [String]) {
        var most: (separator: UInt8, names: [String])?
        for separator in [CSV.comma, UInt8(ascii: ";"), 0x09] {
            // Quotes may only be right with one of them.
            guard let names = try? CSV.fields(line, separator: separator) else { continue }
            if names.count > most?.names.count ?? 0 { most = (separator, names) }
        }
        guard let most else { return (CSV.comma, try CSV.fields(line)) }
        let names = most.names.map { name in
            String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()).lowercased()
        }
        return (most.separator, names)
    }

    /// One line's values.
    package func row(_ line: ArraySlice<UInt8>) throws(Malformed) -> CSVRow {
        let fields = try CSV.fields(line, separator: separator, expected: width)
        if fields.count != width { throw Malformed("line", "has \(fields.count) fields, the first line has \(width)") }
        return CSVRow(fields: fields, positions: positions)
    }
}

package struct CSVRow: Sendable {
    fileprivate let fields: [String]
    fileprivate let positions: [(column: String, position: Int)]

    /// The value of a column, nil where it is empty or the file does not have it.
    package subscript(column: String) -> String? {
        guard let position = positions.first(where: { $0.column == column })?.position else { return nil }
        let field = fields[position]
        return field.isEmpty ? nil : field
    }

    package func required(_ column: String) throws(Malformed) -> String {
        guard let value = self[column] else { throw Malformed(column, "is missing") }
        return value
    }
}
