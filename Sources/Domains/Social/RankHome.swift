internal import EventModel
internal import Foundation

/// How much a tweet is worth to a reader at a moment, in parts that add up.
///
/// Each part is a number that a reader can check by hand: see docs/domains/social.md. The weights are chosen, not learned: a tweet of
/// this minute is worth about what a hundred likes and a hundred retweets are, and half of that six hours later.
struct HomeScore: Hashable, Sendable {
    /// Of a tweet of this moment; it halves with every `halfLife`.
    static let newest = 10.0
    static let halfLife = 6.0 * 3_600_000
    /// Where all that the reader's own tweets and likes are tagged with is what this tweet is tagged with.
    static let interested = 4.0
    static let friend = 1.0
    static let fame = 0.5
    static let retweet = 1.5
    static let place = 1.5
    static let profile = 1.0

    var recency: Double
    var interests: Double
    var friends: Double
    var fame: Double
    var likes: Double
    var retweets: Double
    var place: Double
    var profiles: Double

    /// In this order, so that it is the same wherever it is added up.
    var sum: Double { recency + interests + friends + fame + likes + retweets + place + profiles }
    var parts: Row { [recency, interests, friends, fame, likes, retweets, place, profiles].map { .real($0) } }

    /// What a score is made of.
    struct Facts: Hashable, Sendable {
        /// Milliseconds since it was posted, not below zero.
        var age: Int64
        /// Which share of the hashtags that the reader used or liked are the tweet's: 0 to 1.
        var interest: Double
        /// Whom both the reader and the author follow.
        var friends: Int
        /// The author's followers, where the reader follows the author; 0 otherwise.
        var followers: Int64
        var likes: Int64
        var retweets: Int64
        /// Whether the reader and the author say that they live in the same place.
        var isNear = false
        /// Interests that the two have in common.
        var common = 0
    }

    init(_ facts: Facts) {
        recency = Self.newest * exp2(-Double(max(0, facts.age)) / Self.halfLife)
        interests = Self.interested * facts.interest
        friends = Self.friend * log(1 + Double(facts.friends))
        fame = Self.fame * log10(1 + Double(max(0, facts.followers)))
        likes = log(1 + Double(max(0, facts.likes)))
        retweets = Self.retweet * log(1 + Double(max(0, facts.retweets)))
        place = facts.isNear ? Self.place : 0
        profiles = Self.profile * log(1 + Double(facts.common))
    }
}

/// What a ranked home timeline looks at, at most.
enum RankLimits {
    /// The newest tweets of the timeline, which are ranked.
    static let tweets = 100
    /// Tweets of the reader, and likes, that say what the reader is interested in: the newest of each.
    static let interests = 100
    /// Whom an author follows, by their names, among whom common friends are looked for; of the reader ten times as many.
    static let friends = 100
}

/// Reads a home timeline, best first: the newest tweets until a moment, ranked by what they are worth to the reader then.
struct RankHome {
    private typealias Tweet = Timelines.Tweet
    static let columns =
        ReadTimeline.columns + ReadTimeline.counted + [
            Column("score", .real, "the sum of the parts"), Column("by_recency", .real),
            Column("by_interests", .real, "hashtags that the reader uses, likes, or names as interests"),
            Column("by_friends", .real, "whom the reader and the author follow"),
            Column("by_fame", .real, "followers of an author whom the reader follows"), Column("by_likes", .real),
            Column("by_retweets", .real), Column("by_place", .real, "the reader and the author live in the same place"),
            Column("by_profiles", .real, "interests that both say they have"),
        ]

    private let reader: any ViewReader
    private let user: String
    private let moment: Timestamp

    init(of user: String, at moment: Timestamp, _ reader: any ViewReader) {
        (self.user, self.moment, self.reader) = (user, moment, reader)
    }

    /// A page's place is its last row's score, moment, author and identifier, and the moment that the timeline is ranked at.
    static func moment(of cursor: Row?) throws -> Timestamp? {
        guard let cursor else { return nil }
        guard cursor.count == 5, cursor[0].real != nil, cursor[1].integer != nil, cursor[2].text != nil,
            cursor[3].text != nil, let moment = cursor[4].integer
        else { throw Malformed("cursor", "is not one of a ranked timeline") }
        return Timestamp(moment)
    }

