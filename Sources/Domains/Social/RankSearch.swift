internal import EventModel
internal import Foundation

/// How well a tweet fits a search, and how much people made of it.
///
/// The text's part is BM25 as Lucene computes it (Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond,
/// 2009, section 3): for each term that is wanted, idf x tf x (k1 + 1) / (tf + k1 x (1 - b + b x length / mean length)), where
/// idf is ln(1 + (N - n + 0.5) / (n + 0.5)) of n among N tweets, k1 is 1.2 and b 0.75. The author of `from:` says nothing about the
/// text. The social part is 1 + ln(1 + likes + 2 x retweets) / 4. The score is their product.
struct SearchRank {
    static let k1 = 1.2
    static let b = 0.75
    /// What a retweet counts, in likes.
    static let retweet: Int64 = 2
    /// By how much the logarithm is divided.
    static let damping = 4.0

    /// Tweets in the index, and terms of all.
    var tweets: Int64
    var length: Int64

    /// - Parameter matched: Of each term how many tweets have it, and how often this one does.
    func relevance(_ matched: [(frequency: ReadSearch.Frequency, count: Int64)], length: Int64) -> Double {
        let mean = tweets > 0 ? Double(self.length) / Double(tweets) : 1
        let relative = mean > 0 ? Double(length) / mean : 1
        return matched.reduce(0) { sum, one in
            if one.frequency.term.hasPrefix("from:") { return sum }
            let (n, tf) = (Double(one.frequency.tweets), Double(one.count))
            let idf = log(1 + (Double(tweets) - n + 0.5) / (n + 0.5))
            return sum + idf * tf * (Self.k1 + 1) / (tf + Self.k1 * (1 - Self.b + Self.b * relative))
        }
    }

    static func social(likes: Int64, retweets: Int64) -> Double {
        1 + log(1 + Double(max(0, likes) + retweet * max(0, retweets))) / damping
    }

    init(tweets: Int64, length: Int64) { (self.tweets, self.length) = (tweets, length) }

    init(_ reader: any ViewReader) throws {
        let sums = try reader.sums([Search.Total.tweets, Search.Total.length], over: Scan(Search.totals))
        self.init(tweets: sums[0], length: sums[1])
    }
}

/// A page of a search.
struct SearchPage {
    static let columns = [
        Column("posted_at", .timestamp), Column("user", .text), Column("tweet", .text), Column("text", .text),
        Column("retweet_of", .text, "who wrote it, where it is found in the words of who passed it on"),
        Column("original", .text), Column("likes", .integer), Column("retweets", .integer),
        Column("score", .real, "relevance times social"), Column("relevance", .real, "BM25 of the words"),
        Column("social", .real, "1 + ln(1 + likes + 2 x retweets) / 4"),
    ]

    let query: SearchQuery
    let reader: any ViewReader
    let viewer: String?
    let limit: Int
    let cursor: Row?

    /// A match with what people made of it.
    private struct Scored {
        var match: ReadSearch.Match
        var likes: Int64
        var retweets: Int64
        var relevance: Double
        var social: Double
        var score: Double { relevance * social }

        var row: Row {
            let row = match.row
            return match.place + [
                row.value(Search.Tweet.text), row.value(Search.Tweet.owner), row.value(Search.Tweet.original),
                .integer(likes), .integer(retweets), .real(score), .real(relevance), .real(social),
            ]
        }
        static func ranks(_ a: Scored, before b: Scored) -> Bool {
            a.score != b.score ? a.score > b.score : precedes(b.match.place, a.match.place)
        }
    }

    private func scored(
        _ matches: [ReadSearch.Match], _ frequencies: [ReadSearch.Frequency], by rank: SearchRank
    ) throws -> [Scored] {
        if matches.isEmpty { return [] }
        // Of a retweet that stands for its original, what the original has.
        let names = matches.map { match -> Row in
            let owner = match.row.value(Search.Tweet.owner)
            return owner == .null
                ? [match.place[1], match.place[2]] : [owner, match.row.value(Search.Tweet.original)]
        }
        let marks = try reader.rows(Search.marks, keys: Array(Set(names))).reduce(into: [Row: Row]()) {
            $0[Array($1[0...1])] = $1
        }
        return zip(matches, names).map { match, name in
            let (likes, retweets) = (marks[name]?[2].integer ?? 0, marks[name]?[3].integer ?? 0)
            return Scored(
                match: match, likes: likes, retweets: retweets,
                relevance: rank.relevance(Array(zip(frequencies, match.counts)), length: match.length),
                social: SearchRank.social(likes: likes, retweets: retweets))
        }
    }

    // MARK: Newest first

    func newest() throws -> Page {
        if let cursor, !Self.isPlace(cursor) { throw Malformed("cursor", "is not one of a search, newest first") }
        var search = try ReadSearch(query, reader, for: viewer, after: cursor)
        var matches: [ReadSearch.Match] = []
        while matches.count < limit, let match = try search.next(looking: SearchLimits.looked) { matches.append(match) }
        let rows = try scored(matches, search.frequencies, by: SearchRank(reader)).map(\.row)
        let next = search.isOver ? nil : matches.count == limit ? matches.last?.place : search.end
        return Page(columns: Self.columns, rows: rows, next: next)
    }

    private static func isPlace(_ row: Row) -> Bool {
        row.count == 3 && row[0].integer != nil && row[1].text != nil && row[2].text != nil
    }

    // MARK: Best first

    /// The best of the newest matches. A page's place is its last row's score and place, the moment of the newest place that
    /// the first page looked at, and how common terms were then: what is posted later is not ranked, and moves nothing.
    func ranked() throws -> Page {
        let terms = query.terms.count
        if let cursor {
            let isOne =
                cursor.count == 7 + terms && cursor[0].real != nil && Self.isPlace(Array(cursor[1...3]))
                && cursor[4...].allSatisfy { $0.integer != nil }
            if !isOne { throw Malformed("cursor", "is not one of a search by rank") }
        }
        let newest = cursor?[4].integer.map { Timestamp($0) }
        var search = try ReadSearch(query, reader, for: viewer, newest: newest)
        var matches: [ReadSearch.Match] = []
        while matches.count < SearchLimits.ranked, let match = try search.next(looking: SearchLimits.looked) {
            matches.append(match)
        }
        guard let first = search.first, !matches.isEmpty else { return Page(columns: Self.columns, rows: []) }
        var (rank, frequencies) = (try SearchRank(reader), search.frequencies)
        if let cursor {
            rank = SearchRank(tweets: cursor[5].integer ?? 0, length: cursor[6].integer ?? 0)
            for i in 0..<terms { frequencies[i].tweets = cursor[7 + i].integer ?? 0 }
        }
        var found = try scored(matches, frequencies, by: rank).sorted(by: Scored.ranks)
        if let cursor, let score = cursor[0].real {
            let place = Array(cursor[1...3])
            found.removeAll { $0.score > score || $0.score == score && !precedes($0.match.place, place) }
        }
        let shown = found.prefix(limit)
        var next: Row?
        if shown.count < found.count, let last = shown.last {
            let moment = newest.map { Value($0) } ?? first[0]
            next = [.real(last.score)] + last.match.place + [moment, .integer(rank.tweets), .integer(rank.length)]
            next? += frequencies.map { .integer($0.tweets) }
        }
        return Page(columns: Self.columns, rows: shown.map(\.row), next: next)
    }
}
