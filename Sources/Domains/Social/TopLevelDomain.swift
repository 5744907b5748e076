/// Where a top-level domain ends that there is.
enum TopLevelDomain {
    private static let ascii = Set(TopLevelDomains.ascii.split(separator: " ").map { Array($0.utf8) })
    /// Letters of the longest.
    private static let longest = ascii.map(\.count).max() ?? 0
    /// Of other letters, longest first.
    private static let others = TopLevelDomains.others.split(separator: " ").map { Array($0.unicodeScalars) }
        .sorted { $0.count > $1.count }

    /// The end of the domain that begins at `start`. No letter or digit of ASCII, and none of @ + -, follows it.
    static func end(_ scalars: [Unicode.Scalar], at start: Int) -> Int? {
        guard start < scalars.count else { return nil }
        var (end, name) = (start, [UInt8]())
        while end < scalars.count, TweetText.isASCIILetter(scalars[end]) || TweetText.isDigit(scalars[end]) {
            name.append(TweetText.isDigit(scalars[end]) ? UInt8(scalars[end].value) : UInt8(scalars[end].value | 0x20))
            end += 1
            if name.count > longest { return nil }
        }
        let next = end < scalars.count ? scalars[end] : nil
        if next?.isASCII == false, let other = others.first(where: { isThere($0, scalars, start) }) {
            return start + other.count
        }
        if next != "@", next != "+", next != "-", ascii.contains(name) { return end }
        return encoded(scalars, start)
    }

    private static func isThere(_ domain: [Unicode.Scalar], _ scalars: [Unicode.Scalar], _ start: Int) -> Bool {
        let end = start + domain.count
        guard end <= scalars.count else { return false }
        for (i, scalar) in domain.enumerated() {
            let there = scalars[start + i]
            if there == scalar { continue }
            guard there.properties.isCased, there.properties.lowercaseMapping == String(scalar) else { return false }
        }
        return end == scalars.count || mayFollow(scalars[end])
    }

    private static func mayFollow(_ scalar: Unicode.Scalar) -> Bool {
        !(TweetText.isASCIILetter(scalar) || TweetText.isDigit(scalar) || "@+-".unicodeScalars.contains(scalar))
    }

    /// A domain in the encoding of DNS: `xn--` and what there may be of it.
    private static func encoded(_ scalars: [Unicode.Scalar], _ start: Int) -> Int? {
        let body = start + 4
        guard body < scalars.count, TweetText.string(scalars[start..<body]).lowercased() == "xn--" else { return nil }
        let rest = scalars[body...].prefix { TweetText.isASCIILetter($0) || TweetText.isDigit($0) || $0 == "-" }
        return rest.isEmpty ? nil : rest.endIndex
    }
}
