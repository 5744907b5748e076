internal import EventModel

extension TweetText {
    /// Weighted characters: Latin and common signs count 1, all others and any emoji 2, a link ``linkLength``.
    static func length(of text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: ".") }) { return text.utf8.count }
        let scalars = Array(Check.composed(text).unicodeScalars)
        var links = links(in: scalars)[...]
        var (length, at) = (0, 0)
        while at < scalars.count {
            if let link = links.first, link.lowerBound == at {
                length += linkLength
                at = link.upperBound
                links.removeFirst()
            } else if let emoji = emoji(scalars, at: at) {
                length += 2
                at += emoji
            } else {
                length += weight(scalars[at])
                at += 1
            }
        }
        return length
    }

    /// The first scalar that no tweet may have: byte order marks, and what is no character.
    static func invalid(in text: String) -> Unicode.Scalar? {
        // Their UTF-8 begins with 0xef.
        if !text.utf8.contains(0xef) { return nil }
        return text.unicodeScalars.first { $0 == "\u{feff}" || $0 == "\u{fffe}" || $0 == "\u{ffff}" }
    }

    private static func weight(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0...4351, 8192...8205, 8208...8223, 8242...8247: 1
        default: 2
        }
    }

    // MARK: Emoji

    /// How many scalars the emoji that begins here has; nil where none does.
    ///
    /// By the grammar of UTS #51 (unicode.org/reports/tr51): keycaps, flags, tags and joined sequences.
    private static func emoji(_ scalars: [Unicode.Scalar], at start: Int) -> Int? {
        let first = scalars[start]
        func next(_ at: Int) -> Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }
        if first.isASCII {
            guard (0x30...0x39).contains(first.value) || first == "#" || first == "*" else { return nil }
            let keycap = start + (next(start + 1) == selector ? 2 : 1)
            return next(keycap) == "\u{20e3}" ? keycap + 1 - start : nil
        }
        // No other emoji has a scalar before U+2000 but these two.
        if first.value < 0x2000, first.value != 0xa9, first.value != 0xae { return nil }
        if isRegional(first) { return next(start + 1).map(isRegional) == true ? 2 : 1 }
        guard var end = element(scalars, at: start) else { return nil }
        while next(end) == "\u{200d}", end + 1 < scalars.count, let more = element(scalars, at: end + 1) { end = more }
        return end - start
    }

    private static let selector: Unicode.Scalar = "\u{fe0f}"

    private static func isRegional(_ scalar: Unicode.Scalar) -> Bool { (0x1f1e6...0x1f1ff).contains(scalar.value) }

    /// The end of one picture with what colours it, or the tags that make a flag of it.
    private static func element(_ scalars: [Unicode.Scalar], at start: Int) -> Int? {
        let first = scalars[start]
        guard first.properties.isEmoji, !first.isASCII, !isRegional(first) else { return nil }
        let end = start + 1
        guard end < scalars.count else { return needsSelector(first) ? nil : end }
        switch scalars[end] {
        case selector: return end + 1
        case "\u{fe0e}": return nil
        case _ where needsSelector(first): return nil
        case _ where scalars[end].properties.isEmojiModifier: return end + 1
        case _ where first == "\u{1f3f4}" && isTag(scalars[end]):
            let tags = scalars[end...].prefix(while: isTag)
            return tags.last == "\u{e007f}" ? tags.endIndex : end
        default: return end
        }
    }

    /// Signs that are text unless a selector makes pictures of them.
    private static func needsSelector(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "©" || scalar == "®" || scalar == "™" || scalar == "♟"
    }

    private static func isTag(_ scalar: Unicode.Scalar) -> Bool { (0xe0020...0xe007f).contains(scalar.value) }
}
