internal import EventModel
internal import SwiftProtobuf

/// What one user thinks of tweets and of others: likes, blocks, mutes.
extension Social {
    /// A tweet that is named is the one that it passes on, where that is known: of others' tweets only their owners know.
    private static func original(_ owner: String, _ tweet: String, by user: String, _ state: State) -> Original {
        let named = Original(owner: handle(owner), tweet: tweet)
        if named.owner == handle(user), case .retweet(let passedOn) = state.own[tweet] { return passedOn }
        return named
    }

    static func like(_ c: SocialLikeTweet, on state: State) throws(Rejection) -> [Event.Kind] {
        let user = handle(c.user)
        let original = original(c.owner, c.tweet, by: user, state)
        if state.likes.contains(original) { return [] }
        try checkNamed(original, by: user, on: state)
        if state.likes.count >= SocialLimits.likes { throw .listLimit("likes", SocialLimits.likes) }
        return [.tweetLiked(.with { ($0.user, $0.owner, $0.tweet) = (user, original.owner, original.tweet) })]
    }

    static func unlike(_ c: SocialUnlikeTweet, on state: State) -> [Event.Kind] {
        let user = handle(c.user)
        let original = original(c.owner, c.tweet, by: user, state)
        if !state.likes.contains(original) { return [] }
        return [.tweetUnliked(.with { ($0.user, $0.owner, $0.tweet) = (user, original.owner, original.tweet) })]
    }

    /// Who blocks follows no more. That the other follows is theirs, and shows them nothing from here on.
    static func block(_ c: SocialBlock, on state: State) throws(Rejection) -> [Event.Kind] {
        let (user, blocked) = (handle(c.user), handle(c.blocked))
        if user == blocked { throw .selfBlock }
        if state.blocked.contains(blocked) { return [] }
        if state.blocked.count >= SocialLimits.hidden { throw .listLimit("blocks", SocialLimits.hidden) }
        let unfollowed: [Event.Kind] =
            state.following.contains(blocked)
            ? [.userUnfollowed(.with { ($0.user, $0.followee) = (user, blocked) })] : []
        return unfollowed + [.userBlocked(.with { ($0.user, $0.blocked) = (user, blocked) })]
    }

    static func mute(_ c: SocialMute, on state: State) throws(Rejection) -> [Event.Kind] {
        let (user, muted) = (handle(c.user), handle(c.muted))
        if user == muted { throw .selfBlock }
        if state.muted.contains(muted) { return [] }
        if state.muted.count >= SocialLimits.hidden { throw .listLimit("mutes", SocialLimits.hidden) }
        return [.userMuted(.with { ($0.user, $0.muted) = (user, muted) })]
    }

    /// A reply answers, and a quote shows, what may be there.
    static func checkNamed(by e: SocialTweetPosted, on state: State) throws(Rejection) {
        for (owner, tweet) in [(e.replyToUser, e.replyToTweet), (e.quotedUser, e.quotedTweet)] where !owner.isEmpty {
            try checkNamed(Original(owner: owner, tweet: tweet), by: e.user, on: state)
        }
    }

    /// What is one's own is known here; what is others' may be there or not.
    private static func checkNamed(_ tweet: Original, by user: String, on state: State) throws(Rejection) {
        if state.blocked.contains(tweet.owner) { throw .blocked(tweet.owner) }
        if tweet.owner != user { return }
        switch state.own[tweet.tweet] {
        case .tweet, .retweet: break
        case .deleted: throw .tweetDeleted(tweet: tweet.tweet)
        case nil: throw .unknownTweet(tweet: tweet.tweet, user: user)
        }
    }

    /// Whether a fact about what one thinks is a legal next one.
    static func admitOpinion(_ event: Event.Kind, on state: State) throws(Rejection) {
        switch event {
        case .tweetLiked(let e):
            let named = Original(owner: e.owner, tweet: e.tweet)
            if state.likes.contains(named) { throw .unchanged("\(e.tweet) is liked") }
            if original(e.owner, e.tweet, by: e.user, state) != named {
                throw .unknownTweet(tweet: e.tweet, user: e.owner)
            }
            try checkNamed(named, by: e.user, on: state)
            if state.likes.count >= SocialLimits.likes { throw .listLimit("likes", SocialLimits.likes) }
        case .tweetUnliked(let e):
            if !state.likes.contains(Original(owner: e.owner, tweet: e.tweet)) {
                throw .unchanged("\(e.tweet) is not liked")
            }
        case .userBlocked(let e):
            if e.user == e.blocked { throw .selfBlock }
            if state.blocked.contains(e.blocked) { throw .unchanged("\(e.blocked) is blocked") }
            if state.following.contains(e.blocked) { throw .stillFollowing(e.blocked) }
            if state.blocked.count >= SocialLimits.hidden { throw .listLimit("blocks", SocialLimits.hidden) }
        case .userUnblocked(let e):
            if !state.blocked.contains(e.blocked) { throw .unchanged("\(e.blocked) is not blocked") }
        case .userMuted(let e):
            if e.user == e.muted { throw .selfBlock }
            if state.muted.contains(e.muted) { throw .unchanged("\(e.muted) is muted") }
            if state.muted.count >= SocialLimits.hidden { throw .listLimit("mutes", SocialLimits.hidden) }
        case .userUnmuted(let e):
            if !state.muted.contains(e.muted) { throw .unchanged("\(e.muted) is not muted") }
        default: break
        }
    }
}
