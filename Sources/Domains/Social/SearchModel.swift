package import EventModel
internal import SwiftProtobuf

/// What a search must find, straight from the events of `social.events`: every tweet is read for every question.
struct ScannedTweets: Sendable {
    private struct Tweet: Sendable {
        var at: Timestamp
        var tokens: [SearchText.Token]
        var set: Set<SearchText.Token>
        /// How often each term is in it.
        var terms: [String: Int64]
        var original: Social.Original?
        var hasText: Bool
    }
    private var tweets: [Social.Original: Tweet] = [:]
    /// Also those that were deleted.
    private var known: Set<Social.Original> = []
    private var likes: [Social.Original: Int64] = [:]
    /// What each retweet that is there names.
    private var named: [Social.Original: Social.Original] = [:]
    private var hiding: [String: Set<String>] = [:]
    private var muting: [String: Set<String>] = [:]
    /// All who tweeted.
    private(set) var users: Set<String> = []

    init() {}

    /// Events of one user in their order; those of several users in any.
    mutating func tell(_ event: SocialEvent.Kind, at time: Timestamp) {
        switch event {
        case .tweetPosted(let e): add(e.user, e.tweet, e.text, time, nil)
        case .retweeted(let e):
            let original = Social.Original(owner: e.owner, tweet: e.original)
            add(e.user, e.tweet, e.text, time, original)
            named[Social.Original(owner: e.user, tweet: e.tweet)] = original
        case .tweetDeleted(let e):
            tweets[Social.Original(owner: e.user, tweet: e.tweet)] = nil
            named[Social.Original(owner: e.user, tweet: e.tweet)] = nil
        case .tweetLiked(let e): likes[Social.Original(owner: e.owner, tweet: e.tweet), default: 0] += 1
        case .tweetUnliked(let e): likes[Social.Original(owner: e.owner, tweet: e.tweet), default: 0] -= 1
        case .userBlocked(let e): hiding[e.user, default: []].insert(e.blocked)
        case .userUnblocked(let e): hiding[e.user]?.remove(e.blocked)
        case .userMuted(let e): muting[e.user, default: []].insert(e.muted)
        case .userUnmuted(let e): muting[e.user]?.remove(e.muted)
        case .userFollowed, .userUnfollowed, .accountCleared, .fakeConfirmed: break
        }
    }

    private mutating func add(
        _ user: String, _ tweet: String, _ text: String, _ time: Timestamp, _ original: Social.Original?
    ) {
        users.insert(user)
        let tokens = SearchText.tokens(of: text)
        // The author stands far before the words, so that no phrase begins there.
        let from = SearchText.Token(term: SearchQuery.from(user), place: -1_000_000)
        let name = Social.Original(owner: user, tweet: tweet)
        known.insert(name)
        tweets[name] = Tweet(
            at: time, tokens: tokens + [from], set: Set(tokens + [from]),
            terms: (tokens + [from]).reduce(into: [:]) { $0[$1.term, default: 0] += 1 }, original: original,
            hasText: !text.isEmpty)
    }

    private func isHidden(_ author: String, from viewer: String?) -> Bool {
        guard let viewer else { return false }
        return hiding[viewer]?.contains(author) ?? false || hiding[author]?.contains(viewer) ?? false
            || muting[viewer]?.contains(author) ?? false
    }

    /// What is found, newest first.
    func found(_ query: SearchQuery, for viewer: String? = nil) -> [Social.Original] {
        let terms = query.terms
        return tweets.filter { name, tweet in
            guard tweet.hasText, terms.allSatisfy({ tweet.terms[$0] != nil }), query.covers(tweet.at),
                !isHidden(name.owner, from: viewer)
            else { return false }
            if let original = tweet.original {
                if known.contains(original) || isHidden(original.owner, from: viewer) { return false }
            }
            return query.wanted.allSatisfy { $0.holds(in: tweet.set, of: tweet.tokens) }
                && !query.unwanted.contains { $0.holds(in: tweet.set, of: tweet.tokens) }
        }
        .sorted(by: Self.isNewer).map(\.key)
    }

    private static func isNewer(
        _ a: (key: Social.Original, value: Tweet), than b: (key: Social.Original, value: Tweet)
    ) -> Bool {
        precedes(
            [Value(b.value.at), .text(b.key.owner), .text(b.key.tweet)],
            [Value(a.value.at), .text(a.key.owner), .text(a.key.tweet)])
    }

