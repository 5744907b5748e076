internal import EventModel

/// Goes through the tweets that a search finds, the newest first: the places of the rarest term, of which each is looked up under
/// the other terms.
struct ReadSearch {
    /// A tweet that was found.
    struct Match {
        /// Its moment, author and identifier.
        var place: Row
        /// Its row in ``Search/tweets``.
        var row: Row
        /// How often it has each of the query's terms, in their order, and how many terms it has in all.
        var counts: [Int64]
        var length: Int64
    }
    /// How common a term is.
    struct Frequency {
        var term: String
        var tweets: Int64
    }

    private let query: SearchQuery
    private let reader: any ViewReader
    private let hidden: Hidden
    /// In the query's order.
    let frequencies: [Frequency]
    private var scan: Scan?
    private var rest: ArraySlice<Match> = []
    /// Places that were read so far.
    private(set) var looked = 0
    /// The first place that was read, whether or not it was a match.
    private(set) var first: Row?
    /// The last place that was read, whether or not it was a match.
    private(set) var last: Row?

    /// - Parameters:
    ///   - place: Goes on after this moment, author and identifier.
    ///   - newest: No tweet after this moment is found.
    init(
        _ query: SearchQuery, _ reader: any ViewReader, for viewer: String?, after place: Row? = nil,
        newest: Timestamp? = nil
    ) throws {
        (self.query, self.reader) = (query, reader)
        hidden = try Hidden(from: viewer, in: Search.hidden, reader)
        frequencies = try query.terms.map { term in
            let sum = try reader.sums([Search.tweetsWithTerm], over: Scan(Search.terms, equal: [.text(term)]))
            return Frequency(term: term, tweets: sum.first ?? 0)
        }
        guard let rarest = frequencies.min(by: { $0.tweets < $1.tweets }), rarest.tweets > 0 else { return }
        var scan = Scan(Search.places, equal: [.text(rarest.term)], descending: true, limit: 64)
        scan.from = query.since.map { Value($0) }
        let end = query.until.map { Timestamp($0.rawValue - 1) }
        scan.through = [end, newest].compactMap { $0 }.min().map { Value($0) }
        if let place { scan.after = [.text(rarest.term)] + place }
        self.scan = scan
    }

    /// The next match; nil at the end, or once `most` places were read.
    mutating func next(looking most: Int) throws -> Match? {
        while rest.isEmpty {
            guard var scan, looked < most else { return nil }
            scan.limit = min(scan.limit, most - looked)
            let rows = try reader.rows(scan)
            looked += rows.count
            first = first ?? rows.first.map { Array($0[1...3]) }
            rest = try matches(rows)[...]
            if rows.count < scan.limit {
                self.scan = nil
            } else if let end = rows.last {
                self.scan?.after = Array(end[0...3])
                // The first pages are short: most searches want few.
                self.scan?.limit = 256
            }
        }
        let match = rest.popFirst()
        last = match?.place ?? last
        return match
    }

    /// Whether all places were read, and all matches of them taken.
    var isOver: Bool { scan == nil && rest.isEmpty }
    /// Where what was read ends, once all matches of it were taken.
    var end: Row? { rest.isEmpty ? scan?.after.map { Array($0.dropFirst()) } ?? last : last }

    /// Those of the rarest term's places that are matches.
    private func matches(_ rows: [Row]) throws -> [Match] {
        let rarest = rows.first?[0].text ?? ""
        var found = rows.map { row in
            (
                place: Array(row[1...3]), length: row[Search.Found.length] ?? 0,
                counts: [rarest: row[Search.Found.count] ?? 0]
            )
        }
        found = try found.filter { try $0.place[1].text.map { try !hidden.hides($0) } ?? false }
        for term in frequencies.sorted(by: { $0.tweets < $1.tweets }).map(\.term) where term != rarest {
            if found.isEmpty { return [] }
            let there = try counts(of: term, at: found.map(\.place))
            found = found.compactMap { one in
                guard let count = there[one.place] else { return nil }
                var one = one
                one.counts[term] = count
                return one
            }
        }
        for part in query.unwanted where part.tokens.count == 1 {
            if found.isEmpty { return [] }
            let there = try counts(of: part.tokens[0].term, at: found.map(\.place))
            found = found.filter { there[$0.place] == nil }
        }
        let tweets = try reader.rows(Search.tweets, keys: found.map { [$0.place[1], $0.place[2]] })
        let rows = Dictionary(tweets.map { (Array($0[0...1]), $0) }) { $1 }
        let known = try originals(of: tweets)
        return found.compactMap { one in
            guard let row = rows[[one.place[1], one.place[2]]], let text = row[Search.Tweet.text] else { return nil }
            if let owner = row[Search.Tweet.owner] {
                if known.contains([.text(owner), row.value(Search.Tweet.original)]) { return nil }
                if (try? hidden.hides(owner)) ?? true { return nil }
            }
            if query.hasPhrases, !query.phrasesHold(in: SearchText.tokens(of: text)) { return nil }
            return Match(
                place: one.place, row: row, counts: frequencies.map { one.counts[$0.term] ?? 0 }, length: one.length)
        }
    }

    private func counts(of term: String, at places: [Row]) throws -> [Row: Int64] {
        try reader.rows(Search.places, keys: places.map { [.text(term)] + $0 }).reduce(into: [:]) {
            $0[Array($1[1...3])] = $1[Search.Found.count] ?? 0
        }
    }

    /// Those of the tweets that retweets pass on that are here, or were: then they are found themselves, or are not to be found.
    private func originals(of tweets: [Row]) throws -> Set<Row> {
        let named = tweets.compactMap { row -> Row? in
            let owner = row.value(Search.Tweet.owner)
            return owner == .null ? nil : [owner, row.value(Search.Tweet.original)]
        }
        if named.isEmpty { return [] }
        return Set(try reader.rows(Search.tweets, keys: Array(Set(named))).map { Array($0[0...1]) })
    }
}