    func page(limit: Int, from cursor: Row?) throws -> Page {
        // Handles are of ASCII: the sign stands behind all of them.
        var timeline = try ReadTimeline(homeOf: user, reader, from: [Value(moment), "\u{10ffff}", ""])
        let newest = try timeline.page(limit: RankLimits.tweets, counts: true).rows
        var ranked = try scored(newest).sorted(by: Self.ranks)
        if let cursor {
            let score = cursor[0].real ?? 0
            let place = Array(cursor[1...3])
            ranked.removeAll { $0.score > score || $0.score == score && !precedes(Array($0.row[0...2]), place) }
        }
        let shown = ranked.prefix(limit)
        var next: Row?
        if shown.count < ranked.count, let last = shown.last {
            next = [.real(last.score)] + last.row[0...2] + [Value(moment)]
        }
        return Page(columns: Self.columns, rows: shown.map(\.row), next: next)
    }

    private typealias Scored = (score: Double, row: Row)

    private static func ranks(_ a: Scored, before b: Scored) -> Bool {
        a.score != b.score ? a.score > b.score : precedes(Array(b.row[0...2]), Array(a.row[0...2]))
    }

    private func scored(_ rows: [Row]) throws -> [Scored] {
        // A retweet is worth what its original is, since it was passed on.
        let authors = Set(rows.compactMap { ($0[4] == .null ? $0[1] : $0[4]).text })
        let people = try Profiles.people(authors.union([user]).sorted(), in: Timelines.profiles, reader)
        let (interests, standings) = (try interests(people[user]), try standings(of: authors, people))
        return rows.map { row in
            let author = (row[4] == .null ? row[1] : row[4]).text ?? ""
            let standing = standings[author] ?? Standing()
            let tags = Set(Social.names(TweetText.hashtags(in: row[3].text ?? "")))
            let counts = row.suffix(ReadTimeline.counted.count).map { $0.integer ?? 0 }
            let score = HomeScore(
                HomeScore.Facts(
                    age: moment.rawValue - (row[0].integer ?? 0),
                    interest: tags.sorted().reduce(0) { $0 + (interests[$1] ?? 0) }, friends: standing.friends,
                    followers: standing.isFollowed ? standing.followers : 0, likes: counts[0], retweets: counts[3],
                    isNear: standing.isNear, common: standing.common))
            return (score.sum, row + [.real(score.sum)] + score.parts)
        }
    }

    /// Of each hashtag that the reader's newest tweets have, and the newest that the reader likes, and that is an interest of theirs, its
    /// share among all.
    private func interests(_ profile: Person?) throws -> [String: Double] {
        let own = Scan(
            Timelines.tweets, by: "posted", equal: [.text(user)], through: Value(moment), descending: true,
            limit: RankLimits.interests)
        var texts = try reader.rows(own).map { $0[Tweet.text] ?? "" }
        let liked = Scan(
            Timelines.likes, by: "liked", equal: [.text(user)], through: Value(moment), descending: true,
            limit: RankLimits.interests)
        var originals = ReadOriginals(reader)
        for like in try reader.rows(liked) {
            let found = try originals.tweet(like.value(Timelines.Like.owner), like.value(Timelines.Like.tweet))
            texts.append(found?[2].text ?? "")
        }
        let uses = texts.flatMap { Social.names(TweetText.hashtags(in: $0)) } + (profile?.tags ?? [])
        let counts = uses.reduce(into: [:]) { $0[$1, default: 0.0] += 1 }
        return counts.mapValues { $0 / Double(uses.count) }
    }

    /// Where an author stands to the reader.
    private struct Standing {
        var friends = 0
        var followers: Int64 = 0
        var isFollowed = false
        var isNear = false
        var common = 0
    }

    private func standings(of authors: Set<String>, _ people: [String: Person]) throws -> [String: Standing] {
        func followees(_ user: String, atMost most: Int) throws -> Set<String> {
            let rows = try reader.rows(Scan(Timelines.followees, equal: [.text(user)], limit: most))
            return Set(rows.compactMap { $0[1].text })
        }
        let mine = try followees(user, atMost: 10 * RankLimits.friends)
        let sorted = authors.sorted()
        let followers = try reader.rows(Timelines.followers, keys: sorted.map { [.text($0)] }).reduce(into: [:]) {
            $0[$1[0].text ?? ""] = $1[1].integer ?? 0
        }
        let followed = Set(
            try reader.rows(Timelines.followees, keys: sorted.map { [.text(user), .text($0)] })
                .compactMap { $0[1].text })
        return try sorted.reduce(into: [:]) { standings, author in
            let person = people[author]
            // Who has left is nobody's friend any more.
            if person?.hasLeft ?? false { return }
            var standing = Standing(followers: followers[author] ?? 0, isFollowed: followed.contains(author))
            if author != user {
                standing.friends = try followees(author, atMost: RankLimits.friends).intersection(mine).count
                if let own = people[user], let person {
                    (standing.isNear, standing.common) = (
                        own.livesWhere(person), own.interests(inCommonWith: person)
                    )
                }
            }
            standings[author] = standing
        }
    }
}
