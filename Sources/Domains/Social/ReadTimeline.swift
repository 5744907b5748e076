internal import EventModel

/// Reads a page of tweets, newest first: of one user, of those who name a user, or a whole home timeline.
///
/// A page's place is that of its last tweet (moment, user, identifier). Tweets that arrive meanwhile are newer, so going on
/// from there neither skips nor repeats one.
struct ReadTimeline {
    static let columns = [
        Column("posted_at", .timestamp), Column("user", .text), Column("tweet", .text), Column("text", .text),
        Column("retweet_of", .text, "who wrote it, where the user passed it on"), Column("original", .text),
        Column("why", .text, "own, following, mention or quote"), Column("reply_to_user", .text),
        Column("reply_to_tweet", .text), Column("quoted_user", .text), Column("quoted_tweet", .text),
    ]
    /// What is shown besides where it is asked for: a page of counts is read at once.
    static let counted = ["likes", "replies", "quotes", "retweets"].map { Column($0, .integer) }
    /// Readers that fetch more authors than this are shown those that come first by name.
    static let authors = 5000

    private typealias Tweet = Timelines.Tweet

    private enum Why: String { case own, following, mention, quote }

    private let reader: any ViewReader
    private let cursor: Row?
    private var sources: [MergedScans.Source] = []
    private var whys: [Why] = []
    private var originals: ReadOriginals
    private let hidden: Hidden
    /// Whether what is muted is hidden too: it is there for who looks at an author, and not for who reads what comes.
    private let hidesMuted: Bool

    /// - Parameter viewer: Who reads: what they have blocked is not shown, nor what is by who has blocked them. Nil is anybody.
    init(_ reader: any ViewReader, for viewer: String?, hidingMuted: Bool = false, from cursor: Row?) throws {
        if let cursor {
            guard cursor.count == 3, cursor[0].integer != nil, cursor[1].text != nil, cursor[2].text != nil else {
                throw Malformed("cursor", "is not one of a page of tweets")
            }
        }
        (self.reader, self.cursor, hidesMuted) = (reader, cursor, hidingMuted)
        (originals, hidden) = (ReadOriginals(reader), try Hidden(from: viewer, reader))
    }

    private func hides(_ author: Value) throws -> Bool {
        guard let author = author.text else { return false }
        return try hidesMuted ? hidden.hides(author) : hidden.isBlocked(author)
    }

    /// A user's home timeline.
    init(homeOf user: String, _ reader: any ViewReader, from cursor: Row?) throws {
        try self.init(reader, for: user, hidingMuted: true, from: cursor)
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

    /// Quotes of a tweet.
    mutating func addQuotes(of owner: String, _ tweet: String) {
        let named: Row = [.text(owner), .text(tweet)]
        let scan = Scan(Timelines.quotes, equal: named, descending: true, after: cursor.map { named + $0 })
        sources.append(MergedScans.Source(scan) { Array($0[2...4]) })
        whys.append(.quote)
    }

    private mutating func add(_ table: Table, _ user: String, _ why: Why) {
        let scan = Scan(table, equal: [.text(user)], descending: true, after: cursor.map { [.text(user)] + $0 })
        sources.append(MergedScans.Source(scan) { Array($0[1...3]) })
        whys.append(why)
    }

    mutating func addMerged(of user: String) throws {
        let authors = try reader.rows(Scan(Timelines.merged, equal: [.text(user)], limit: Self.authors))
        for author in authors.compactMap({ $0[Timelines.mergedAuthor] }) where try !hidden.hides(author) {
            add(tweetsOf: author, own: false)
        }
    }

    // MARK: What is shown

    /// - Parameter counts: Whether likes, replies, quotes and retweets are shown.
    mutating func page(limit: Int, counts: Bool = false) throws -> Page {
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
        if !counts { return Page(columns: Self.columns, rows: rows, next: cut ? last : nil) }
        // Those of a retweet are its original's.
        let names = rows.map { row -> Row in row[4] == .null ? [row[1], row[2]] : [row[4], row[5]] }
        let found = try ReadLikes.counts(of: names, reader)
        return Page(
            columns: Self.columns + Self.counted, rows: zip(rows, names).map { $0 + (found[$1] ?? [0, 0, 0, 0]) },
            next: cut ? last : nil)
    }

    /// A row of the page; nil where the tweet, or what it passes on, was deleted or is not known yet.
    private mutating func shown(_ found: MergedScans.Found) throws -> Row? {
        if try hides(found.place[1]) { return nil }
        let whole = found.row.count == Timelines.tweets.columns.count
        guard let tweet = whole ? found.row : try originals.row(found.place[1], found.place[2]) else { return nil }
        if tweet[Tweet.deletedAt] != nil { return nil }
        var (text, owner, original) = (
            tweet.value(Tweet.text), tweet.value(Tweet.owner), tweet.value(Tweet.original)
        )
        if owner != .null {
            switch try originals.original(owner, original) {
            case .known(let user, let tweet, let words): (owner, original, text) = (user, tweet, words)
            case .deleted: return nil
            case .unknown(let words): if text == "" { text = words }
            }
            if try hides(owner) { return nil }
        }
        return found.place + [
            text, owner, original, .text(whys[found.source].rawValue), tweet.value(Tweet.replyToUser),
            tweet.value(Tweet.replyToTweet), tweet.value(Tweet.quotedUser), tweet.value(Tweet.quotedTweet),
        ]
    }
}
