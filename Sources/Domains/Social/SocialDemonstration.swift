internal import EventModel

extension Demonstration {
    /// People who follow each other, tweet and pass on.
    static let social = Demonstration(
        asking: { Social.request(&$0) },
        setup: { size, seed in Yesterday(Community(size: size), seed: seed) },
        actors: { size, seed in
            let community = Community(size: size)
            return (0..<community.count).map { Tweeter($0, of: community, seed: seed) }
        },
        showing: [
            Exhibit(
                "TIMELINE of \(Community.first), newest first",
                proves: "Whom one follows, who names one, and one's own: merged, and each tweet once.",
                query: "social.timeline", [["user": Community.first]], limit: 8,
                as: .table([
                    ShownColumn("posted_at", as: "at, UTC"), "user", "text", "retweet_of", "why",
                ])),
            Exhibit(
                "TRENDS of the last hour",
                proves: "Bursts come first, not what is always there; scores are standard deviations.",
                query: "social.trends", [["window": "1h"]], limit: 5,
                as: .table([
                    "hashtag", "score", "tweets", "retweets", ShownColumn("baseline", as: "in a usual hour"),
                ]), past: true),
        ],
        replaying: ShownRecords(of: "social.events", type: "TweetPosted"),
        trying: [
            "send PostTweet --user \(Community.first) --text 'good night #city'",
            "query social.timeline --user \(Community.first) --limit 20",
        ])
}
