internal import EventModel
internal import SwiftProtobuf

/// Every tweet, and what each reader's timeline is merged from when it is read: entries handed to the reader, mentions,
/// and the authors whose tweets the reader fetches.
struct Timelines: Projection {
    /// What the two topics carry.
    enum Event: Readable {
        enum Content: Sendable {
            case told(SocialEvent.Kind)
            case home(SocialHomeEvent.Kind)
        }
        static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content? {
            if topic == "social.home" { return try SocialHomeEvent.kind(in: bytes).map(Content.home) }
            return try SocialEvent.kind(in: bytes).map(Content.told)
        }
    }

    static let name = "timelines"
    static let version = 1
    static let about = "Tweets, and the timelines made of them."
    static let topics = ["social.events", "social.home"]
    static let tables = [tweets, entries, mentions, merged]

    static let tweets = Table(
        "social_tweets", "One row a tweet or retweet.",
        key: [Column("user", .text, "who wrote it or passed it on"), Column("tweet", .text)],
        columns: [
            Column("posted_at", .timestamp), Column("text", .text, "empty once it is deleted"),
            Column("owner", .text, "of a retweet: who wrote the original"),
            Column("original", .text, "of a retweet: the original's identifier"), Column("deleted_at", .timestamp),
        ],
        indexes: [Index("posted", ["user", "posted_at"])])
    static let entries = Table(
        "social_entries", "One row a reader and tweet that was handed to them.", key: placed("reader"), columns: [])
    static let mentions = Table(
        "social_mentions", "One row a user and tweet that names them.", key: placed("user"), columns: [])
    static let merged = Table(
        "social_merged", "One row a reader and author whose tweets they fetch.",
        key: [Column("reader", .text), Column("author", .text)], columns: [])

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
        }
    }

    private func apply(_ event: SocialEvent.Kind, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .tweetPosted(let e):
            view.put(
                Self.tweets,
                [.text(e.user), .text(e.tweet), Value(place.timestamp), .text(e.text), .null, .null, .null])
        case .retweeted(let e):
            view.put(
                Self.tweets,
                [
                    .text(e.user), .text(e.tweet), Value(place.timestamp), .text(e.text), .text(e.owner),
                    .text(e.original), .null,
                ])
        case .tweetDeleted(let e):
            try view.update(Self.tweets, [.text(e.user), .text(e.tweet)]) { row in
                row[Tweet.text] = ""
                row[Tweet.deletedAt] = place.timestamp
            }
        case .userFollowed, .userUnfollowed: break
        }
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
