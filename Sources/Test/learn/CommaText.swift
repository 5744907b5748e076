/// Rows of comma-separated values (RFC 4180): quotes, doubled quotes and line ends within them.
enum CommaText {
    static func rows(_ text: String) -> [[String]] {
        var rows: [[String]] = []
        var (row, field): ([String], [UInt8]) = ([], [])
        var isQuoted = false
        var after: UInt8 = 0
        for byte in text.utf8 {
            if isQuoted {
                if byte == UInt8(ascii: "\"") { isQuoted = false } else { field.append(byte) }
            } else if byte == UInt8(ascii: "\"") {
                if after == UInt8(ascii: "\"") { field.append(byte) }
                isQuoted = true
            } else if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") {
                row.append(String(decoding: field, as: UTF8.self))
                field = []
                if byte == UInt8(ascii: "\n") {
                    rows.append(row)
                    row = []
                }
            } else if byte != UInt8(ascii: "\r") {
                field.append(byte)
            }
            after = byte
        }
        if !row.isEmpty || !field.isEmpty { rows.append(row + [String(decoding: field, as: UTF8.self)]) }
        return rows
    }
}
