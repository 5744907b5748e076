internal import CivilCalendar
internal import EventModel

/// What somebody looks for among tweets, read from one line.
///
/// Parts are separated by spaces and all must hold: a word, a `"phrase"`, `#tag`, `@mention`, `from:user`; each may have a `-`
/// before it, and must not hold then. `since:` and `until:` give moments in RFC 3339, or days of UTC: from that on, and before it.
struct SearchQuery: Hashable, Sendable {
    /// A run of terms: a word is one, a phrase several, each at its distance from the first.
    struct Part: Hashable, Sendable {
        var tokens: [SearchText.Token]
        /// As it was typed, without quotes, in lower case; nil of a filter.
        var shown: String?

        /// Whether a text has it.
        func holds(in tokens: Set<SearchText.Token>, of text: [SearchText.Token]) -> Bool {
            guard let first = self.tokens.first else { return true }
            return text.contains { start in
                start.term == first.term
                    && self.tokens.allSatisfy {
                        tokens.contains(
                            SearchText.Token(term: $0.term, place: start.place + $0.place - first.place))
                    }
            }
        }
    }
    /// What a tweet must have, and what it must not have.
    private(set) var wanted: [Part] = []
    private(set) var unwanted: [Part] = []
    /// From this moment on, and before that.
    private(set) var since: Timestamp?
    private(set) var until: Timestamp?

    /// How a tweet's author stands in the index.
    static func from(_ user: String) -> String { "from:\(user)" }

    init(_ text: String) throws(Malformed) {
        if text.utf8.count > SearchLimits.query {
            throw Malformed("q", "has \(text.utf8.count) bytes, at most \(SearchLimits.query) are allowed")
        }
        for (piece, isQuoted, isNegative) in try Self.pieces(of: text) {
            try add(piece, isQuoted: isQuoted, isNegative: isNegative)
        }
        if wanted.count + unwanted.count > SearchLimits.parts {
            throw Malformed(
                "q", "has \(wanted.count + unwanted.count) parts, at most \(SearchLimits.parts) are allowed")
        }
        if wanted.isEmpty {
            throw Malformed("q", "has nothing to look for; write a word, a \"phrase\", #tag, @mention or from:user")
        }
    }

    private mutating func add(_ piece: String, isQuoted: Bool, isNegative: Bool) throws(Malformed) {
        if !isQuoted {
            if let day = Self.value(piece, behind: "since:") {
                let moment = try Self.moment(day, isNegative, "since")
                since = since.map { max($0, moment) } ?? moment
                return
            }
            if let day = Self.value(piece, behind: "until:") {
                let moment = try Self.moment(day, isNegative, "until")
                until = until.map { min($0, moment) } ?? moment
                return
            }
            if let name = Self.value(piece, behind: "from:") {
                let user = name.hasPrefix("@") ? String(name.dropFirst()) : name
                try Social.check(handle: user, "from")
                let term = Self.from(Social.handle(user))
                keep(Part(tokens: [.init(term: term, place: 0)], shown: nil), isNegative)
                return
            }
        }
        let tokens = SearchText.tokens(of: piece)
        // Signs alone are nothing to look for.
        if tokens.isEmpty { return }
        // One hashtag is looked for as that, not by its words.
        let isTag = !isQuoted && piece.unicodeScalars.first.map { $0 == "#" || $0 == "\u{ff03}" } ?? false
        let own = isTag && tokens[0].term.hasPrefix("#") ? [tokens[0]] : tokens
        keep(Part(tokens: own, shown: Check.composed(piece.lowercased())), isNegative)
    }

    private mutating func keep(_ part: Part, _ isNegative: Bool) {
        if isNegative {
            if !unwanted.contains(part) { unwanted.append(part) }
        } else if !wanted.contains(part) {
            wanted.append(part)
        }
    }

    private static func value(_ piece: String, behind name: String) -> String? {
        guard piece.utf8.count > name.utf8.count, piece.lowercased().hasPrefix(name) else { return nil }
        return String(piece.dropFirst(name.count))
    }

    private static func moment(_ text: String, _ isNegative: Bool, _ name: String) throws(Malformed) -> Timestamp {
        if isNegative { throw Malformed("q", "has -\(name):, which means nothing; leave the - out") }
        let whole = text.utf8.count == 10 ? "\(text)T00:00:00Z" : text
        guard let moment = CivilTime.civil(whole), Timestamp.calendar.contains(moment) else {
            throw Malformed("q", "has \(name):\(text.prefix(40)), which is no day (2014-01-31) or moment of RFC 3339")
        }
        return moment
    }

    private static let quotes: Set<Character> = ["\"", "\u{201c}", "\u{201d}", "\u{201e}"]

    /// The parts of a line, with whether each is a phrase and whether it must not hold.
    private static func pieces(of text: String) throws(Malformed) -> [(String, isQuoted: Bool, isNegative: Bool)] {
        var pieces: [(String, isQuoted: Bool, isNegative: Bool)] = []
        var rest = text[...]
        while let start = rest.firstIndex(where: { !$0.isWhitespace }) {
            rest = rest[start...]
            let isNegative = rest.first == "-" && rest.dropFirst().first?.isWhitespace == false
            if isNegative { rest = rest.dropFirst() }
            if let quote = rest.first, quotes.contains(quote) {
                rest = rest.dropFirst()
                guard let end = rest.firstIndex(where: quotes.contains) else {
                    throw Malformed("q", "has a phrase without its second quote")
                }
                pieces.append((String(rest[..<end]), true, isNegative))
                rest = rest[rest.index(after: end)...]
            } else {
                let end = rest.firstIndex { $0.isWhitespace || quotes.contains($0) } ?? rest.endIndex
                pieces.append((String(rest[..<end]), false, isNegative))
                rest = rest[end...]
            }
        }
        return pieces
    }

    // MARK: What it is matched by

    /// The terms that a tweet must have, each once.
    var terms: [String] {
        var seen: Set<String> = []
        return wanted.flatMap(\.tokens).map(\.term).filter { seen.insert($0).inserted }
    }

    /// Whether a tweet's time is one that is looked for.
    func covers(_ time: Timestamp) -> Bool { since.map { $0 <= time } ?? true && until.map { time < $0 } ?? true }

    /// Whether a text has the parts that need more than their terms to be there: phrases.
    func phrasesHold(in text: [SearchText.Token]) -> Bool {
        let set = Set(text)
        return wanted.allSatisfy { $0.tokens.count == 1 || $0.holds(in: set, of: text) }
            && !unwanted.contains { $0.tokens.count > 1 && $0.holds(in: set, of: text) }
    }

    var hasPhrases: Bool { (wanted + unwanted).contains { $0.tokens.count > 1 } }

    /// What of it can trend: words and hashtags that are wanted, and phrases as they are, without the #.
    var topics: [String] {
        var topics: [String] = []
        for part in wanted {
            guard var shown = part.shown else { continue }
            while let sign = shown.first, sign == "#" || sign == "\u{ff03}" || sign == "$" { shown.removeFirst() }
            let isMention = part.tokens[0].term.hasPrefix("@")
            if isMention || shown.isEmpty || topics.contains(shown) { continue }
            if shown.unicodeScalars.contains(where: { $0.properties.isAlphabetic }) { topics.append(shown) }
        }
        return topics
    }
}
