internal import EventModel

/// Reads likes: of a tweet, or by a user. What was deleted has none and is in nobody's.
struct ReadLikes {
    private typealias Tweet = Timelines.Tweet

    let reader: any ViewReader
    let hidden: Hidden

    init(_ reader: any ViewReader, for viewer: String?) throws {
        (self.reader, hidden) = (reader, try Hidden(from: viewer, reader))
    }

    /// Who likes a tweet, the latest first, without who has left. What a retweet passes on is what is liked.
    func likers(of owner: String, _ tweet: String, _ arguments: Arguments) throws -> Page {
        let columns = [Column("user", .text), Column("liked_at", .timestamp)]
        var originals = ReadOriginals(reader)
        guard let original = try originals.tweet(.text(owner), .text(tweet)), let author = original[0].text,
            try !hidden.isBlocked(author)
        else { return Page(columns: columns, rows: []) }
        let scan = Scan(
            Timelines.likes, by: "latest", equal: Array(original.prefix(2)), descending: true
        ).page(arguments)
        let page = try Page(of: scan, in: reader)
        let people = try Profiles.people(
            page.rows.compactMap { $0[Timelines.Like.user] }, in: Timelines.profiles, reader)
        let rows = try page.rows.compactMap { row -> Row? in
            guard let user = row[Timelines.Like.user], people[user]?.hasLeft != true, try !hidden.isBlocked(user)
            else { return nil }
            return [.text(user), row.value(Timelines.Like.at)]
        }
        return Page(columns: columns, rows: rows, next: page.next)
    }

    /// What a user likes, the latest first.
    func liked(by user: String, _ arguments: Arguments) throws -> Page {
        let columns = [
            Column("liked_at", .timestamp), Column("user", .text, "who wrote it"), Column("tweet", .text),
            Column("text", .text),
        ]
        if try hidden.isBlocked(user) { return Page(columns: columns, rows: []) }
        let scan = Scan(Timelines.likes, by: "liked", equal: [.text(user)], descending: true).page(arguments)
        let page = try Page(of: scan, in: reader)
        var originals = ReadOriginals(reader)
        let rows = try page.rows.compactMap { row -> Row? in
            let (owner, tweet) = (row.value(Timelines.Like.owner), row.value(Timelines.Like.tweet))
            guard let original = try originals.tweet(owner, tweet), let author = original[0].text,
                try !hidden.isBlocked(author)
            else { return nil }
            return [row.value(Timelines.Like.at)] + original
        }
        return Page(columns: columns, rows: rows, next: page.next)
    }

    /// Likes, replies, quotes and retweets of some tweets, in the order of their names.
    static func counts(of tweets: [Row], _ reader: any ViewReader) throws -> [Row: Row] {
        if tweets.isEmpty { return [:] }
        return try reader.rows(Timelines.counts, keys: tweets).reduce(into: [:]) { counts, row in
            counts[Array(row.prefix(2))] = Array(row.dropFirst(2))
        }
    }
}

/// Looks up tweets, and what retweets pass on, each once.
struct ReadOriginals {
    private typealias Tweet = Timelines.Tweet
    /// What following a retweet comes to.
    enum Original {
        /// The user, tweet and text.
        case known(Value, Value, Value)
        case deleted
        /// The first text on the way that there is.
        case unknown(Value)
    }

    private let reader: any ViewReader
    private var known: [Row: Original] = [:]

    init(_ reader: any ViewReader) { self.reader = reader }

    func row(_ user: Value, _ tweet: Value) throws -> Row? {
        try reader.rows(Scan(Timelines.tweets, equal: [user, tweet], limit: 1)).first
    }

    /// The tweet that a name comes to, however many retweets lie between: its user, its name and its text. Nil where it was
    /// deleted or is not known.
    mutating func tweet(_ user: Value, _ tweet: Value) throws -> Row? {
        // A retweet that was taken back passes nothing on any more.
        guard let row = try row(user, tweet), row[Tweet.deletedAt] == nil else { return nil }
        guard case .known(let user, let tweet, let text) = try original(user, tweet) else { return nil }
        return [user, tweet, text]
    }

    /// Looked up once, however many of a page's retweets pass it on.
    mutating func original(_ owner: Value, _ tweet: Value) throws -> Original {
        if let known = known[[owner, tweet]] { return known }
        let original = try reached(owner, tweet)
        known[[owner, tweet]] = original
        return original
    }

    private func reached(_ owner: Value, _ tweet: Value) throws -> Original {
        var (user, named, text) = (owner, tweet, Value.text(""))
        for _ in 0..<SocialLimits.hops {
            guard let row = try row(user, named) else { break }
            if row[Tweet.owner] == nil {
                return row[Tweet.deletedAt] == nil ? .known(user, named, row.value(Tweet.text)) : .deleted
            }
            if text == "" { text = row.value(Tweet.text) }
            (user, named) = (row.value(Tweet.owner), row.value(Tweet.original))
        }
        return .unknown(text)
    }
}
