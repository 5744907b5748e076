/// Words and pairs of neighbouring words of a short text, as numbers below a limit (Weinberger et al. 2009, "Feature hashing").
package enum TextFeatures {
    /// 2^18: so few of what is met share one that it does not matter.
    package static let buckets: UInt32 = 1 << 18

    /// Letters and digits in lower case; links, names after @ and the sign # are left out.
    package static func words(of text: String) -> [String] {
        var words: [String] = []
        for part in text.split(whereSeparator: \.isWhitespace) {
            if part.hasPrefix("@") || part.hasPrefix("http://") || part.hasPrefix("https://") { continue }
            for word in part.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "'" }) {
                let bare = word.hasSuffix("'s") ? word.dropLast(2) : word
                if bare.count > 1 { words.append(bare.allSatisfy(\.isNumber) ? "0" : String(bare)) }
            }
        }
        return words
    }

    /// Each once, in ascending order.
    package static func numbers(of text: String) -> [UInt32] {
        let words = words(of: text)
        var found = Set(words.map(bucket))
        for (one, next) in zip(words, words.dropFirst()) { found.insert(bucket("\(one) \(next)")) }
        return found.sorted()
    }

    /// Words that stand for where a text was found: its site, and each folder of its address, but not the page's own name, which is
    /// the text again.
    package static func address(_ url: String) -> String {
        let rest = url.hasPrefix("https://") ? url.dropFirst(8) : url.hasPrefix("http://") ? url.dropFirst(7) : url[...]
        let parts = rest.lowercased().split(separator: "/")
        guard let site = parts.first else { return "" }
        func word(_ part: Substring) -> String { String(part.filter { $0.isLetter || $0.isNumber }) }
        let folders = parts.dropFirst().dropLast().filter { $0.contains(where: \.isLetter) && $0.utf8.count < 20 }
        let labels = site.split(separator: ".").dropLast()
        return (["site" + word(site)] + labels.map { "at" + word($0) } + folders.map { "in" + word($0) })
            .joined(separator: " ")
    }

    /// FNV-1a of 32 bits, folded.
    static func bucket(_ word: String) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for byte in word.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return (hash ^ (hash >> 18)) % buckets
    }
}
