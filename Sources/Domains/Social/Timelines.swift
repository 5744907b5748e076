internal import EventModel
internal import SwiftProtobuf

/// Every tweet, and what each reader's timeline is merged from when it is read: entries handed to the reader, mentions,
/// and the authors whose tweets the reader fetches.
struct Timelines: Projection {
    /// What the topics carry.
    enum Event: Readable {
        enum Content: Sendable {
            case told(SocialEvent.Kind)
            case home(SocialHomeEvent.Kind)
            case profile(SocialProfileEvent.Kind)
        }
        static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content? {
            if topic == "social.profiles" { return try SocialProfileEvent.kind(in: bytes).map(Content.profile) }
            if topic == "social.home" { return try SocialHomeEvent.kind(in: bytes).map(Content.home) }
            return try SocialEvent.kind(in: bytes).map(Content.told)
        }
    }

    static let name = "timelines"
    /// 2: with replies, quotes, likes, and whose tweets are hidden from whom. 3: with retweets, and who follows whom.
    /// 4: with what people say of themselves.
    static let version = 4
    static let about = "Tweets, and the timelines made of them."
    static let topics = ["social.events", "social.home", "social.profiles"]
    static let tables = [
        tweets, entries, mentions, merged, replies, quotes, likes, counts, hidden, followees, followers,
        profiles,
    ]

    static let tweets = Table(
        "social_tweets", "One row a tweet or retweet.",
        key: [Column("user", .text, "who wrote it or passed it on"), Column("tweet", .text)],
        columns: [
            Column("posted_at", .timestamp), Column("text", .text, "empty once it is deleted"),
            Column("owner", .text, "of a retweet: who wrote the original"),
            Column("original", .text, "of a retweet: the original's identifier"), Column("deleted_at", .timestamp),
            Column("reply_to_user", .text, "of a reply: whom it answers"), Column("reply_to_tweet", .text),
            Column("quoted_user", .text, "of a quote: whose tweet it shows"), Column("quoted_tweet", .text),
        ],
        indexes: [Index("posted", ["user", "posted_at"])])
    static let entries = Table(
        "social_entries", "One row a reader and tweet that was handed to them.", key: placed("reader"), columns: [])
    static let mentions = Table(
        "social_mentions", "One row a user and tweet that names them.", key: placed("user"), columns: [])
    static let merged = Table(
        "social_merged", "One row a reader and author whose tweets they fetch.",
        key: [Column("reader", .text), Column("author", .text)], columns: [])

    static let replies = Table(
        "social_replies", "One row a tweet and a reply to it, also one that was deleted.", key: naming("reply"),
        columns: [])
    static let quotes = Table("social_quotes", "One row a tweet and a quote of it.", key: naming("quote"), columns: [])
    static let likes = Table(
        "social_likes", "One row a tweet and who likes it.",
        key: [Column("owner", .text, "who wrote it"), Column("tweet", .text), Column("user", .text)],
        columns: [Column("liked_at", .timestamp)],
        indexes: [Index("latest", ["owner", "tweet", "liked_at"]), Index("liked", ["user", "liked_at"])])
    static let counts = Table(
        "social_counts", "One row a tweet that is liked, answered, quoted or passed on.",
        key: [Column("owner", .text, "who wrote it"), Column("tweet", .text)],
        columns: [
            Column("likes", .integer), Column("replies", .integer, "that were not deleted"),
            Column("quotes", .integer, "that were not deleted"),
            Column("retweets", .integer, "that name it and were not deleted"),
        ])
    static let followees = Table(
        "social_followees", "One row a user and whom they follow.",
        key: [Column("user", .text), Column("followee", .text)], columns: [])
    static let followers = Table(
        "social_followers", "One row a user who is or was followed.", key: [Column("user", .text)],
        columns: [Column("followers", .integer)])
    static let hidden = hiding("social_hidden")
    static let profiles = Profiles.table("social_profiles")

    private static func naming(_ what: String) -> [Column] {
        [
            Column("owner", .text, "who wrote the tweet"), Column("tweet", .text), Column("posted_at", .timestamp),
            Column("user", .text), Column(what, .text),
        ]
    }

    /// Why an author is hidden from a reader.
    enum Hiding: String {
        case blocks, mutes
        case isBlocked = "blocked"
    }
    enum Like {
        static let owner = likes.text("owner")
        static let tweet = likes.text("tweet")
        static let user = likes.text("user")
        static let at = likes.timestamp("liked_at")
    }
    enum Counted {
        static let likes = counts.integer("likes")
        static let replies = counts.integer("replies")
        static let quotes = counts.integer("quotes")
    }

    private static func placed(_ whose: String) -> [Column] {
        [Column(whose, .text), Column("posted_at", .timestamp), Column("author", .text), Column("tweet", .text)]
    }

