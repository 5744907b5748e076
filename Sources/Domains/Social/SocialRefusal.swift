internal import EventModel

/// Why social says no.
enum SocialRefusal: Refusal, Hashable {
    case overLength(Int)
    case tweetExists(tweet: String)
    case tweetDeleted(tweet: String)
    case unknownTweet(tweet: String, user: String)
    case duplicateRetweet(original: String, owner: String, as: String)
    case selfFollow
    case followingLimit
    case following(String)
    case notFollowing(String)
    case blocked(String)
    case selfBlock
    case listLimit(String, Int)
    case unchanged(String)
    case stillFollowing(String)
    case idNamesNoTweet(why: String)
    case selfVerdict

    var reason: String {
        switch self {
        case .overLength: "over-length"
        case .tweetExists: "tweet-exists"
        case .tweetDeleted: "tweet-deleted"
        case .unknownTweet: "unknown-tweet"
        case .duplicateRetweet: "duplicate-retweet"
        case .selfFollow: "self-follow"
        case .followingLimit: "following-limit"
        case .following: "already-following"
        case .notFollowing: "not-following"
        case .blocked: "blocked"
        case .selfBlock: "self-block"
        case .listLimit: "list-limit"
        case .unchanged: "unchanged"
        case .stillFollowing: "still-following"
        case .idNamesNoTweet: "malformed"
        case .selfVerdict: "self-verdict"
        }
    }

    var message: String {
        switch self {
        case .overLength(let length):
            "the text has \(length) characters by Twitter's count, at most \(TweetText.longest) are allowed; shorten it"
        case .tweetExists(let tweet): "tweet \(tweet) exists already, with another text; give this one another id"
        case .tweetDeleted(let tweet): "tweet \(tweet) was deleted, and its id is not used again"
        case .unknownTweet(let tweet, let user): "\(user) has no tweet \(tweet)"
        case .duplicateRetweet(let original, let owner, let tweet):
            "you passed \(owner)'s tweet \(original) on already, as \(tweet); delete that one first to do it again"
        case .selfFollow: "nobody follows themselves; your own tweets are in your timeline anyway"
        case .followingLimit: "you follow \(SocialLimits.following) users, which is the most; unfollow one first"
        case .following(let user): "\(user) is followed already"
        case .notFollowing(let user): "\(user) is not followed"
        case .blocked(let user): "you have blocked \(user); take the block back first"
        case .selfBlock: "nobody blocks or mutes themselves"
        case .listLimit(let what, let count): "you have \(count) \(what), which is the most; take one back first"
        case .unchanged(let what): "\(what) already"
        case .stillFollowing(let user): "\(user) is followed still, which ends before a block"
        case .idNamesNoTweet(let why): why
        case .selfVerdict: "nobody judges their own account; another reviewer must"
        }
    }
}
