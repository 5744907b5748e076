public import EventModel
internal import Foundation
internal import SwiftProtobuf

/// Reads tweets that others kept, one JSON object a line, as the commands that write them again.
///
/// Needed are `id`, the time (`time` or `t`: RFC 3339, or seconds since 1970), the user's handle (`user`, `screen_name` or
/// `s`) and `text`. A retweet has the original's id in `retweet_of` or `rt`, and its owner's handle in `owner`; without
/// that the owner is the first whom the text names, as in `RT @owner: ...`.
public enum TweetLine {
    public static func command(_ line: ArraySlice<UInt8>) throws -> EncodedCommand {
        let tweet = try Tweet(line)
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
            kind = .postTweet(.with { ($0.user, $0.tweet, $0.text) = (tweet.user, tweet.id, tweet.text) })
        }
        try Social.check(kind)
        return EncodedCommand(
            type: tweet.original == nil ? "PostTweet" : "Retweet", key: Bytes(Social.key(of: kind)),
            value: SocialCommand.bytes(kind), id: "tweet-\(tweet.id)", time: tweet.time)
    }
}

private struct Tweet {
    var id: String
    var user: String
    var text: String
    var time: Timestamp
    var original: String?
    var owner: String?

    init(_ line: ArraySlice<UInt8>) throws(Malformed) {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(line))) as? [String: Any] else {
            throw Malformed("line", "is not a JSON object")
        }
        id = try Self.text(object, "id")
        user = try Self.text(object, "user", "screen_name", "s")
        text = try Self.text(object, "text")
        time = try Self.time(object)
        original = Self.optional(object, "retweet_of", "rt")
        guard original != nil else { return }
        owner = Self.optional(object, "owner") ?? TweetText.mentions(in: text).first?.name
        if owner == nil { throw Malformed("owner", "is missing, and the text of the retweet names nobody") }
        // A client's way to quote: what follows is the original's text.
        if let owner, let colon = text.range(of: "RT @\(owner): ", options: [.anchored, .caseInsensitive]) {
            text = String(text[colon.upperBound...])
        }
    }

    /// The first of these members that is there: text, or a number as it is written.
    private static func optional(_ object: [String: Any], _ names: String...) -> String? {
        value(object, names)
    }

    private static func value(_ object: [String: Any], _ names: [String]) -> String? {
        for name in names {
            if let text = object[name] as? String, !text.isEmpty { return text }
            if let number = object[name] as? NSNumber { return number.stringValue }
        }
        return nil
    }

    private static func text(_ object: [String: Any], _ names: String...) throws(Malformed) -> String {
        guard let value = value(object, names) else { throw Malformed(names.joined(separator: " or "), "is missing") }
        return value
    }

    private static func time(_ object: [String: Any]) throws(Malformed) -> Timestamp {
        let text = try text(object, "time", "t")
        let time =
            Timestamp(rfc3339: text)
            ?? Int64(text).flatMap { seconds in
                abs(seconds) < 1_000_000_000_000 ? Timestamp(seconds * 1000) : nil
            }
        guard let time, Timestamp.calendar.contains(time) else {
            throw Malformed("time", "is \(text.prefix(40)), neither RFC 3339 nor seconds since 1970")
        }
        return time
    }
}
