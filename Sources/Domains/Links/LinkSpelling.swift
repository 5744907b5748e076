/// The codes that what somebody has asked for may mean.
enum LinkSpelling {
    /// What a text has put behind a link, and no code has.
    private static let trailing: Set<Character> = [
        ".", ",", ";", ":", "!", "?", ")", "]", "}", ">", "'", "\"", "…", "»", "”", "’",
    ]

    /// As it is written, and as an alias in small letters; none for what no link can have.
    static func of(_ asked: String) -> [String] {
        var code = asked
        if !isPlain(code) {
            let end = asked.lastIndex { !trailing.contains($0) }
            code = end.map { String(asked[...$0]) } ?? ""
            if !isPlain(code) { return [] }
        }
        if code.isEmpty || code.utf8.count > LinksLimits.alias.upperBound { return [] }
        let hasCapital = code.utf8.contains { (0x41...0x5a).contains($0) }
        return hasCapital ? [code, code.lowercased()] : [code]
    }

    /// Whether it has letters of ASCII, digits, - and _ alone.
    private static func isPlain(_ code: String) -> Bool {
        code.utf8.allSatisfy { byte in
            switch byte {
            case 0x41...0x5a, 0x61...0x7a, 0x30...0x39, 0x2d, 0x5f: true
            default: false
            }
        }
    }
}
