internal import EventModel

/// Every tweet and retweet that there was, to tell what each retweet passes on.
struct Originals: Sendable {
    struct Said: Sendable {
        var at: Timestamp
        /// What a retweet names.
        var original: Social.Original?
        /// Nil where a retweet has no text; so it is once it was deleted.
        var hashtags: [String]?
        var isDeleted = false
    }
    /// What following a retweet comes to.
    enum Root {
        case known(Said)
        /// The hashtags are those of the first text on the way.
        case unknown(hashtags: [String])
        /// The retweets name each other.
        case circle
    }
    private(set) var said: [Social.Original: Said] = [:]

    /// Events of one user in their order; those of several users in any.
    mutating func tell(_ event: SocialEvent.Kind, at time: Timestamp) {
        switch event {
        case .tweetPosted(let e):
            said[Social.Original(owner: e.user, tweet: e.tweet)] = Said(at: time, hashtags: e.hashtags)
        case .retweeted(let e):
            said[Social.Original(owner: e.user, tweet: e.tweet)] = Said(
                at: time, original: Social.Original(owner: e.owner, tweet: e.original),
                hashtags: e.text.isEmpty ? nil : Social.names(TweetText.hashtags(in: e.text)))
        case .tweetDeleted(let e):
            let name = Social.Original(owner: e.user, tweet: e.tweet)
            said[name]?.isDeleted = true
            if said[name]?.original != nil { said[name]?.hashtags = nil }
        default: break
        }
    }

    /// Who wrote what a retweet names; whom it names, where that is not known.
    func author(of named: Social.Original) -> String {
        var next = named
        for _ in 0..<SocialLimits.hops {
            guard let one = said[next] else { break }
            guard let original = one.original else { return next.owner }
            next = original
        }
        return named.owner
    }

    func root(of retweet: Said) -> Root {
        var (hashtags, next) = (retweet.hashtags, retweet.original)
        var seen: Set<Social.Original> = []
        for hop in 1...SocialLimits.hops {
            guard let name = next, let one = said[name] else { break }
            if one.original == nil { return .known(one) }
            if !seen.insert(name).inserted { return .circle }
            if hop == SocialLimits.hops { break }
            hashtags = hashtags ?? one.hashtags
            next = one.original
        }
        return .unknown(hashtags: hashtags ?? [])
    }
}

/// Timelines straight from the events of `social.events`, pulled from all authors and merged: what a reader must be shown,
/// however it is made.
struct PullAndMerge: Sendable {
    private struct Tweet: Sendable {
        var at: Timestamp
        var name: Social.Original
        var mentions: [String]
    }
    private var tweets: [Tweet] = []
    private var originals = Originals()
    private(set) var following: [String: Set<String>] = [:]
    private var blocked: [String: Set<String>] = [:]
    private var muted: [String: Set<String>] = [:]
    /// All who did something, or were named.
    private(set) var users: Set<String> = []

    init() {}

    /// Events of one user in their order; those of several users in any.
    mutating func tell(_ event: SocialEvent.Kind, at time: Timestamp) {
        users.insert(Social.key(of: event))
        originals.tell(event, at: time)
        switch event {
        case .tweetPosted(let e):
            users.formUnion(e.mentions)
            tweets.append(Tweet(at: time, name: .init(owner: e.user, tweet: e.tweet), mentions: e.mentions))
        case .retweeted(let e):
            tweets.append(Tweet(at: time, name: .init(owner: e.user, tweet: e.tweet), mentions: []))
        case .tweetDeleted: break
        case .userFollowed(let e): following[e.user, default: []].insert(e.followee)
        case .userUnfollowed(let e): following[e.user]?.remove(e.followee)
        case .userBlocked(let e): blocked[e.user, default: []].insert(e.blocked)
        case .userUnblocked(let e): blocked[e.user]?.remove(e.blocked)
        case .userMuted(let e): muted[e.user, default: []].insert(e.muted)
        case .userUnmuted(let e): muted[e.user]?.remove(e.muted)
        case .tweetLiked, .tweetUnliked, .accountCleared, .fakeConfirmed: break
        }
    }

    /// The tweets and retweets of oneself and of those one follows, and what names one, without what was deleted, newest
    /// first, as USER/TWEET.
    func timeline(of reader: String) -> [String] {
        let following = following[reader] ?? []
        return tweets.filter { tweet in
            (tweet.name.owner == reader || following.contains(tweet.name.owner) || tweet.mentions.contains(reader))
                && isThere(tweet.name) && !isHidden(tweet.name, from: reader)
        }
        .sorted { ($0.at, $0.name.owner, $0.name.tweet) > ($1.at, $1.name.owner, $1.name.tweet) }
        .map { "\($0.name.owner)/\($0.name.tweet)" }
    }

    /// Who is muted or blocked, or blocks the reader, is not shown; nor is what another passes on of theirs.
    private func isHidden(_ name: Social.Original, from reader: String) -> Bool {
        func hides(_ author: String) -> Bool {
            blocked[reader]?.contains(author) ?? false || muted[reader]?.contains(author) ?? false
                || blocked[author]?.contains(reader) ?? false
        }
        if hides(name.owner) { return true }
        guard let said = originals.said[name], let named = said.original else { return false }
        return hides(originals.author(of: named))
    }

    private func isThere(_ name: Social.Original) -> Bool {
        guard let said = originals.said[name], !said.isDeleted else { return false }
        if said.original != nil, case .known(let root) = originals.root(of: said) { return !root.isDeleted }
        return true
    }
}

/// The counts of hashtags straight from the events of `social.events`.
struct CountedHashtags: Sendable {
    struct Slot: Hashable, Sendable {
        var hashtag: String
        var minute: Int64
    }
    /// A hashtag that a user used in a minute.
    struct Use: Hashable, Sendable {
        var user: String
        var slot: Slot
    }
    struct Count: Hashable, Sendable {
        var tweets: Int64 = 0
        var retweets: Int64 = 0
    }
    private var originals = Originals()
    /// Whether some retweets were counted by an older program, which did not say whose they were.
    private(set) var isOlder = false

    /// Events of one user in their order; those of several users in any.
    mutating func tell(_ event: SocialEvent.Kind, at time: Timestamp) { originals.tell(event, at: time) }

    mutating func hear(_ event: SocialRetweetEvent.Kind) {
        guard case .hashtagsRecounted(let e) = event else { return }
        isOlder = isOlder || e.changes.contains { $0.retweets != 0 && $0.user.isEmpty }
    }

    /// All that are above zero, of every minute.
    func counts() -> [Slot: Count] {
        uses().reduce(into: [:]) { counts, use in
            counts[use.key.slot, default: Count()].tweets += use.value.tweets
            counts[use.key.slot, default: Count()].retweets += use.value.retweets
        }
    }

    /// The same, each user's own.
    func uses() -> [Use: Count] {
        var uses: [Use: Count] = [:]
        for (name, said) in originals.said where !said.isDeleted {
            func use(_ tag: String) -> Use {
                Use(user: name.owner, slot: Slot(hashtag: tag, minute: TrendWindow.minute(said.at)))
            }
            if said.original == nil {
                for tag in said.hashtags ?? [] { uses[use(tag), default: Count()].tweets += 1 }
                continue
            }
            let hashtags: [String] =
                switch originals.root(of: said) {
                case .known(let root): root.isDeleted ? [] : root.hashtags ?? []
                case .unknown(let hashtags): hashtags
                case .circle: []
                }
            for tag in hashtags { uses[use(tag), default: Count()].retweets += 1 }
        }
        return uses
    }
}
