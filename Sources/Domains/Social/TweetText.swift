/// What a tweet's text holds and how long it is, by the rules of Twitter's own library (github.com/twitter/twitter-text,
/// configuration v3). Where it differs, docs/domains/social.md says so.
enum TweetText {
    /// A name in a text: where it stands, in code points, with its sign; and itself, without.
    struct Span: Hashable {
        var name: String
        var range: Range<Int>
    }

    /// The longest tweet, in weighted characters.
    static let longest = 280
    /// What a link counts, however long it is.
    static let linkLength = 23
    /// The longest name that may follow an @.
    static let longestHandle = 20

    // MARK: Hashtags

    static func hashtags(in text: String) -> [Span] {
        if !text.unicodeScalars.contains(where: isHash) { return [] }
        let scalars = Array(text.unicodeScalars)
        var links: [Range<Int>]?
        var spans: [Span] = []
        var at = 0
        while let sign = scalars[at...].firstIndex(where: isHash) {
            at = sign + 1
            guard sign == 0 || mayPrecedeHashtag(scalars[sign - 1]) else { continue }
            let end = scalars[at...].firstIndex { !isOfTag($0) } ?? scalars.count
            guard scalars[at..<end].contains(where: isLetter) else { continue }
            let range = sign..<end
            at = end
            if end < scalars.count, isHash(scalars[end]) || isScheme(scalars, at: end) { continue }
            if isCutShort(scalars, at: end) { continue }
            if links == nil { links = self.links(in: scalars) }
            if links?.contains(where: { $0.overlaps(range) }) == true { continue }
            spans.append(Span(name: string(scalars[(sign + 1)..<end]), range: range))
        }
        return spans
    }

    /// Whether a text ends here with the sign that says it was cut: what stands before is a part of a name.
    private static func isCutShort(_ scalars: [Unicode.Scalar], at end: Int) -> Bool {
        end < scalars.count && scalars[end] == "\u{2026}" && scalars[(end + 1)...].allSatisfy(\.properties.isWhitespace)
    }

    private static func isHash(_ scalar: Unicode.Scalar) -> Bool { scalar == "#" || scalar == "\u{ff03}" }

    private static func mayPrecedeHashtag(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\u{fe0e}" || scalar == "\u{fe0f}" || !(isOfTag(scalar) || scalar == "&")
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .enclosingMark:
            // What makes a keycap or an emoji of the sign before it is no letter.
            scalar != "\u{fe0f}" && scalar != "\u{20e3}"
        default: false
        }
    }

    /// Marks and joiners that twitter-text allows within a hashtag.
    private static let joiners: Set<Unicode.Scalar> = [
        "_", "\u{200c}", "\u{200d}", "\u{a67e}", "\u{05be}", "\u{05f3}", "\u{05f4}", "\u{ff5e}", "\u{301c}",
        "\u{309b}", "\u{309c}", "\u{30a0}", "\u{30fb}", "\u{3003}", "\u{0f0b}", "\u{0f0c}", "\u{00b7}",
    ]

    private static func isOfTag(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return isOfHandle(scalar) }
        return isLetter(scalar) || scalar.properties.generalCategory == .decimalNumber || joiners.contains(scalar)
    }

    // MARK: Mentions

    static func mentions(in text: String) -> [Span] {
        if !text.unicodeScalars.contains(where: isAt) { return [] }
        let scalars = Array(text.unicodeScalars)
        var links: [Range<Int>]?
        var spans: [Span] = []
        var at = 0
        while let sign = scalars[at...].firstIndex(where: isAt) {
            at = sign + 1
            guard mayPrecedeMention(scalars[..<sign]) else { continue }
            let end = scalars[at...].firstIndex { !isOfHandle($0) } ?? scalars.count
            let range = sign..<end
            at = end
            guard (1...longestHandle).contains(range.count - 1) else { continue }
            if end < scalars.count {
                let next = scalars[end]
                if isAt(next) || isAccented(next) || isScheme(scalars, at: end) { continue }
                // user/list names a list.
                if next == "/", end + 1 < scalars.count, isASCIILetter(scalars[end + 1]) { continue }
            }
            if isCutShort(scalars, at: end) { continue }
            if links == nil { links = self.links(in: scalars) }
            if links?.contains(where: { $0.overlaps(range) }) == true { continue }
            spans.append(Span(name: string(scalars[(sign + 1)..<end]), range: range))
        }
        return spans
    }

    private static func isAt(_ scalar: Unicode.Scalar) -> Bool { scalar == "@" || scalar == "\u{ff20}" }

    private static func mayPrecedeMention(_ before: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let last = before.last else { return true }
        if !isOfHandle(last), !"!#$%&*@\u{ff20}".unicodeScalars.contains(last) { return true }
        // RT@user: an old way to pass a tweet on.
        let word = before.suffix(3)
        guard before.count >= 2, string(before.suffix(2)).lowercased() == "rt" else { return false }
        return word.count == 2
            || !(isOfHandle(word[word.startIndex]) || "+~.-".unicodeScalars.contains(word[word.startIndex]))
    }

    static func isASCIILetter(_ scalar: Unicode.Scalar) -> Bool {
        (0x61...0x7a).contains(scalar.value | 0x20) && scalar.isASCII
    }

    static func isOfHandle(_ scalar: Unicode.Scalar) -> Bool {
        isASCIILetter(scalar) || (0x30...0x39).contains(scalar.value) || scalar == "_"
    }

    /// Latin letters with accents, which make what stands before them no handle.
    static func isAccented(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xd7, 0xf7: false
        case 0xc0...0x24f, 0x300...0x36f, 0x1e00...0x1eff: true
        case 0x253, 0x254, 0x256, 0x257, 0x259, 0x25b, 0x263, 0x268, 0x26f, 0x272, 0x289, 0x28b, 0x2bb: true
        default: false
        }
    }

    private static func isScheme(_ scalars: [Unicode.Scalar], at colon: Int) -> Bool {
        colon + 2 < scalars.count && scalars[colon] == ":" && scalars[colon + 1] == "/" && scalars[colon + 2] == "/"
    }

    static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
