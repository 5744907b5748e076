internal import EventModel
internal import Learning
internal import SwiftProtobuf

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Tweets and headlines by the part of life that they are about, where that is sure.
struct MomentTexts: Projection {
    /// What the two topics carry.
    enum Event: Readable {
        enum Content: Sendable {
            case told(SocialEvent.Kind)
            case news(SocialNewsEvent.Kind)
        }
        static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content? {
            if topic == "social.news" { return try SocialNewsEvent.kind(in: bytes).map(Content.news) }
            return try SocialEvent.kind(in: bytes).map(Content.told)
        }
    }

    static let name = "moments"
    /// Raised with the model too: other words would put the same texts elsewhere.
    static let version = 2
    static let about = "Tweets and headlines that are surely about business, fun, technology, health, sports or news."
    static let topics = ["social.events", "social.news"]
    static let tables = [tweets, headlines, passed]

    private static let columns = [
        Column("moment", .text, "the class"), Column("sure", .real, "the chance of the class"), Column("text", .text),
        Column("posted_at", .timestamp),
    ]
    static let tweets = Table(
        "social_moment_tweets", "One row a tweet of a class.", key: [Column("user", .text), Column("tweet", .text)],
        columns: columns, indexes: [Index("moment", ["moment", "posted_at"])])
    static let headlines = Table(
        "social_moment_headlines", "One row a headline of a class.",
        key: [Column("publisher", .text), Column("headline", .text)], columns: columns,
        indexes: [Index("moment", ["moment", "posted_at"])])
    static let passed = Table(
        "social_moment_counts", "How often a tweet was liked and passed on.",
        key: [Column("owner", .text), Column("tweet", .text)],
        columns: [Column("likes", .integer), Column("retweets", .integer)])

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        switch event {
        case .told(.tweetPosted(let e)):
            guard let label = Moments.label(e.text) else { return }
            view.put(
                Self.tweets,
                [
                    .text(e.user), .text(e.tweet), .text(label.name), .real(label.chance), .text(e.text),
                    Value(place.timestamp),
                ])
        case .told(.tweetDeleted(let e)): view.delete(Self.tweets, [.text(e.user), .text(e.tweet)])
        case .told(.tweetLiked(let e)): view.add(Self.passed, [.text(e.owner), .text(e.tweet)], [1, 0])
        case .told(.tweetUnliked(let e)): view.add(Self.passed, [.text(e.owner), .text(e.tweet)], [-1, 0])
        case .told(.retweeted(let e)): view.add(Self.passed, [.text(e.owner), .text(e.original)], [0, 1])
        case .news(.newsIngested(let e)):
            guard let label = Moments.label(e.title) else { return }
            view.put(
                Self.headlines,
                [
                    .text(e.publisher), .text(e.headline), .text(label.name), .real(label.chance), .text(e.title),
                    Value(place.timestamp),
                ])
        case .told: break
        }
    }
}

extension Query {
    private static let moment = OptionalParameter<String>(
        "moment", oneOf: Moments.classes, "the part of life (default: all)")
    private static let length = OptionalParameter<Duration>("window", "how far back, up to 7d (default: 1d)")
    private static let at = OptionalParameter<Timestamp>("at", "its end (default: now)")

    static let moments = Query(
        "social.moments", "Tweets and headlines of each part of life, ranked.", of: "social.moments",
        [moment, length, at], page: 20
    ) { arguments, reader in
        let window = arguments[length] ?? .seconds(86_400)
        if window < .seconds(60) || window > .seconds(7 * 86_400) { throw Malformed("window", "must be 1m to 7d") }
        if arguments.cursor != nil { throw Malformed("cursor", "is not taken: ask for more with --limit") }
        let end = arguments[at] ?? arguments.now
        let read = ReadMoments(reader: reader, from: end - window, through: end)
        let rows = try (arguments[moment].map { [$0] } ?? Moments.classes).flatMap {
            try read.ranked($0, limit: arguments.limit)
        }
        return Page(columns: ReadMoments.columns, rows: Array(rows.prefix(Limits.pageRows)))
    }
}

/// Ranks the texts of a class in a window.
///
/// The score is sure × (1 + ln(1 + likes + 2 × retweets)) / 2^(age / a quarter of the window).
struct ReadMoments {
    /// The latest of a class in the window that are ranked, of tweets and of headlines.
    static let most = 500

    static let columns = [
        Column("moment", .text), Column("kind", .text, "tweet or headline"), Column("user", .text, "or publisher"),
        Column("tweet", .text, "or headline"), Column("text", .text), Column("score", .real), Column("sure", .real),
        Column("likes", .integer), Column("retweets", .integer), Column("posted_at", .timestamp),
    ]

    let reader: any ViewReader
    let from: Timestamp
    let through: Timestamp

    init(reader: any ViewReader, from: Timestamp, through: Timestamp) {
        (self.reader, self.from, self.through) = (reader, from, through)
    }

    func ranked(_ moment: String, limit: Int) throws -> [Row] {
        let tweets = try rows(MomentTexts.tweets, moment)
        var counts: [Row: Row] = [:]
        for row in try reader.rows(MomentTexts.passed, keys: tweets.map { Array($0.prefix(2)) }) {
            counts[Array(row.prefix(2))] = Array(row.suffix(2))
        }
        let found =
            tweets.map { shown($0, "tweet", counts[Array($0.prefix(2))] ?? [0, 0]) }
            + (try rows(MomentTexts.headlines, moment)).map { shown($0, "headline", [0, 0]) }
        let ranked = found.sorted { one, other in
            let (a, b) = (one[5].real ?? 0, other[5].real ?? 0)
            return a != b ? a > b : precedes([one[2], one[3]], [other[2], other[3]])
        }
        return Array(ranked.prefix(limit))
    }

    private func rows(_ table: Table, _ moment: String) throws -> [Row] {
        try reader.rows(
            Scan(
                table, by: "moment", equal: [.text(moment)], from: Value(from), through: Value(through),
                descending: true, limit: Self.most))
    }

    private func shown(_ row: Row, _ kind: String, _ counts: Row) -> Row {
        let (likes, retweets) = (max(0, counts[0].integer ?? 0), max(0, counts[1].integer ?? 0))
        let posted = row[5].integer ?? 0
        let quarter = Double(through.rawValue - from.rawValue) / 4
        let age = Double(through.rawValue - posted) / quarter
        let weight = 1 + log(1 + Double(likes) + 2 * Double(retweets))
        let score = (row[3].real ?? 0) * weight * exp2(-age)
        return [
            row[2], .text(kind), row[0], row[1], row[4], .real(score), row[3], .integer(likes), .integer(retweets),
            row[5],
        ]
    }
}
