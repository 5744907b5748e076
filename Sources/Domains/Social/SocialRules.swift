internal import EventModel
internal import SwiftProtobuf

/// What social allows at most.
enum SocialLimits {
    /// Bytes of a text; its length in Twitter's count is another limit, by which a link or an emoji of many bytes counts little.
    static let text = 16_000
    static let tweet = 100
    /// Users whom one user may follow.
    static let following = 50_000
    /// Retweets of retweets that are gone through to an original. What is further away counts as not known.
    static let hops = 16
    /// Tweets that one user likes.
    static let likes = 100_000
    /// Users whom one user blocks, and whom one mutes.
    static let hidden = 10_000
    /// Answers of answers that are gone through in a thread, and tweets before the one that is asked for.
    static let depth = 32
}

extension Social {
    static func check(_ command: Command.Kind) throws(Malformed) {
        switch command {
        case .postTweet(let c):
            try check(handle: c.user, "user")
            if !c.tweet.isEmpty { try Check.identifier(c.tweet, "tweet", atMost: SocialLimits.tweet) }
            if !c.text.contains(where: { !$0.isWhitespace }) { throw Malformed("text", "is missing") }
            try check(text: c.text)
            try check(pair: c.replyToUser, c.replyToTweet, "replyToUser", "replyToTweet")
            try check(pair: c.quotedUser, c.quotedTweet, "quotedUser", "quotedTweet")
        case .deleteTweet(let c):
            try check(handle: c.user, "user")
            try Check.identifier(c.tweet, "tweet", atMost: SocialLimits.tweet)
        case .retweet(let c):
            try check(handle: c.user, "user")
            try check(handle: c.owner, "owner")
            try Check.identifier(c.original, "original", atMost: SocialLimits.tweet)
            if !c.tweet.isEmpty { try Check.identifier(c.tweet, "tweet", atMost: SocialLimits.tweet) }
            try check(text: c.text)
        case .follow(let c):
            try check(handle: c.user, "user")
            try check(handle: c.followee, "followee")
        case .unfollow(let c):
            try check(handle: c.user, "user")
            try check(handle: c.followee, "followee")
        case .likeTweet(let c):
            try check(handle: c.user, "user")
            try check(handle: c.owner, "owner")
            try Check.identifier(c.tweet, "tweet", atMost: SocialLimits.tweet)
        case .unlikeTweet(let c):
            try check(.likeTweet(.with { ($0.user, $0.owner, $0.tweet) = (c.user, c.owner, c.tweet) }))
        case .block(let c):
            try check(handle: c.user, "user")
            try check(handle: c.blocked, "blocked")
        case .unblock(let c): try check(.block(.with { ($0.user, $0.blocked) = (c.user, c.blocked) }))
        case .mute(let c):
            try check(handle: c.user, "user")
            try check(handle: c.muted, "muted")
        case .unmute(let c): try check(.mute(.with { ($0.user, $0.muted) = (c.user, c.muted) }))
        case .clearAccount_p(let c): try check(account: c.account, reviewer: c.reviewer, isFact: false)
        case .confirmFake(let c): try check(account: c.account, reviewer: c.reviewer, isFact: false)
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .tweetPosted(let e):
            try check(
                .postTweet(
                    .with {
                        ($0.user, $0.text, $0.tweet) = (e.user, e.text, e.tweet)
                        ($0.replyToUser, $0.replyToTweet) = (e.replyToUser, e.replyToTweet)
                        ($0.quotedUser, $0.quotedTweet) = (e.quotedUser, e.quotedTweet)
                    }))
            try canonical(e.replyToUser, "replyToUser")
            try canonical(e.quotedUser, "quotedUser")
            try Check.identifier(e.tweet, "tweet", atMost: SocialLimits.tweet)
            let expected = posted(e.user, e.tweet, e.text)
            if !same(e.hashtags, expected.hashtags), !same(e.hashtags, FirstTweetText.hashtagNames(in: e.text)) {
                throw Malformed("hashtags", "must be those of the text: \(expected.hashtags.joined(separator: ", "))")
            }
            if !same(e.mentions, expected.mentions), !same(e.mentions, FirstTweetText.mentionNames(in: e.text)) {
                throw Malformed("mentions", "must be those of the text: \(expected.mentions.joined(separator: ", "))")
            }
            try canonical(e.user, "user")
        case .tweetDeleted(let e):
            try check(.deleteTweet(.with { ($0.user, $0.tweet) = (e.user, e.tweet) }))
            try canonical(e.user, "user")
        case .retweeted(let e):
            try check(
                .retweet(
                    .with {
                        ($0.user, $0.owner, $0.original, $0.text) = (e.user, e.owner, e.original, e.text)
                    }))
            try Check.identifier(e.tweet, "tweet", atMost: SocialLimits.tweet)
            try canonical(e.user, "user")
            try canonical(e.owner, "owner")
        case .userFollowed(let e): try check(pair: e.user, e.followee)
        case .userUnfollowed(let e): try check(pair: e.user, e.followee)
        case .tweetLiked(let e):
            try check(.likeTweet(.with { ($0.user, $0.owner, $0.tweet) = (e.user, e.owner, e.tweet) }))
            try canonical(e.user, "user")
            try canonical(e.owner, "owner")
        case .tweetUnliked(let e):
            try check(.tweetLiked(.with { ($0.user, $0.owner, $0.tweet) = (e.user, e.owner, e.tweet) }))
        case .userBlocked(let e): try check(facing: e.user, e.blocked, "blocked")
        case .userUnblocked(let e): try check(facing: e.user, e.blocked, "blocked")
        case .userMuted(let e): try check(facing: e.user, e.muted, "muted")
        case .userUnmuted(let e): try check(facing: e.user, e.muted, "muted")
        case .accountCleared(let e): try check(account: e.account, reviewer: e.reviewer, isFact: true)
        case .fakeConfirmed(let e): try check(account: e.account, reviewer: e.reviewer, isFact: true)
        }
    }

