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
            .naming(
                actor: "user", of: "PostTweet", "DeleteTweet", "Retweet", "Follow", "Unfollow", "LikeTweet",
                "UnlikeTweet", "Block", "Unblock", "Mute", "Unmute"
            )
            .observing(Searches.self, topic: "social.searches", key: "user", partitions: 4)
            .naming(
                actor: "user", of: "SearchPerformed", "TweetPosted", "TweetDeleted", "Retweeted", "UserFollowed",
                "UserUnfollowed", "TweetLiked", "TweetUnliked", "UserBlocked", "UserUnblocked", "UserMuted",
                "UserUnmuted"
            )
            .naming(actor: "reviewer", of: "ClearAccount", "ConfirmFake", "AccountCleared", "FakeConfirmed")
            .reviewing(by: "ClearAccount", "ConfirmFake")
            .observing(SocialNews.self, topic: "social.news", key: "publisher", partitions: 4)
            .deriving(SocialAudienceEvent.self, topic: "audience", key: "author", owner: "followers and fan-out")
            .deriving(SocialHomeEvent.self, topic: "home", key: "none; readers of one partition", owner: "fan-out")
            .deriving(SocialRetweetEvent.self, topic: "retweets", key: "author", owner: "retweets")
            .deriving(SocialFlagEvent.self, topic: "flags", key: "account", owner: "flag-fakes")
            .deriving(SocialProfileEvent.self, topic: "profiles", key: "user", owner: "profiles")
            .reacting(Followers.self)
            .reacting(remembering: FanOut(limit: fanOutLimit))
            .reacting(remembering: Retweets())
            .reacting(remembering: FlagFakes())
            .reacting(Profiles.self)
            .projecting(Timelines.self)
            .projecting(Trends.self)
            .projecting(SocialGraph.self)
            .projecting(Search.self)
            .projecting(SocialTies.self)
            .projecting(Flags.self)
            .projecting(MomentTexts.self)
            .answering(
                timeline, user, mentions, trends, thread, tweet, quotes, likes, liked, followers, followees,
                .suggestions, .flagged, .moments
            )
            .answering(SearchQueries.search, SearchQueries.people, home)
            .routing(SocialRoutes.all)
            .demonstrating(.social)
            .showing(DomainPage("Timeline and trends", files: PageFiles.all))
            .importing(.tweets, .follows, .headlines)
            .keeping(
                SocialInvariants.timelinesAreMerged, SocialInvariants.followersAreTheEdges,
                SocialInvariants.crossingsAlternate, SocialInvariants.entriesAreBounded,
                SocialInvariants.trendsAreCounted, SocialInvariants.usesAreTheirUsers, SocialInvariants.likesAreCounted,
                SocialInvariants.graphIsFollowed, SocialInvariants.searchIsAScan)
    }

    private static let whose = RequiredParameter<String>("user", "the user's handle")

    private static let viewer = OptionalParameter<String>(
        "viewer", "who reads: what is blocked between them and its author is left out (default: anybody)")
    private static let counts = FlagParameter("counts", "with likes, replies, quotes and retweets")
    private static let owner = RequiredParameter<String>("owner", "who wrote the tweet")
    private static let named = RequiredParameter<String>("tweet", "the tweet's identifier")

    private static func viewing(_ arguments: Arguments) throws -> String? {
        guard let viewer = arguments[viewer] else { return nil }
        try Social.check(handle: viewer, "viewer")
        return Social.handle(viewer)
    }

    private static func names(_ arguments: Arguments) throws -> (owner: String, tweet: String) {
        let (owner, tweet) = (try arguments[owner], try arguments[named])
        try Social.check(handle: owner, "owner")
        try Check.identifier(tweet, "tweet", atMost: SocialLimits.tweet)
        return (Social.handle(owner), tweet)
    }

    private static let thread = Query(
        "social.thread", "A conversation: the tweets before one, that one, and all that answer it.",
        of: "social.timelines", [owner, named, viewer]
    ) { arguments, reader in
        let (owner, tweet) = try names(arguments)
        var thread = try ReadThread(owner, tweet, reader, for: viewing(arguments))
        return try thread.page(limit: arguments.limit, from: arguments.cursor)
    }

    private static let tweet = Query(
        "social.tweet", "A tweet; of a retweet, what it passes on. Nothing where it was deleted.",
        of: "social.timelines", [owner, named, viewer]
    ) { arguments, reader in
        let (owner, tweet) = try names(arguments)
        var originals = ReadOriginals(reader)
        let columns = [Column("user", .text), Column("tweet", .text), Column("text", .text)]
        guard let found = try originals.tweet(.text(owner), .text(tweet)), let author = found[0].text,
            try !Hidden(from: viewing(arguments), reader).isBlocked(author)
        else { return Page(columns: columns, rows: []) }
        return Page(columns: columns, rows: [found])
    }

    private static let quotes = Query(
        "social.quotes", "Tweets that show a tweet with their own text, newest first.", of: "social.timelines",
        [owner, named, viewer]
    ) { arguments, reader in
        let (owner, tweet) = try names(arguments)
        var quotes = try ReadTimeline(reader, for: viewing(arguments), from: arguments.cursor)
        quotes.addQuotes(of: owner, tweet)
        return try quotes.page(limit: arguments.limit)
    }

    private static let likes = Query(
        "social.likes", "Who likes a tweet, the latest first.", of: "social.timelines", [owner, named, viewer]
    ) { arguments, reader in
        let (owner, tweet) = try names(arguments)
        return try ReadLikes(reader, for: viewing(arguments)).likers(of: owner, tweet, arguments)
    }

    private static let liked = Query(
        "social.liked", "What a user likes, the latest first.", of: "social.timelines", [whose, viewer]
    ) { arguments, reader in
        try ReadLikes(reader, for: viewing(arguments)).liked(by: handle(arguments), arguments)
    }

    private static let followers = Query(
        "social.followers", "Who follows a user, the latest first.", of: "social.graph", [whose]
    ) { arguments, reader in
        try SocialGraph.page(of: handle(arguments), followers: true, arguments, reader)
    }

    private static let followees = Query(
        "social.followees", "Whom a user follows, the latest first.", of: "social.graph", [whose]
    ) { arguments, reader in
        try SocialGraph.page(of: handle(arguments), followers: false, arguments, reader)
    }

    private static let timeline = Query(
        "social.timeline",
        "A user's home timeline: their followees' tweets and retweets, mentions of them, and their own, newest first.",
        of: "social.timelines", [whose, counts]
    ) { arguments, reader in
        var timeline = try ReadTimeline(homeOf: handle(arguments), reader, from: arguments.cursor)
        return try timeline.page(limit: arguments.limit, counts: arguments[counts])
    }

    private static let moment = OptionalParameter<Timestamp>("at", "the moment that it is ranked at (default: now)")

    private static let home = Query(
        "social.home",
        "A user's home timeline, best first: its newest tweets until a moment, and why each stands where it does.",
        of: "social.timelines", [whose, moment], page: 20
    ) { arguments, reader in
        let moment = try RankHome.moment(of: arguments.cursor) ?? arguments[moment] ?? arguments.now
        return try RankHome(of: handle(arguments), at: moment, reader)
            .page(limit: arguments.limit, from: arguments.cursor)
    }

    private static let user = Query(
        "social.user", "What a user tweeted and retweeted, newest first.", of: "social.timelines",
        [whose, viewer, counts]
    ) { arguments, reader in
        var timeline = try ReadTimeline(reader, for: viewing(arguments), from: arguments.cursor)
        timeline.add(tweetsOf: try handle(arguments), own: true)
        return try timeline.page(limit: arguments.limit, counts: arguments[counts])
    }

    private static let mentions = Query(
        "social.mentions", "Tweets that name a user, newest first.", of: "social.timelines", [whose]
    ) { arguments, reader in
        let user = try handle(arguments)
        var timeline = try ReadTimeline(reader, for: user, hidingMuted: true, from: arguments.cursor)
        timeline.addMentions(of: user)
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

    private static let reader = OptionalParameter<String>(
        "for", "whose interests weigh: what they tweeted and looked for counts more (default: nobody's)")
    private static let bursting = FlagParameter(
        "bursting", "only what bursts, a score of \(Int(ReadTrends.bursting)) at least: nothing in quiet hours")

    private static let trends = Query(
        "social.trends",
        "Hashtags, what is looked for and what headlines say in a window, ranked by how far they burst above their own baseline.",
        of: "social.trends", [length, at, reader, bursting]
    ) { arguments, reader in
        let window = arguments[length] ?? .seconds(3600)
        if window < .seconds(60) || window > longest || window.milliseconds % 60_000 != 0 {
            throw Malformed("window", "must be whole minutes, 1m to 7d")
        }
        let page = try RankedPage(arguments)
        let end = arguments[at] ?? page.moment ?? arguments.now
        var user: String?
        if let name = arguments[Self.reader] {
            try Social.check(handle: name, "for")
            user = Social.handle(name)
        }
        let rows = try ReadTrends(
            reader, last: TrendWindow.minute(end), length: window.milliseconds / 60_000, for: user,
            least: arguments[bursting] ? ReadTrends.bursting : -.infinity
        ).rows(atMost: page.wanted)
        return page.page(ReadTrends.columns, of: [rows], at: end)
    }
}
