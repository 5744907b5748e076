internal import EventModel
@_spi(_Unicode) internal import Swift

/// What a search finds a text by.
///
/// A word is a run of letters, marks and digits of any script (Unicode's general categories L, M and N), without an
/// apostrophe within. It is folded: in lower case and without diacritics, so `Über` is `uber`. Runs of Han, kana and Hangul, which
/// have no spaces, are pairs of neighbours (bigrams), as in Lucene's CJKBigramFilter; one that stands alone is itself. A hashtag is
/// itself, with its #, and its words beside; a mention is itself alone, with its @. Links are left out.
enum SearchText {
    /// A term and where it stands: the words of a text are counted from 0. A hashtag stands where its first word does.
    struct Token: Hashable, Sendable {
        var term: String
        var place: Int
    }

    static func tokens(of text: String) -> [Token] {
        let scalars = Array(Check.composed(text).unicodeScalars)
        let composed = TweetText.string(scalars[...])
        var spans = TweetText.links(in: scalars).map { (range: $0, term: "") }
        spans += TweetText.hashtags(in: composed).map { ($0.range, "#" + fold($0.name)) }
        spans += TweetText.mentions(in: composed).map { ($0.range, "@" + fold($0.name)) }
        spans.sort { $0.range.lowerBound < $1.range.lowerBound }
        var (tokens, place, at) = ([Token](), 0, 0)
        for span in spans where span.range.lowerBound >= at {
            add(scalars[at..<span.range.lowerBound], &place, to: &tokens)
            at = span.range.upperBound
            if span.term.isEmpty { continue }
            tokens.append(Token(term: span.term, place: place))
            if span.term.hasPrefix("#") {
                add(scalars[span.range], &place, to: &tokens)
            } else {
                place += 1
            }
        }
        add(scalars[at...], &place, to: &tokens)
        return tokens
    }

    /// The words of a run without hashtags, mentions and links.
    private static func add(_ scalars: ArraySlice<Unicode.Scalar>, _ place: inout Int, to tokens: inout [Token]) {
        var at = scalars.startIndex
        while at < scalars.endIndex {
            guard isOfWord(scalars[at]) else {
                at += 1
                continue
            }
            let isJoined = joinsNeighbours(scalars[at])
            let end = end(of: scalars, from: at, isJoined: isJoined)
            let word = scalars[at..<end]
            at = end
            if isJoined {
                let pairs = max(1, word.count - 1)
                for i in 0..<pairs {
                    let start = word.startIndex + i
                    let pair = word[start..<min(start + 2, word.endIndex)]
                    tokens.append(Token(term: fold(TweetText.string(pair)), place: place + i))
                }
                place += pairs
            } else {
                let kept = word.filter { !isApostrophe($0) }.prefix(SearchLimits.word)
                let term = fold(TweetText.string(ArraySlice(kept)))
                if term.isEmpty { continue }
                tokens.append(Token(term: term, place: place))
                place += 1
            }
        }
    }

    private static func end(of scalars: ArraySlice<Unicode.Scalar>, from start: Int, isJoined: Bool) -> Int {
        var end = start
        while end < scalars.endIndex {
            let scalar = scalars[end]
            if isOfWord(scalar), joinsNeighbours(scalar) == isJoined || isMark(scalar) {
                end += 1
            } else if !isJoined, isApostrophe(scalar), end + 1 < scalars.endIndex, isOfWord(scalars[end + 1]),
                !joinsNeighbours(scalars[end + 1])
            {
                end += 1
            } else {
                break
            }
        }
        return end
    }

    private static func isApostrophe(_ scalar: Unicode.Scalar) -> Bool { scalar == "'" || scalar == "\u{2019}" }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return false }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return true
        default: return false
        }
    }

    private static func isOfWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return TweetText.isASCIILetter(scalar) || TweetText.isDigit(scalar) }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            return true
        // What makes a keycap or an emoji of the sign before it is of no word.
        case .nonspacingMark, .spacingMark: return !(0xfe00...0xfe0f).contains(scalar.value)
        default: return false
        }
    }

    /// Letters of scripts without spaces between words: Han, kana, Hangul.
    private static func joinsNeighbours(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x11ff, 0x3005...0x3007, 0x3040...0x30ff, 0x3130...0x318f, 0x31f0...0x31ff, 0x3400...0x4dbf,
            0x4e00...0x9fff, 0xa960...0xa97f, 0xac00...0xd7ff, 0xf900...0xfaff, 0xff66...0xffdc, 0x20000...0x3ffff:
            true
        default: false
        }
    }

    // MARK: Folding

    /// In lower case and without diacritics, composed.
    static func fold(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        var folded = String.UnicodeScalarView()
        for scalar in String(text.lowercased())._nfd where !isDiacritic(scalar) {
            if let letters = plain[scalar] {
                folded.append(contentsOf: letters.unicodeScalars)
            } else if (0xff01...0xff5e).contains(scalar.value), let narrow = Unicode.Scalar(scalar.value - 0xfee0) {
                folded.append(contentsOf: String(narrow).lowercased().unicodeScalars)
            } else {
                folded.append(scalar)
            }
        }
        return Check.composed(String(folded))
    }

    /// Signs that stand with letters of Latin, Greek and Cyrillic, and the vowel points of Arabic and Hebrew. Those of Indic
    /// scripts and of kana are letters to who reads them.
    private static func isDiacritic(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x300...0x36f, 0x483...0x487, 0x591...0x5bd, 0x5bf...0x5c7, 0x610...0x61a, 0x64b...0x65f, 0x670,
            0x1ab0...0x1aff, 0x1dc0...0x1dff, 0x20d0...0x20ff:
            true
        default: false
        }
    }

    /// Letters that Unicode does not take apart, as people type them without.
    private static let plain: [Unicode.Scalar: String] = [
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ς": "σ",
        "ħ": "h", "ŧ": "t",
    ]
}

/// What a search allows at most.
enum SearchLimits {
    /// Scalars of a word by which it is told apart; a longer one is the same as another with that beginning.
    static let word = 40
    /// Bytes of what is searched for.
    static let query = 512
    /// Words, phrases and filters of one search.
    static let parts = 16
    /// Matches, the newest, among which a search by rank finds the best.
    static let ranked = 500
    /// Places in the index that one page looks at. A page that ends there is shorter, and goes on by its cursor.
    static let looked = 2_000
    /// Names, by their alphabet, among which a search of people finds those with the most followers.
    static let people = 2_000
}