    enum Tweet {
        static let user = tweets.text("user")
        static let tweet = tweets.text("tweet")
        static let postedAt = tweets.timestamp("posted_at")
        static let text = tweets.text("text")
        static let owner = tweets.text("owner")
        static let original = tweets.text("original")
        static let deletedAt = tweets.timestamp("deleted_at")
        static let replyToUser = tweets.text("reply_to_user")
        static let replyToTweet = tweets.text("reply_to_tweet")
        static let quotedUser = tweets.text("quoted_user")
        static let quotedTweet = tweets.text("quoted_tweet")
    }
    enum Entry {
        static let author = entries.text("author")
        static let tweet = entries.text("tweet")
    }
    static let mergedAuthor = merged.text("author")

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .told(let told): try apply(told, at: place, to: view)
        case .home(let home): apply(home, to: view)
        case .profile(let profile): Profiles.fold(profile, into: Self.profiles, view)
        }
    }

    private func apply(_ event: SocialEvent.Kind, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .tweetPosted(let e):
            let (reply, quote) = (named(e.replyToUser, e.replyToTweet), named(e.quotedUser, e.quotedTweet))
            view.put(
                Self.tweets,
                [.text(e.user), .text(e.tweet), Value(place.timestamp), .text(e.text), .null, .null, .null]
                    + (reply ?? [.null, .null]) + (quote ?? [.null, .null]))
            let end: Row = [Value(place.timestamp), .text(e.user), .text(e.tweet)]
            if let reply {
                view.put(Self.replies, reply + end)
                view.add(Self.counts, reply, [0, 1, 0, 0])
            }
            if let quote {
                view.put(Self.quotes, quote + end)
                view.add(Self.counts, quote, [0, 0, 1, 0])
            }
        case .retweeted(let e):
            view.put(
                Self.tweets,
                [
                    .text(e.user), .text(e.tweet), Value(place.timestamp), .text(e.text), .text(e.owner),
                    .text(e.original), .null, .null, .null, .null, .null,
                ])
            view.add(Self.counts, [.text(e.owner), .text(e.original)], [0, 0, 0, 1])
        case .tweetDeleted(let e):
            try view.update(Self.tweets, [.text(e.user), .text(e.tweet)]) { row in
                if row[Tweet.deletedAt] == nil { count(row, -1, in: view) }
                row[Tweet.text] = ""
                row[Tweet.deletedAt] = place.timestamp
            }
        case .tweetLiked(let e):
            view.put(Self.likes, [.text(e.owner), .text(e.tweet), .text(e.user), Value(place.timestamp)])
            view.add(Self.counts, [.text(e.owner), .text(e.tweet)], [1, 0, 0, 0])
        case .tweetUnliked(let e):
            view.delete(Self.likes, [.text(e.owner), .text(e.tweet), .text(e.user)])
            view.add(Self.counts, [.text(e.owner), .text(e.tweet)], [-1, 0, 0, 0])
        case .userBlocked, .userUnblocked, .userMuted, .userUnmuted: Self.hide(event, in: Self.hidden, view)
        case .userFollowed(let e):
            view.put(Self.followees, [.text(e.user), .text(e.followee)])
            view.add(Self.followers, [.text(e.followee)], [1])
        case .userUnfollowed(let e):
            view.delete(Self.followees, [.text(e.user), .text(e.followee)])
            view.add(Self.followers, [.text(e.followee)], [-1])
        case .accountCleared, .fakeConfirmed: break
        }
    }

    private func named(_ owner: String, _ tweet: String) -> Row? {
        owner.isEmpty ? nil : [.text(owner), .text(tweet)]
    }

    /// What a tweet that comes or goes is to those that it names.
    private func count(_ row: Row, _ change: Int64, in view: ViewBatch) {
        let reply = (row.value(Tweet.replyToUser), row.value(Tweet.replyToTweet))
        if reply.0 != .null { view.add(Self.counts, [reply.0, reply.1], [0, change, 0, 0]) }
        let quote = (row.value(Tweet.quotedUser), row.value(Tweet.quotedTweet))
        if quote.0 != .null { view.add(Self.counts, [quote.0, quote.1], [0, 0, change, 0]) }
        let original = (row.value(Tweet.owner), row.value(Tweet.original))
        if original.0 != .null { view.add(Self.counts, [original.0, original.1], [0, 0, 0, change]) }
    }

    private func apply(_ event: SocialHomeEvent.Kind, to view: ViewBatch) {
        switch event {
        case .timelineEntriesAdded(let e):
            for entry in e.entries {
                for reader in e.readers { view.put(Self.entries, row(reader, e.author, entry)) }
            }
        case .timelineEntriesRemoved(let e):
            for entry in e.entries {
                for reader in e.readers { view.delete(Self.entries, row(reader, e.author, entry)) }
            }
        case .userMentioned(let e):
            for user in e.users { view.put(Self.mentions, row(user, e.author, e.entry)) }
        case .authorMerged(let e):
            for reader in e.readers { view.put(Self.merged, [.text(reader), .text(e.author)]) }
        case .authorUnmerged(let e):
            for reader in e.readers { view.delete(Self.merged, [.text(reader), .text(e.author)]) }
        }
    }

    private func row(_ whose: String, _ author: String, _ entry: SocialTimelineEntry) -> Row {
        [.text(whose), Value(Timestamp(entry.postedAt)), .text(author), .text(entry.tweet)]
    }
}
