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
    /// What the topics carry.
    enum Event: Readable {
        enum Content: Sendable {
            case told(SocialEvent.Kind)
            case looked(SocialFlagEvent.Kind)
            case news(SocialNewsEvent.Kind)
        }
        static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content? {
            if topic == "social.flags" { return try SocialFlagEvent.kind(in: bytes).map(Content.looked) }
            if topic == "social.news" { return try SocialNewsEvent.kind(in: bytes).map(Content.news) }
            return try SocialEvent.kind(in: bytes).map(Content.told)
        }
    }

    static let name = "moments"
    /// Raised with the model too: other words would put the same texts elsewhere. 3: with who counts as fake, whose tweets
    /// are hidden from whom, and what retweets pass on, so that one that was taken back counts no more.
    static let version = 3
    static let about = "Tweets and headlines that are surely about business, fun, technology, health, sports or news."
    static let topics = ["social.events", "social.flags", "social.news"]
    static let tables = [tweets, headlines, passed, retweets, flags, verdicts, hidden]

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
    static let retweets = Table(
        "social_moment_retweets", "One row a retweet that is there.",
        key: [Column("user", .text), Column("tweet", .text)],
        columns: [Column("owner", .text, "whose tweet it names"), Column("original", .text)])
    static let flags = Table(
        "social_moment_flags", "One row an account that looks like a fake.", key: [Column("user", .text)], columns: [])
    static let verdicts = Table(
        "social_moment_verdicts", "One row an account that a human has judged.", key: [Column("user", .text)],
        columns: [Column("verdict", .text, "cleared or fake")])
    static let hidden = Timelines.hiding("social_moment_hidden")

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .told(.tweetPosted(let e)):
            guard let label = Moments.label(e.text) else { return }
            view.put(
                Self.tweets,
                [
                    .text(e.user), .text(e.tweet), .text(label.name), .real(label.chance), .text(e.text),
                    Value(place.timestamp),
                ])
        case .told(.tweetDeleted(let e)):
            let key: Row = [.text(e.user), .text(e.tweet)]
            view.delete(Self.tweets, key)
            if let passed = try view.row(Self.retweets, key) {
                view.add(Self.passed, Array(passed[2...3]), [0, -1])
                view.delete(Self.retweets, key)
            }
        case .told(.tweetLiked(let e)): view.add(Self.passed, [.text(e.owner), .text(e.tweet)], [1, 0])
        case .told(.tweetUnliked(let e)): view.add(Self.passed, [.text(e.owner), .text(e.tweet)], [-1, 0])
        case .told(.retweeted(let e)):
            view.add(Self.passed, [.text(e.owner), .text(e.original)], [0, 1])
            view.put(Self.retweets, [.text(e.user), .text(e.tweet), .text(e.owner), .text(e.original)])
        case .told(.accountCleared(let e)): judge(e.account, .cleared, view)
        case .told(.fakeConfirmed(let e)): judge(e.account, .fake, view)
        case .looked(.accountFlagged(let e)): view.put(Self.flags, [.text(e.account)])
        case .looked(.accountPassed(let e)): view.delete(Self.flags, [.text(e.account)])
        case .news(.newsIngested(let e)):
            guard let label = Moments.label(e.title) else { return }
            view.put(
                Self.headlines,
                [
                    .text(e.publisher), .text(e.headline), .text(label.name), .real(label.chance), .text(e.title),
                    Value(place.timestamp),
                ])
        case .told(let told): Timelines.hide(told, in: Self.hidden, view)
        }
    }

    private func judge(_ account: String, _ verdict: Social.Verdict, _ view: ViewBatch) {
        view.put(Self.verdicts, [.text(account), .text(verdict.rawValue)])
    }
}

extension Query {
    private static let moment = OptionalParameter<String>(
        "moment", oneOf: Moments.classes, "the part of life (default: all)")
    private static let length = OptionalParameter<Duration>("window", "how far back, up to 7d (default: 1d)")
    private static let at = OptionalParameter<Timestamp>("at", "its end (default: now)")
    private static let viewer = OptionalParameter<String>(
        "viewer", "who reads: whom they block or mute, and who blocks them, is left out (default: anybody)")