    /// 1: who passes on a tweet of their own must have it, also in a fact.
    /// 2: with blocks, which also end what was allowed before.
    static var rules: Int { 2 }

    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(Rejection) {
        switch event {
        case .tweetPosted(let e):
            let length = TweetText.length(of: e.text)
            if length > TweetText.longest { throw .overLength(length) }
            if state.own[e.tweet] != nil { throw .tweetExists(tweet: e.tweet) }
            try checkNamed(by: e, on: state)
        case .retweeted(let e):
            if state.blocked.contains(e.owner) { throw .blocked(e.owner) }
            if state.own[e.tweet] != nil { throw .tweetExists(tweet: e.tweet) }
            if let known = state.passedOn[Original(owner: e.owner, tweet: e.original)] {
                throw .duplicateRetweet(original: e.original, owner: e.owner, as: known)
            }
            // What is one's own is known here.
            if e.owner == e.user {
                switch state.own[e.original] {
                case .tweet: break
                case .deleted: throw .tweetDeleted(tweet: e.original)
                case .retweet, nil: throw .unknownTweet(tweet: e.original, user: e.user)
                }
            }
        case .tweetDeleted(let e):
            switch state.own[e.tweet] {
            case nil: throw .unknownTweet(tweet: e.tweet, user: e.user)
            case .deleted: throw .tweetDeleted(tweet: e.tweet)
            case .tweet, .retweet: break
            }
        case .userFollowed(let e):
            if e.user == e.followee { throw .selfFollow }
            if state.blocked.contains(e.followee) { throw .blocked(e.followee) }
            if state.following.contains(e.followee) { throw .following(e.followee) }
            if state.following.count >= SocialLimits.following { throw .followingLimit }
        case .userUnfollowed(let e):
            if !state.following.contains(e.followee) { throw .notFollowing(e.followee) }
        case .tweetLiked, .tweetUnliked, .userBlocked, .userUnblocked, .userMuted, .userUnmuted:
            try admitOpinion(event, on: state)
        case .accountCleared(let e): try admit(verdict: .cleared, of: e.account, by: e.reviewer, on: state)
        case .fakeConfirmed(let e): try admit(verdict: .fake, of: e.account, by: e.reviewer, on: state)
        }
    }

    /// Whether lists of names are the same byte for byte.
    static func same(_ a: [String], _ b: [String]) -> Bool { a.elementsEqual(b) { $0.utf8.elementsEqual($1.utf8) } }

    /// A tweet that takes its command's id must be one that later commands can name.
    static func identifier(_ given: String, _ id: String) throws(Rejection) -> String {
        if !given.isEmpty { return given }
        do {
            try Check.identifier(id, "the command's id, which names the tweet", atMost: SocialLimits.tweet)
        } catch {
            throw .idNamesNoTweet(why: error.message)
        }
        return id
    }

    static func check(handle: String, _ field: String) throws(Malformed) {
        if handle.isEmpty { throw Malformed(field, "is missing") }
        if handle.hasPrefix("@") { throw Malformed(field, "is \(handle.prefix(40)); write a handle without the @") }
        if handle.unicodeScalars.count > TweetText.longestHandle
            || !handle.unicodeScalars.allSatisfy(TweetText.isOfHandle)
        {
            throw Malformed(
                field,
                "is \(handle.prefix(40)); a handle has 1 to \(TweetText.longestHandle) letters of ASCII, digits or _")
        }
    }

    private static func check(facing user: String, _ other: String, _ field: String) throws(Malformed) {
        try check(handle: user, "user")
        try check(handle: other, field)
        try canonical(user, "user")
        try canonical(other, field)
    }

    /// A tweet that another names: both of its names, or neither.
    private static func check(
        pair user: String, _ tweet: String, _ userField: String, _ tweetField: String
    ) throws(Malformed) {
        if user.isEmpty, tweet.isEmpty { return }
        try check(handle: user, userField)
        try Check.identifier(tweet, tweetField, atMost: SocialLimits.tweet)
    }

    private static func check(pair user: String, _ followee: String) throws(Malformed) {
        try check(handle: user, "user")
        try check(handle: followee, "followee")
        try canonical(user, "user")
        try canonical(followee, "followee")
    }

    private static func canonical(_ name: String, _ field: String) throws(Malformed) {
        if name != handle(name) { throw Malformed(field, "is \(name); a fact has handles in lower case") }
    }

    private static func check(text: String) throws(Malformed) {
        if text.utf8.count > SocialLimits.text {
            throw Malformed("text", "has \(text.utf8.count) bytes, at most \(SocialLimits.text) are allowed")
        }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 && !"\t\n\r".unicodeScalars.contains($0) }) {
            throw Malformed("text", "has a control character other than a line feed or a tab")
        }
        if let invalid = TweetText.invalid(in: text) {
            throw Malformed("text", "has \(Shown.escape(invalid)), which no tweet may have; leave it out")
        }
    }
}
