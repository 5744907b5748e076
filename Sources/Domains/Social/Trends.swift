internal import EventModel
internal import SwiftProtobuf

/// How often each hashtag was used in every minute and in every hour, as partial counts of each partition; and what people looked for, and
/// what headlines say (``NewsPhrases``), by the same names.
///
/// A tweet counts when it is posted. What a retweet counts is known where it meets its original, and what a deletion takes
/// away where the tweet is remembered: ``Retweets`` tells both as changes. The counts are of all accounts; beside them stands who used
/// what, and who is marked as a fake, so that ``FakeUses`` can be taken away whenever the marks change. Headlines are of no account.
struct Trends: Projection {
    /// What the topics carry.
    enum Event: Readable {
        enum Content: Sendable {
            case told(SocialEvent.Kind)
            case changed(SocialRetweetEvent.Kind)
            case searched(SocialSearchEvent.Kind)
            case looked(SocialFlagEvent.Kind)
            case news(SocialNewsEvent.Kind)
        }
        static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content? {
            if topic == "social.retweets" { return try SocialRetweetEvent.kind(in: bytes).map(Content.changed) }
            if topic == "social.searches" { return try SocialSearchEvent.kind(in: bytes).map(Content.searched) }
            if topic == "social.flags" { return try SocialFlagEvent.kind(in: bytes).map(Content.looked) }
            if topic == "social.news" { return try SocialNewsEvent.kind(in: bytes).map(Content.news) }
            return try SocialEvent.kind(in: bytes).map(Content.told)
        }
    }

    static let name = "trends"
    /// 2: deleted tweets count no more, retweets count by their originals, and a hashtag is counted in its composed form.
    /// 3: with what people look for, and the hashtags of each user.
    /// 4: who used what, and who looks like a fake.
    /// 5: with phrases of headlines.
    static let version = 5
    static let about = "Hashtags, what is looked for and what headlines say, of every minute and hour."
    static let topics = ["social.events", "social.retweets", "social.searches", "social.flags", "social.news"]
    static let tables = [minutes, hours, interests, uses, flags, verdicts]

    static let minutes = counts("social_tag_minutes", "minute", "minutes since 1970 UTC")
    static let hours = counts("social_tag_hours", "hour", "hours since 1970 UTC")

    private static func counts(_ name: String, _ unit: String, _ about: String) -> Table {
        Table(
            name, "One row a hashtag, what is looked for or a phrase of headlines, \(unit) and partition.",
            key: [
                Column("hashtag", .text, "in lower case, without the #"), Column(unit, .integer, about),
                Column("partition", .integer),
            ],
            columns: [
                Column("tweets", .integer), Column("retweets", .integer), Column("searches", .integer),
                Column("news", .integer, "headlines"),
            ], indexes: [Index(unit, [unit])])
    }

    static let interests = Table(
        "social_tag_interests", "One row a user and hashtag that they used or looked for.",
        key: [Column("user", .text), Column("hashtag", .text)],
        columns: [Column("uses", .integer, "in tweets that were not deleted, and in searches")])

    static let uses = Table(
        "social_tag_uses", "One row a user, minute, hashtag or what they looked for, and partition.",
        key: [
            Column("user", .text), Column("minute", .integer, "minutes since 1970 UTC"), Column("hashtag", .text),
            Column("partition", .integer),
        ], columns: [Column("tweets", .integer), Column("retweets", .integer), Column("searches", .integer)])
    static let flags = Table(
        "social_tag_flags", "One row an account that looks like a fake.", key: [Column("user", .text)],
        columns: [Column("tweets", .integer, "that it had then")], indexes: [Index("tweets", ["tweets"])])
    static let verdicts = Table(
        "social_tag_verdicts", "One row an account that a human has judged.", key: [Column("user", .text)],
        columns: [Column("verdict", .text, "cleared or fake")], indexes: [Index("verdict", ["verdict"])])

    /// The columns of both tables, which differ by the name of one alone.
    enum Count {
        static let hashtag = minutes.text("hashtag")
        static let tweets = minutes.integer("tweets")
        static let retweets = minutes.integer("retweets")
        static let searches = minutes.integer("searches")
        static let news = minutes.integer("news")
        static let all = [tweets, retweets, searches, news]
    }
    enum Interest {
        static let hashtag = interests.text("hashtag")
        static let uses = interests.integer("uses")
    }
    enum Use {
        static let user = uses.text("user")
        static let minute = uses.integer("minute")
        static let hashtag = uses.text("hashtag")
        static let tweets = uses.integer("tweets")
        static let retweets = uses.integer("retweets")
        static let searches = uses.integer("searches")
    }
    /// When the uses were that a table counts: its minute or its hour.
    static func unit(of table: Table) -> Field<Int64> { table.integer(table.columns[1].name) }