    static let moments = Query(
        "social.moments", "Tweets and headlines of each part of life, ranked.", of: "social.moments",
        [moment, length, at, viewer], page: 20
    ) { arguments, reader in
        let window = arguments[length] ?? .seconds(86_400)
        if window < .seconds(60) || window > .seconds(7 * 86_400) { throw Malformed("window", "must be 1m to 7d") }
        let page = try RankedPage(arguments)
        let end = arguments[at] ?? page.moment ?? arguments.now
        let name = arguments[viewer]
        if let name { try Social.check(handle: name, "viewer") }
        let hidden = try Hidden(from: name.map(Social.handle), in: MomentTexts.hidden, reader)
        let read = ReadMoments(reader: reader, hidden: hidden, from: end - window, through: end)
        // A page has so many of each.
        let ranked = try (arguments[moment].map { [$0] } ?? Moments.classes).map {
            try read.ranked($0, limit: page.wanted)
        }
        return page.page(ReadMoments.columns, of: ranked, at: end)
    }
}

/// Ranks the texts of a class in a window.
///
/// Accounts that count as fake have nothing in it. The score is sure × (1 + ln(1 + likes + 2 × retweets)) / 2^(age / a quarter of the window).
struct ReadMoments {
    /// The latest of a class in the window that are ranked, of tweets and of headlines.
    static let most = 500
    /// The latest that are looked at where fakes, or who is hidden from the reader, wrote some of them.
    static let looked = 2000

    static let columns = [
        Column("moment", .text), Column("kind", .text, "tweet or headline"), Column("user", .text, "or publisher"),
        Column("tweet", .text, "or headline"), Column("text", .text), Column("score", .real), Column("sure", .real),
        Column("likes", .integer), Column("retweets", .integer), Column("posted_at", .timestamp),
    ]

    let reader: any ViewReader
    let hidden: Hidden
    let from: Timestamp
    let through: Timestamp

    func ranked(_ moment: String, limit: Int) throws -> [Row] {
        let tweets = try genuine(moment)
        var counts: [Row: Row] = [:]
        for row in try reader.rows(MomentTexts.passed, keys: tweets.map { Array($0.prefix(2)) }) {
            counts[Array(row.prefix(2))] = Array(row.suffix(2))
        }
        let found =
            tweets.map { shown($0, "tweet", counts[Array($0.prefix(2))] ?? [0, 0]) }
            + (try reader.rows(scan(MomentTexts.headlines, moment))).map { shown($0, "headline", [0, 0]) }
        let ranked = found.sorted { one, other in
            let (a, b) = (one[5].real ?? 0, other[5].real ?? 0)
            return a != b ? a > b : precedes([one[2], one[3]], [other[2], other[3]])
        }
        return Array(ranked.prefix(limit))
    }

    private func scan(_ table: Table, _ moment: String) -> Scan {
        Scan(
            table, by: "moment", equal: [.text(moment)], from: Value(from), through: Value(through), descending: true,
            limit: Self.most)
    }

    /// Tweets of those who are not hidden from the reader, and do not count as fake: by a human's word, or by the model's where no human has
    /// judged.
    private func genuine(_ moment: String) throws -> [Row] {
        var (found, looked, scan): ([Row], Int, Scan) = ([], 0, scan(MomentTexts.tweets, moment))
        var isLeftOut: [Value: Bool] = [:]
        while found.count < Self.most, looked < Self.looked {
            let rows = try reader.rows(scan)
            looked += rows.count
            let new = Set(rows.map { $0[0] }).filter { isLeftOut[$0] == nil }.map { [$0] }
            for row in try reader.rows(MomentTexts.flags, keys: new) { isLeftOut[row[0]] = true }
            for row in try reader.rows(MomentTexts.verdicts, keys: new) {
                isLeftOut[row[0]] = row[1].text == Social.Verdict.fake.rawValue
            }
            for author in new.map({ $0[0] }) {
                if isLeftOut[author] != true { isLeftOut[author] = try hidden.hides(author.text ?? "") }
            }
            found += rows.filter { isLeftOut[$0[0]] != true }
            guard rows.count == scan.limit, let last = rows.last else { break }
            scan.after = scan.order.map { last[$0] }
        }
        return Array(found.prefix(Self.most))
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
