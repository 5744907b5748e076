internal import Foundation

/// How the first version read a tweet's text: what it decided and wrote so is on logs, and stands.
///
/// Links were only what begins with http:// or https://, up to the next space. ``TweetText`` has the rules of today.
enum FirstTweetText {
    typealias Span = TweetText.Span

    private static let longestHandle = TweetText.longestHandle
    static func hashtagNames(in text: String) -> [String] { names(hashtags(in: text)) }
    static func mentionNames(in text: String) -> [String] { names(mentions(in: text)) }

    private static func names(_ spans: [Span]) -> [String] {
        spans.reduce(into: []) { names, span in
            let name = span.name.lowercased()
            if !names.contains(name) { names.append(name) }
        }
    }

    // MARK: Hashtags

    static func hashtags(in text: String) -> [Span] {
        if !text.unicodeScalars.contains(where: isHash) { return [] }
        let scalars = Array(text.unicodeScalars)
        let links = links(in: scalars)
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
            if links.contains(where: { $0.overlaps(range) }) { continue }
            spans.append(Span(name: string(scalars[(sign + 1)..<end]), range: range))
        }
        return spans
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

    private static func isASCIILetter(_ scalar: Unicode.Scalar) -> Bool {
        (0x61...0x7a).contains(scalar.value | 0x20) && scalar.isASCII
    }

    static func isOfHandle(_ scalar: Unicode.Scalar) -> Bool {
        isASCIILetter(scalar) || (0x30...0x39).contains(scalar.value) || scalar == "_"
    }

    /// Latin letters with accents, which make what stands before them no handle.
    private static func isAccented(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xd7, 0xf7: false
        case 0xc0...0x24f, 0x300...0x36f, 0x1e00...0x1eff: true
        case 0x253, 0x254, 0x256, 0x257, 0x259, 0x25b, 0x263, 0x268, 0x26f, 0x272, 0x289, 0x28b, 0x2bb: true
        default: false
        }
    }

    // MARK: Links

    /// Where links stand: from http:// or https:// to the next space, without a closing sign of the sentence.
    private static func links(in scalars: [Unicode.Scalar]) -> [Range<Int>] {
        var links: [Range<Int>] = []
        var at = 0
        while let colon = scalars[at...].firstIndex(of: ":") {
            at = colon + 1
            guard isScheme(scalars, at: colon), let start = scheme(before: colon, scalars) else { continue }
            var end = scalars[(colon + 3)...].firstIndex { $0.properties.isWhitespace } ?? scalars.count
            while end > colon + 3, ".,!?:;'\")]…".unicodeScalars.contains(scalars[end - 1]) { end -= 1 }
            if end == colon + 3 { continue }
            links.append(start..<end)
            at = end
        }
        return links
    }

    private static func isScheme(_ scalars: [Unicode.Scalar], at colon: Int) -> Bool {
        colon + 2 < scalars.count && scalars[colon] == ":" && scalars[colon + 1] == "/" && scalars[colon + 2] == "/"
    }

    private static func scheme(before colon: Int, _ scalars: [Unicode.Scalar]) -> Int? {
        for scheme in ["https", "http"] where colon >= scheme.utf8.count {
            let start = colon - scheme.utf8.count
            if string(scalars[start..<colon]).lowercased() == scheme { return start }
        }
        return nil
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