    private struct Slot: Hashable {
        var user: String
        var hashtag: String
        var minute: Int64
        var partition: Partition
    }
    /// Tweets, retweets, searches, headlines.
    private var gathered: [Slot: [Int64]] = [:]
    private var interests: [Row: Int64] = [:]

    init() {}

    mutating func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        let minute = TrendWindow.minute(place.timestamp)
        switch event {
        case .told(.tweetPosted(let e)):
            for hashtag in e.hashtags {
                count(hashtag, minute, of: e.user, place, [1, 0, 0, 0])
                interest(e.user, hashtag, 1)
            }
        case .changed(.hashtagsRecounted(let e)):
            for change in e.changes {
                let (tweets, retweets) = (Int64(change.tweets), Int64(change.retweets))
                if tweets != 0 {
                    count(change.hashtag, change.minute, of: e.author, place, [tweets, 0, 0, 0])
                    interest(e.author, change.hashtag, tweets)
                }
                if retweets != 0 { count(change.hashtag, change.minute, of: change.user, place, [0, retweets, 0, 0]) }
            }
        case .searched(.searchPerformed(let e)):
            for topic in try SearchQuery(e.query).topics {
                count(topic, minute, of: e.user, place, [0, 0, 1, 0])
                if !e.user.isEmpty { interest(e.user, topic, 1) }
            }
        case .news(.newsIngested(let e)):
            for phrase in NewsPhrases.phrases(of: e.title) { count(phrase, minute, of: "", place, [0, 0, 0, 1]) }
        case .looked(.accountFlagged(let e)): view.put(Self.flags, [.text(e.account), .integer(e.tweets)])
        case .looked(.accountPassed(let e)): view.delete(Self.flags, [.text(e.account)])
        case .told(.accountCleared(let e)): judge(e.account, .cleared, view)
        case .told(.fakeConfirmed(let e)): judge(e.account, .fake, view)
        case .told, .changed: break
        }
    }

    private func judge(_ account: String, _ verdict: Social.Verdict, _ view: ViewBatch) {
        view.put(Self.verdicts, [.text(account), .text(verdict.rawValue)])
    }

    private mutating func interest(_ user: String, _ hashtag: String, _ change: Int64) {
        interests[[.text(user), .text(Check.composed(hashtag))], default: 0] += change
    }

    /// - Parameter user: Empty where nobody is known: somebody who did not say who looks, or passed on in the time of an older program; and of
    ///   headlines.
    private mutating func count(
        _ hashtag: String, _ minute: Int64, of user: String, _ place: EventPosition, _ change: [Int64]
    ) {
        // Events of the first version have hashtags as they were typed.
        let slot = Slot(user: user, hashtag: Check.composed(hashtag), minute: minute, partition: place.partition)
        for i in change.indices { gathered[slot, default: [0, 0, 0, 0]][i] += change[i] }
    }

    func finish(_ view: ViewBatch) {
        for (slot, count) in gathered {
            for (table, unit) in [(Self.minutes, slot.minute), (Self.hours, TrendWindow.hour(slot.minute))] {
                view.add(table, [.text(slot.hashtag), .integer(unit), Value(slot.partition)], count)
            }
            if slot.user.isEmpty { continue }
            view.add(
                Self.uses,
                [.text(slot.user), .integer(slot.minute), .text(slot.hashtag), Value(slot.partition)],
                Array(count.prefix(3)))
        }
        for (key, change) in interests { view.add(Self.interests, key, [change]) }
    }
}

/// A run of whole minutes, and the hours and minutes that it is added up from.
struct TrendWindow: Hashable {
    /// Minutes since 1970.
    var minutes: Range<Int64>

    static func minute(_ time: Timestamp) -> Int64 { floored(time.second, 60) }
    static func hour(_ minute: Int64) -> Int64 { floored(minute, 60) }
    private static func floored(_ value: Int64, _ unit: Int64) -> Int64 {
        value >= 0 ? value / unit : (value + 1) / unit - 1
    }

    /// Whole hours as far as they go, and minutes before and after.
    var parts: [(table: Table, through: ClosedRange<Int64>)] {
        let first = Self.hour(minutes.lowerBound + 59)
        let end = Self.hour(minutes.upperBound)
        if first >= end { return Self.part(Trends.minutes, minutes) }
        return Self.part(Trends.minutes, minutes.lowerBound..<first * 60) + Self.part(Trends.hours, first..<end)
            + Self.part(Trends.minutes, end * 60..<minutes.upperBound)
    }

    private static func part(_ table: Table, _ range: Range<Int64>) -> [(table: Table, through: ClosedRange<Int64>)] {
        range.isEmpty ? [] : [(table, range.lowerBound...(range.upperBound - 1))]
    }
}
