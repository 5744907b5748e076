internal import EventModel
internal import SwiftProtobuf

/// An inverted index of tweets, and the names of people.
///
/// A tweet of w different terms is one row, w + 1 places (its author is one) and as many additions to the terms' counts. A retweet
/// is found by its own text, which those of an import have, as long as what it passes on is not here.
struct Search: Projection {
    typealias Event = Acts
    static let name = "search"
    /// 2: with who has left.
    static let version = 2
    static let about = "Tweets by their words, and people by their names."
    static let topics = Acts.topics
    static let tables = [tweets, places, terms, totals, marks, people, hidden, left]

    static let tweets = Table(
        "social_search_tweets", "One row a tweet or retweet, also one that was deleted.",
        key: [Column("user", .text), Column("tweet", .text)],
        columns: [
            Column("posted_at", .timestamp), Column("text", .text, "null once it is deleted"),
            Column("owner", .text, "of a retweet: who wrote the original"), Column("original", .text),
        ])
    static let places = Table(
        "social_search_places", "One row a term and tweet that has it.",
        key: [
            Column("term", .text, "a word, #tag, @mention or from:user"), Column("posted_at", .timestamp),
            Column("user", .text), Column("tweet", .text),
        ],
        columns: [Column("count", .integer, "in this tweet"), Column("length", .integer, "terms of the whole tweet")])
    static let terms = Table(
        "social_search_terms", "One row a term and partition.",
        key: [Column("term", .text), Column("partition", .integer)],
        columns: [Column("tweets", .integer, "that have it")])
    static let totals = Table(
        "social_search_totals", "One row a partition.", key: [Column("partition", .integer)],
        columns: [Column("tweets", .integer, "in the index"), Column("length", .integer, "of all, in terms")])
    static let marks = Table(
        "social_search_marks", "One row a tweet that is liked or passed on.",
        key: [Column("owner", .text), Column("tweet", .text)],
        columns: [Column("likes", .integer), Column("retweets", .integer, "that name it")])
    static let people = Table(
        "social_search_people", "One row a user and end of their name that begins a part of it.",
        key: [Column("part", .text), Column("user", .text)],
        columns: [Column("tweets", .integer), Column("followers", .integer)])
    static let hidden = Timelines.hiding("social_search_hidden")
    static let left = Profiles.leavers("social_search_left")

