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
        /// Tweets that one likes.
        var likes: Set<Original> = []
        var blocked: Set<String> = []
        var muted: Set<String> = []
        /// What a human said last of the account.
        var verdict: Verdict?
    }

    /// 2: with likes, blocks and mutes.
    static var stateVersion: Int { 2 }

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
        case .likeTweet(let c): handle(c.user)
        case .unlikeTweet(let c): handle(c.user)
        case .block(let c): handle(c.user)
        case .unblock(let c): handle(c.user)
        case .mute(let c): handle(c.user)
        case .unmute(let c): handle(c.user)
        case .clearAccount_p(let c): handle(c.account)
        case .confirmFake(let c): handle(c.account)
        }
    }

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .tweetPosted(let e): e.user
        case .tweetDeleted(let e): e.user
        case .retweeted(let e): e.user
        case .userFollowed(let e): e.user
        case .userUnfollowed(let e): e.user
        case .tweetLiked(let e): e.user
        case .tweetUnliked(let e): e.user
        case .userBlocked(let e): e.user
        case .userUnblocked(let e): e.user
        case .userMuted(let e): e.user
        case .userUnmuted(let e): e.user
        case .accountCleared(let e): e.account
        case .fakeConfirmed(let e): e.account
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
        case .likeTweet(let c): try like(c, on: state)
        case .unlikeTweet(let c): unlike(c, on: state)
        case .block(let c): try block(c, on: state)
        case .unblock(let c):
            state.blocked.contains(handle(c.blocked))
                ? [.userUnblocked(.with { ($0.user, $0.blocked) = (handle(c.user), handle(c.blocked)) })] : []
        case .mute(let c): try mute(c, on: state)
        case .unmute(let c):
            state.muted.contains(handle(c.muted))
                ? [.userUnmuted(.with { ($0.user, $0.muted) = (handle(c.user), handle(c.muted)) })] : []
        case .clearAccount_p(let c): try judge(c.account, by: c.reviewer, .cleared, on: state)
        case .confirmFake(let c): try judge(c.account, by: c.reviewer, .fake, on: state)
        }
    }

    private static func post(_ c: SocialPostTweet, id: String, on state: State) throws(Rejection) -> [Event.Kind] {
        let length = TweetText.length(of: c.text)
        if length > TweetText.longest { throw .overLength(length) }
        let tweet = try identifier(c.tweet, id)
        let event = posted(c, as: tweet)
        switch state.own[tweet] {
        case .tweet(let words) where words == Self.words(of: event): return []
        case .tweet, .retweet: throw .tweetExists(tweet: tweet)
        case .deleted: throw .tweetDeleted(tweet: tweet)
        case nil: break
        }
        try checkNamed(by: event, on: state)
        return [.tweetPosted(event)]
    }

    /// The fact that a command makes.
    static func posted(_ c: SocialPostTweet, as tweet: String) -> SocialTweetPosted {
        var event = posted(c.user, tweet, c.text)
        (event.replyToUser, event.replyToTweet) = (handle(c.replyToUser), c.replyToTweet)
        (event.quotedUser, event.quotedTweet) = (handle(c.quotedUser), c.quotedTweet)
        return event
    }

    /// What a tweet says, and what it answers and shows: by this it is known again.
    static func words(of e: SocialTweetPosted) -> UInt64 {
        if e.replyToUser.isEmpty, e.quotedUser.isEmpty { return FNV1a(e.text).value }
        let named = [e.replyToUser, e.replyToTweet, e.quotedUser, e.quotedTweet]
        return FNV1a(([e.text] + named).joined(separator: "\u{0}")).value
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
        if state.blocked.contains(original.owner) { throw .blocked(original.owner) }
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
        if state.blocked.contains(followee) { throw .blocked(followee) }
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
        case .tweetPosted(let e): state.own[e.tweet] = .tweet(text: words(of: e))
        case .retweeted(let e):
            let original = Original(owner: e.owner, tweet: e.original)
            state.own[e.tweet] = .retweet(original)
            state.passedOn[original] = e.tweet
        case .tweetDeleted(let e):
            if case .retweet(let original) = state.own[e.tweet] { state.passedOn[original] = nil }
            state.own[e.tweet] = .deleted
        case .userFollowed(let e): state.following.insert(e.followee)
        case .userUnfollowed(let e): state.following.remove(e.followee)
        case .tweetLiked(let e): state.likes.insert(Original(owner: e.owner, tweet: e.tweet))
        case .tweetUnliked(let e): state.likes.remove(Original(owner: e.owner, tweet: e.tweet))
        case .userBlocked(let e): state.blocked.insert(e.blocked)
        case .userUnblocked(let e): state.blocked.remove(e.blocked)
        case .userMuted(let e): state.muted.insert(e.muted)
        case .userUnmuted(let e): state.muted.remove(e.muted)
        case .accountCleared: state.verdict = .cleared
        case .fakeConfirmed: state.verdict = .fake
        }
    }
}