    /// The tweets with a term that a page looks at, the newest, whether or not they are found.
    private func looked(at term: String, _ query: SearchQuery) -> Set<Social.Original> {
        let there = tweets.filter { $0.value.hasText && $0.value.terms[term] != nil && query.covers($0.value.at) }
        return Set(there.sorted(by: Self.isNewer).prefix(SearchLimits.looked).map(\.key))
    }

    /// What is found, the best of the newest first, each with its score: of the places that a page looks at, those of the rarest
    /// term, so many matches.
    func ranked(_ query: SearchQuery, for viewer: String? = nil) -> [(name: Social.Original, score: Double)] {
        let inIndex = tweets.values.filter(\.hasText)
        let rank = SearchRank(
            tweets: Int64(inIndex.count), length: inIndex.reduce(0) { $0 + Int64($1.tokens.count - 1) })
        let frequencies = query.terms.map { term in
            ReadSearch.Frequency(
                term: term, tweets: Int64(inIndex.count { $0.terms[term] != nil }))
        }
        let looked = looked(at: frequencies.min { $0.tweets < $1.tweets }?.term ?? "", query)
        let retweets = named.values.reduce(into: [:]) { $0[$1, default: Int64(0)] += 1 }
        let scored = found(query, for: viewer).filter(looked.contains).prefix(SearchLimits.ranked).compactMap {
            name -> (name: Social.Original, score: Double)? in
            guard let tweet = tweets[name] else { return nil }
            let matched = frequencies.map { frequency in
                (frequency: frequency, count: tweet.terms[frequency.term] ?? 0)
            }
            let original = tweet.original ?? name
            let social = SearchRank.social(likes: likes[original] ?? 0, retweets: retweets[original] ?? 0)
            return (name, rank.relevance(matched, length: Int64(tweet.tokens.count - 1)) * social)
        }
        // Those of one score stay newest first.
        return scored.enumerated().sorted {
            ($1.element.score, $0.offset) < ($0.element.score, $1.offset)
        }.map(\.element)
    }
}

extension SocialInvariants {
    static let searchIsAScan = Invariant(
        "a search finds what reading every tweet does", .atRest, over: ["social.events"], of: "social.search",
        from: ScannedTweets(),
        fold: { model, record, _ in
            if let event = try SocialEvent.kind(in: record.value) { model.tell(event, at: record.timestamp) }
        },
        rows: { model, reader in
            let users = model.users.sorted()
            let viewers = [nil] + users.prefix(5).map(Optional.some)
            for text in ["hi", "hello -indeed", "#x1", "\"hi @u1\""] + users.map({ "from:\($0)" }) {
                let query = try SearchQuery(text)
                for viewer in viewers {
                    let page = try SearchPage(
                        query: query, reader: reader, viewer: viewer, limit: Limits.pageRows, cursor: nil
                    ).newest()
                    let shown = page.rows.map { "\($0[1].text ?? "")/\($0[2].text ?? "")" }
                    let expected = model.found(query, for: viewer).map { "\($0.owner)/\($0.tweet)" }
                    // A page that is full shows no more than its beginning.
                    if page.next == nil ? shown != expected : !expected.starts(with: shown) {
                        throw Violation(
                            "\(text) finds \(shown) for \(viewer ?? "anybody"), and should find \(expected)")
                    }
                }
            }
        })
}

/// Searches by reading every tweet, for measures that hold the index against it.
package struct SearchScan: Sendable {
    private var tweets = ScannedTweets()
    private var words: [String] = []
    private var authors: [String] = []
    package private(set) var count = 0

    package init() {}

    /// A record of `social.events`.
    package mutating func read(_ record: Record) throws {
        guard let event = try SocialEvent.kind(in: record.value) else { return }
        tweets.tell(event, at: record.timestamp)
        guard case .tweetPosted(let e) = event else { return }
        count += 1
        authors.append(e.user)
        if count % 7 != 0 { return }
        words += SearchText.tokens(of: e.text).map(\.term).filter { $0.utf8.allSatisfy { (97...122).contains($0) } }
    }

    /// What is found, the newest first, as USER/TWEET.
    package func found(_ text: String) throws -> [String] {
        tweets.found(try SearchQuery(text)).map { "\($0.owner)/\($0.tweet)" }
    }
    /// A word of some tweet: one that is in many comes often.
    package func word(_ random: inout SeededRandom) -> String { words.randomElement(using: &random) ?? "" }
    package func author(_ random: inout SeededRandom) -> String { authors.randomElement(using: &random) ?? "" }
}
