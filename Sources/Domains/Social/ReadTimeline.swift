internal import EventModel

/// Reads a page of tweets, newest first: of one user, of those who name a user, or a whole home timeline.
///
/// A page's place is that of its last tweet (moment, user, identifier). Tweets that arrive meanwhile are newer, so going on
/// from there neither skips nor repeats one.
struct ReadTimeline {
    static let columns = [
        Column("posted_at", .timestamp), Column("user", .text), Column("tweet", .text), Column("text", .text),
        Column("retweet_of", .text, "who wrote it, where the user passed it on"), Column("original", .text),
        Column("why", .text, "own, following or mention"),
    ]
    /// Readers that fetch more authors than this are shown those that come first by name.
    static let authors = 5000

    private typealias Tweet = Timelines.Tweet

    private enum Why: String { case own, following, mention }

    private let reader: any ViewReader
    private let cursor: Row?
    private var sources: [MergedScans.Source] = []
    private var whys: [Why] = []
    private var originals: [Row: Original] = [:]

    /// What a retweet comes to, however many retweets lie between.
    private enum Original {
        /// The user, tweet and text.
        case known(Value, Value, Value)
        case deleted
        /// The first text on the way that there is.
        case unknown(Value)
    }

    init(_ reader: any ViewReader, from cursor: Row?) throws {
        if let cursor {
            guard cursor.count == 3, cursor[0].integer != nil, cursor[1].text != nil, cursor[2].text != nil else {
                throw Malformed("cursor", "is not one of a page of tweets")
            }
        }
        self.reader = reader
        self.cursor = cursor
    }

    /// A user's home timeline.
    init(homeOf user: String, _ reader: any ViewReader, from cursor: Row?) throws {
        try self.init(reader, from: cursor)
        add(tweetsOf: user, own: true)
        addEntries(of: user)
        try addMerged(of: user)
        addMentions(of: user)
    }

    // MARK: What is read

    mutating func add(tweetsOf author: String, own: Bool) {
        var scan = Scan(Timelines.tweets, by: "posted", equal: [.text(author)], descending: true)
        if let cursor, let moment = cursor[0].integer {
            if cursor[1] == .text(author) {
                scan.after = [.text(author), cursor[0], cursor[2]]
            } else {
                // Of one moment, users come in the order of their names.
                scan.through = .integer(precedes([.text(author)], [cursor[1]]) ? moment : moment - 1)
            }
        }
        sources.append(
            MergedScans.Source(scan) { [$0.value(Tweet.postedAt), $0.value(Tweet.user), $0.value(Tweet.tweet)] })
        whys.append(own ? .own : .following)
    }

    mutating func addEntries(of user: String) { add(Timelines.entries, user, .following) }
    mutating func addMentions(of user: String) { add(Timelines.mentions, user, .mention) }

    private mutating func add(_ table: Table, _ user: String, _ why: Why) {
        let scan = Scan(table, equal: [.text(user)], descending: true, after: cursor.map { [.text(user)] + $0 })
        sources.append(MergedScans.Source(scan) { Array($0[1...3]) })
        whys.append(why)
    }

    mutating func addMerged(of user: String) throws {
        let authors = try reader.rows(Scan(Timelines.merged, equal: [.text(user)], limit: Self.authors))
        for author in authors.compactMap({ $0[Timelines.mergedAuthor] }) { add(tweetsOf: author, own: false) }
    }

    // MARK: What is shown

    mutating func page(limit: Int) throws -> Page {
        var merged = try MergedScans(sources, ahead: min(limit + 1, 32), in: reader)
        var rows: [Row] = []
        var last: Row?
        var cut = false
        while let found = try merged.next() {
            // A tweet that came in several ways comes once.
            if found.place == last { continue }
            if rows.count == limit {
                // Whether more follow is told without looking whether they were deleted.
                cut = true
                break
            }
            last = found.place
            if let row = try shown(found) { rows.append(row) }
        }
        return Page(columns: Self.columns, rows: rows, next: cut ? last : nil)
    }

    /// A row of the page; nil where the tweet, or what it passes on, was deleted or is not known yet.
    private mutating func shown(_ found: MergedScans.Found) throws -> Row? {
        let whole = found.row.count == Timelines.tweets.columns.count
        guard let tweet = whole ? found.row : try self.tweet(found.place[1], found.place[2]) else { return nil }
        if tweet[Tweet.deletedAt] != nil { return nil }
        var (text, owner, original) = (
            tweet.value(Tweet.text), tweet.value(Tweet.owner), tweet.value(Tweet.original)
        )
        if owner != .null {
            switch try self.original(owner, original) {
            case .known(let user, let tweet, let words): (owner, original, text) = (user, tweet, words)
            case .deleted: return nil
            case .unknown(let words): if text == "" { text = words }
            }
        }
        return found.place + [text, owner, original, .text(whys[found.source].rawValue)]
    }

    private func tweet(_ user: Value, _ tweet: Value) throws -> Row? {
        try reader.rows(Scan(Timelines.tweets, equal: [user, tweet], limit: 1)).first
    }

    /// Looked up once, however many of a page's retweets pass it on.
    private mutating func original(_ owner: Value, _ tweet: Value) throws -> Original {
        if let known = originals[[owner, tweet]] { return known }
        let original = try reached(owner, tweet)
        originals[[owner, tweet]] = original
        return original
    }

    private func reached(_ owner: Value, _ tweet: Value) throws -> Original {
        var (user, named, text) = (owner, tweet, Value.text(""))
        for _ in 0..<SocialLimits.hops {
            guard let row = try self.tweet(user, named) else { break }
            if row[Tweet.owner] == nil {
                return row[Tweet.deletedAt] == nil ? .known(user, named, row.value(Tweet.text)) : .deleted
            }
            if text == "" { text = row.value(Tweet.text) }
            (user, named) = (row.value(Tweet.owner), row.value(Tweet.original))
        }
        return .unknown(text)
    }
}