    enum Tweet {
        static let user = tweets.text("user")
        static let tweet = tweets.text("tweet")
        static let postedAt = tweets.timestamp("posted_at")
        static let text = tweets.text("text")
        static let owner = tweets.text("owner")
        static let original = tweets.text("original")
    }
    enum Found {
        static let count = places.integer("count")
        static let length = places.integer("length")
    }
    enum Person {
        static let user = people.text("user")
        static let tweets = people.integer("tweets")
        static let followers = people.integer("followers")
    }
    static let tweetsWithTerm = terms.integer("tweets")
    enum Total {
        static let tweets = totals.integer("tweets")
        static let length = totals.integer("length")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .told(let told): try apply(told, at: place, to: view)
        case .profile(let profile): Profiles.foldLeaving(profile, into: Self.left, view)
        }
    }

    private func apply(_ event: SocialEvent.Kind, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .tweetPosted(let e):
            let document = Document(e.user, e.tweet, place.timestamp, e.text)
            document.write(nil, in: view, place.partition)
            name(e.user, tweets: 1, followers: 0, in: view)
        case .retweeted(let e):
            let document = Document(e.user, e.tweet, place.timestamp, e.text)
            document.write((e.owner, e.original), in: view, place.partition)
            view.add(Self.marks, [.text(e.owner), .text(e.original)], [0, 1])
            name(e.user, tweets: 1, followers: 0, in: view)
        case .tweetDeleted(let e): try delete(e, in: view, place.partition)
        case .tweetLiked(let e): view.add(Self.marks, [.text(e.owner), .text(e.tweet)], [1, 0])
        case .tweetUnliked(let e): view.add(Self.marks, [.text(e.owner), .text(e.tweet)], [-1, 0])
        case .userFollowed(let e): name(e.followee, tweets: 0, followers: 1, in: view)
        case .userUnfollowed(let e): name(e.followee, tweets: 0, followers: -1, in: view)
        case .userBlocked, .userUnblocked, .userMuted, .userUnmuted: Timelines.hide(event, in: Self.hidden, view)
        case .accountCleared, .fakeConfirmed: break
        }
    }

    private func delete(_ e: SocialTweetDeleted, in view: ViewBatch, _ partition: Partition) throws {
        let key: Row = [.text(e.user), .text(e.tweet)]
        guard let row = try view.row(Self.tweets, key), let text = row[Tweet.text], let time = row[Tweet.postedAt]
        else { return }
        Document(e.user, e.tweet, time, text).withdraw(from: view, partition)
        view.put(Self.tweets, key + [Value(time), .null, row.value(Tweet.owner), row.value(Tweet.original)])
        if row[Tweet.owner] != nil {
            view.add(Self.marks, [row.value(Tweet.owner), row.value(Tweet.original)], [0, -1])
        }
        name(e.user, tweets: -1, followers: 0, in: view)
    }

    private func name(_ user: String, tweets: Int64, followers: Int64, in view: ViewBatch) {
        for part in Self.parts(of: user) { view.add(Self.people, [.text(part), .text(user)], [tweets, followers]) }
    }

    /// The ends of a name that begin a part of it: behind `_`, and where letters and digits meet.
    static func parts(of name: String) -> [String] {
        let letters = Array(name.utf8)
        func kind(_ letter: UInt8) -> Int { letter == UInt8(ascii: "_") ? 0 : letter < 0x3a ? 1 : 2 }
        let starts = letters.indices.filter { i in
            i == 0 || kind(letters[i]) != 0 && kind(letters[i]) != kind(letters[i - 1])
        }
        return starts.map { String(decoding: letters[$0...], as: UTF8.self) }
    }

    /// A text as the index has it.
    struct Document {
        let user: String
        let tweet: String
        let time: Timestamp
        let text: String
        let counts: [String: Int64]
        let length: Int64

        init(_ user: String, _ tweet: String, _ time: Timestamp, _ text: String) {
            (self.user, self.tweet, self.time, self.text) = (user, tweet, time, text)
            let tokens = SearchText.tokens(of: text)
            counts = tokens.reduce(into: [:]) { $0[$1.term, default: 0] += 1 }
            length = Int64(tokens.count)
        }

        private var isInIndex: Bool { !text.isEmpty }
        private var terms: [(String, Int64)] { counts.map { ($0.key, $0.value) } + [(SearchQuery.from(user), 1)] }

        func write(_ original: (owner: String, tweet: String)?, in view: ViewBatch, _ partition: Partition) {
            let named: Row = original.map { [.text($0.owner), .text($0.tweet)] } ?? [.null, .null]
            view.put(Search.tweets, [.text(user), .text(tweet), Value(time), .text(text)] + named)
            if !isInIndex { return }
            for (term, count) in terms {
                view.put(
                    Search.places,
                    [.text(term), Value(time), .text(user), .text(tweet), .integer(count), .integer(length)])
                view.add(Search.terms, [.text(term), Value(partition)], [1])
            }
            view.add(Search.totals, [Value(partition)], [1, length])
        }

        func withdraw(from view: ViewBatch, _ partition: Partition) {
            if !isInIndex { return }
            for (term, _) in terms {
                view.delete(Search.places, [.text(term), Value(time), .text(user), .text(tweet)])
                view.add(Search.terms, [.text(term), Value(partition)], [-1])
            }
            view.add(Search.totals, [Value(partition)], [-1, -length])
        }
    }
}
