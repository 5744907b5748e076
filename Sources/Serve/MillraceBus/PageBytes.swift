package import EventModel

/// Writes pages of the same columns as JSON, byte by byte the same as ``QueryCall/json(_:asOf:)``.
package struct PageBytes: Sendable {
    private let columns: [Column]
    /// What stands before each value.
    private let names: [[UInt8]]

    package init(_ columns: [Column]) {
        self.columns = columns
        names = columns.enumerated().map { number, column in
            Array("\(number == 0 ? "{" : ",")\(JSON.string(JSON.camel(column.name))):".utf8)
        }
    }

    /// Whether it was made for these.
    package func fits(_ columns: [Column]) -> Bool { columns == self.columns }

    /// - Parameters:
    ///   - next: Where the next page begins; nil at the end.
    ///   - asOf: The offsets as JSON.
    package func write(_ rows: [Row], next: String?, asOf: String, to bytes: inout [UInt8]) {
        bytes += #"{"rows":["#.utf8
        for (number, row) in rows.enumerated() {
            if number > 0 { bytes.append(UInt8(ascii: ",")) }
            write(row, to: &bytes)
        }
        bytes += #"],"next":"#.utf8
        if let next { Self.write(next, to: &bytes) } else { bytes += "null".utf8 }
        bytes += #","asOf":"#.utf8
        bytes += asOf.utf8
        bytes.append(UInt8(ascii: "}"))
    }

    private func write(_ row: Row, to bytes: inout [UInt8]) {
        if columns.isEmpty { bytes.append(UInt8(ascii: "{")) }
        for number in 0..<min(row.count, columns.count) {
            bytes += names[number]
            switch row[number] {
            case .null: bytes += "null".utf8
            case .integer(let ms) where columns[number].kind == .timestamp:
                Self.write(Timestamp(ms).rfc3339, to: &bytes)
            case .integer(let value): bytes += String(value).utf8
            case .real(let value): bytes += String(value).utf8
            case .text(let text): Self.write(text, to: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        let isPlain = text.withUTF8 { text in
            for byte in text where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                return false
            }
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: text)
            bytes.append(UInt8(ascii: "\""))
            return true
        }
        if !isPlain { bytes += JSON.string(text).utf8 }
    }
}
