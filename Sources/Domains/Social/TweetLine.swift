public import EventModel
internal import SwiftProtobuf

/// Reads tweets that others kept, one JSON object a line, as the commands that write them again.
///
/// Needed are `id`, the time (`time` or `t`: RFC 3339, or seconds since 1970), the user's handle (`user`, `screen_name` or
/// `s`) and `text`. A retweet has the original's id in `retweet_of` or `rt`, and its owner's handle in `owner`; without
/// that the owner is the first whom the text names, as in `RT @owner: ...`. A reply has the answered tweet in `rp` and its author's
/// id in `rpu`, whose handle `m` gives; a quote the shown tweet in `q`, whose author a link among `ur` gives. Twitter's own objects are read as they are, see
/// ``ImportedTweet``.
public enum TweetLine {
    public static func command(_ line: ArraySlice<UInt8>) throws -> EncodedCommand {
        let tweet = try ImportedTweet(line)
        let kind: SocialCommand.Kind
        if let original = tweet.original {
            kind = .retweet(
                .with {
                    ($0.user, $0.tweet, $0.text) = (tweet.user, tweet.id, tweet.text)
                    ($0.owner, $0.original) = (tweet.owner ?? "", original)
                })
        } else {
            let length = TweetText.length(of: tweet.text)
            if length > TweetText.longest { throw SocialRefusal.overLength(length) }
            kind = .postTweet(
                .with {
                    ($0.user, $0.tweet, $0.text) = (tweet.user, tweet.id, tweet.text)
                    if let reply = tweet.reply { ($0.replyToUser, $0.replyToTweet) = (reply.owner, reply.tweet) }
                    if let quote = tweet.quote { ($0.quotedUser, $0.quotedTweet) = (quote.owner, quote.tweet) }
                })
        }
        try Social.check(kind)
        return EncodedCommand(
            type: tweet.original == nil ? "PostTweet" : "Retweet", key: Bytes(Social.key(of: kind)),
            value: SocialCommand.bytes(kind), id: "tweet-\(tweet.id)", time: tweet.time)
    }
}
