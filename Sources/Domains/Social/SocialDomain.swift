public import EventModel

extension Domain {
    /// A Twitter: tweets, retweets, follows, timelines, trends.
    public static let social = social(fanOutLimit: 5000)

    static func social(_ settings: Settings) throws(Malformed) -> Domain {
        social(fanOutLimit: try settings.integer("social.fan-out-limit", default: 5000, in: 1...10_000_000))
    }

    /// - Parameter fanOutLimit: Followers from which on an author's tweets are fetched by them, not handed to each.
    static func social(fanOutLimit: Int) -> Domain {
        Domain("social", "Tweets, follows, timelines and trends.", descriptor: socialDescriptor)
            .deciding(Social.self, key: "user")
            .naming(actor: "user", of: "PostTweet", "DeleteTweet", "Retweet", "Follow", "Unfollow")
            .naming(
                actor: "user", of: "TweetPosted", "TweetDeleted", "Retweeted", "UserFollowed", "UserUnfollowed"
            )
            .deriving(SocialAudienceEvent.self, topic: "audience", key: "author", owner: "followers and fan-out")
            .deriving(SocialHomeEvent.self, topic: "home", key: "none; readers of one partition", owner: "fan-out")
            .deriving(SocialRetweetEvent.self, topic: "retweets", key: "author", owner: "retweets")
            .reacting(Followers.self)
            .reacting(remembering: FanOut(limit: fanOutLimit))
            .reacting(remembering: Retweets())
            .projecting(Timelines.self)
            .projecting(Trends.self)
            .answering(timeline, user, mentions, trends)
            .demonstrating(.social)
            .showing(DomainPage("Timeline and trends", files: PageFiles.all))
            .importing(.tweets, .follows)
            .keeping(
                SocialInvariants.timelinesAreMerged, SocialInvariants.followersAreTheEdges,
                SocialInvariants.crossingsAlternate, SocialInvariants.entriesAreBounded,
                SocialInvariants.trendsAreCounted)
    }

    private static let whose = RequiredParameter<String>("user", "the user's handle")

    private static let timeline = Query(
        "social.timeline",
        "A user's home timeline: their followees' tweets and retweets, mentions of them, and their own, newest first.",
        of: "social.timelines", [whose]
    ) { arguments, reader in
        var timeline = try ReadTimeline(homeOf: handle(arguments), reader, from: arguments.cursor)
        return try timeline.page(limit: arguments.limit)
    }

    private static let user = Query(
        "social.user", "What a user tweeted and retweeted, newest first.", of: "social.timelines", [whose]
    ) { arguments, reader in
        var timeline = try ReadTimeline(reader, from: arguments.cursor)
        timeline.add(tweetsOf: try handle(arguments), own: true)
        return try timeline.page(limit: arguments.limit)
    }

    private static let mentions = Query(
        "social.mentions", "Tweets that name a user, newest first.", of: "social.timelines", [whose]
    ) { arguments, reader in
        var timeline = try ReadTimeline(reader, from: arguments.cursor)
        timeline.addMentions(of: try handle(arguments))
        return try timeline.page(limit: arguments.limit)
    }

    private static func handle(_ arguments: Arguments) throws -> String {
        let user = try arguments[whose]
        try Social.check(handle: user, "user")
        return Social.handle(user)
    }

    /// The longest window that can be asked for.
    private static let longest = Duration.seconds(7 * 86_400)

    private static let length = OptionalParameter<Duration>(
        "window", "its length in whole minutes, up to 7d (default: 1h)")
    private static let at = OptionalParameter<Timestamp>("at", "its last minute (default: now)")

    private static let trends = Query(
        "social.trends", "Hashtags of a window, ranked by how far they burst above their own baseline.",
        of: "social.trends",
        [length, at]
    ) { arguments, reader in
        let window = arguments[length] ?? .seconds(3600)
        if window < .seconds(60) || window > longest || window.milliseconds % 60_000 != 0 {
            throw Malformed("window", "must be whole minutes, 1m to 7d")
        }
        let last = TrendWindow.minute(arguments[at] ?? arguments.now)
        return try ReadTrends(reader, last: last, length: window.milliseconds / 60_000).page(limit: arguments.limit)
    }
}
