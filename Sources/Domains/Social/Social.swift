internal import EventModel
internal import SwiftProtobuf

extension SocialCommand: Envelope {}
extension SocialEvent: Envelope {}

/// What one user does: tweet, delete, retweet, follow, unfollow.
///
/// An aggregate is a user: their own tweets and retweets, and whom they follow. Whom they are followed by belongs to
/// others' aggregates, and is gathered by ``Followers``.
enum Social: Decider {
    typealias Command = SocialCommand
    typealias Event = SocialEvent
    typealias Rejection = SocialRefusal

    /// A tweet of another user.
    struct Original: Hashable, Codable, Sendable {
        var owner: String
        var tweet: String
    }
    /// A tweet or a retweet of one's own.
    enum Own: Hashable, Codable, Sendable {
        case tweet(text: UInt64)
        case retweet(Original)
        case deleted
    }

    struct State: Codable, Sendable {
        var own: [String: Own] = [:]
        /// The retweet by which each original was passed on.
        var passedOn: [Original: String] = [:]
        var following: Set<String> = []
    }

    static var initial: State { State() }

    /// A handle as keys have it: case makes no difference.
    static func handle(_ name: String) -> String { name.lowercased() }

    static func key(of command: Command.Kind) -> String {
        switch command {
        case .postTweet(let c): handle(c.user)
        case .deleteTweet(let c): handle(c.user)
        case .retweet(let c): handle(c.user)
        case .follow(let c): handle(c.user)
        case .unfollow(let c): handle(c.user)
        }
    }

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .tweetPosted(let e): e.user
        case .tweetDeleted(let e): e.user
        case .retweeted(let e): e.user
        case .userFollowed(let e): e.user
        case .userUnfollowed(let e): e.user
        }
    }

    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        switch command {
        case .postTweet(let c): try post(c, id: id, on: state)
        case .deleteTweet(let c): try delete(c, on: state)
        case .retweet(let c): try retweet(c, id: id, on: state)
        case .follow(let c): try follow(c, on: state)
        case .unfollow(let c):
            state.following.contains(handle(c.followee))
                ? [.userUnfollowed(.with { ($0.user, $0.followee) = (handle(c.user), handle(c.followee)) })] : []
        }
    }

    private static func post(_ c: SocialPostTweet, id: String, on state: State) throws(Rejection) -> [Event.Kind] {
        let length = TweetText.length(of: c.text)
        if length > TweetText.longest { throw .overLength(length) }
        let tweet = try identifier(c.tweet, id)
        switch state.own[tweet] {
        case .tweet(let text) where text == FNV1a(c.text).value: return []
        case .tweet, .retweet: throw .tweetExists(tweet: tweet)
        case .deleted: throw .tweetDeleted(tweet: tweet)
        case nil: return [.tweetPosted(posted(c.user, tweet, c.text))]
        }
    }

    /// The fact that a text makes, with what Twitter's rules find in it.
    static func posted(_ user: String, _ tweet: String, _ text: String) -> SocialTweetPosted {
        .with {
            ($0.user, $0.tweet, $0.text) = (handle(user), tweet, text)
            $0.hashtags = names(TweetText.hashtags(in: text))
            $0.mentions = names(TweetText.mentions(in: text))
        }
    }

    /// In lower case (Unicode's own, of no language) and then composed (NFC), each once, in the order of the text.
    static func names(_ spans: [TweetText.Span]) -> [String] {
        spans.reduce(into: []) { names, span in
            let name = Check.composed(span.name.lowercased())
            if !names.contains(name) { names.append(name) }
        }
    }

    private static func delete(_ c: SocialDeleteTweet, on state: State) throws(Rejection) -> [Event.Kind] {
        switch state.own[c.tweet] {
        case nil: throw .unknownTweet(tweet: c.tweet, user: handle(c.user))
        case .deleted: return []
        case .tweet, .retweet: return [.tweetDeleted(.with { ($0.user, $0.tweet) = (handle(c.user), c.tweet) })]
        }
    }

    private static func retweet(_ c: SocialRetweet, id: String, on state: State) throws(Rejection) -> [Event.Kind] {
        let user = handle(c.user)
        var original = Original(owner: handle(c.owner), tweet: c.original)
        // Of others' tweets only their owners know whether they are retweets.
        if original.owner == user, case .retweet(let passedOn) = state.own[original.tweet] { original = passedOn }
        let tweet = try identifier(c.tweet, id)
        if let known = state.passedOn[original] {
            if known == tweet { return [] }
            throw .duplicateRetweet(original: original.tweet, owner: original.owner, as: known)
        }
        switch state.own[tweet] {
        case .tweet, .retweet: throw .tweetExists(tweet: tweet)
        case .deleted: throw .tweetDeleted(tweet: tweet)
        case nil: break
        }
        if original.owner == user {
            switch state.own[original.tweet] {
            case .tweet: break
            case .deleted: throw .tweetDeleted(tweet: original.tweet)
            case .retweet, nil: throw .unknownTweet(tweet: original.tweet, user: user)
            }
        }
        return [
            .retweeted(
                .with {
                    ($0.user, $0.tweet, $0.text) = (user, tweet, c.text)
                    ($0.owner, $0.original) = (original.owner, original.tweet)
                })
        ]
    }

    private static func follow(_ c: SocialFollow, on state: State) throws(Rejection) -> [Event.Kind] {
        let (user, followee) = (handle(c.user), handle(c.followee))
        if user == followee { throw .selfFollow }
        if state.following.contains(followee) { return [] }
        if state.following.count >= SocialLimits.following { throw .followingLimit }
        return [.userFollowed(.with { ($0.user, $0.followee) = (user, followee) })]
    }

    static func spellings(of name: String, in state: State) -> [String] {
        if let own = state.own.index(forKey: name) { return [state.own[own].key] }
        // Each is compared, so it is asked only of what is to be refused else.
        return Check.isComposed(name) ? [] : state.passedOn.keys.map(\.tweet).filter { $0 == name }
    }

    static func evolve(_ state: inout State, with event: Event.Kind, at time: Timestamp) {
        switch event {
        case .tweetPosted(let e): state.own[e.tweet] = .tweet(text: FNV1a(e.text).value)
        case .retweeted(let e):
            let original = Original(owner: e.owner, tweet: e.original)
            state.own[e.tweet] = .retweet(original)
            state.passedOn[original] = e.tweet
        case .tweetDeleted(let e):
            if case .retweet(let original) = state.own[e.tweet] { state.passedOn[original] = nil }
            state.own[e.tweet] = .deleted
        case .userFollowed(let e): state.following.insert(e.followee)
        case .userUnfollowed(let e): state.following.remove(e.followee)
        }
    }
}
