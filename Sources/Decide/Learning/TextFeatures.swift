/// Words, pairs of neighbouring words, and pieces of words of a short text, as numbers below a limit (Weinberger et al. 2009,
/// "Feature hashing"). Of a word that is new its pieces may be known.
package enum TextFeatures {
    /// 2^24, four signs of 64: so few of what is met share one that it does not matter.
    package static let buckets: UInt32 = 1 << 24
    /// How many letters the pieces of a word have; the ends of a word count as one.
    private static let pieces = 4...5

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
        var found = Set(words.map { bucket($0.utf8) })
        for (one, next) in zip(words, words.dropFirst()) { found.insert(bucket("\(one) \(next)".utf8)) }
        for word in words {
            let letters = Array("<\(word)>".utf8)
            for length in pieces where letters.count >= length {
                for start in 0...letters.count - length { found.insert(bucket(letters[start..<start + length])) }
            }
        }
        return found.sorted()
    }

    /// FNV-1a of 32 bits, folded.
    static func bucket(_ letters: some Sequence<UInt8>) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for byte in letters { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return (hash ^ (hash >> 24)) % buckets
    }
}
