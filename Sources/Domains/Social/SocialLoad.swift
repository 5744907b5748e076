internal import EventModel
internal import SwiftProtobuf

extension Social {
    /// Five users who follow, unfollow, tweet, pass on and delete.
    static func request(_ draw: inout LoadDraw) -> LoadRequest {
        // Who has a tweet follows from its number, so that most of what names a tweet names one that there is.
        let (users, old) = (5 * draw.keys.size, draw.number(max(0, draw.number - 200)...draw.number))
        func author(_ tweet: Int) -> String { draw.name("u", number: tweet % users + 1) }
        let (user, owner) = (author(draw.number), author(old))
        let (new, tweet) = (draw.name("t", number: draw.number), draw.name("t", number: old))
        let other = draw.name("u", 5)
        switch draw.number(0...99) {
        case 0..<24: return post(user, draw.chance(50) ? "hi @\(other) #\(draw.name("x", 1))" : "hello", as: new)
        case 24..<32: return answer(user, owner, tweet, as: new, quoting: draw.chance(40))
        case 32..<42: return passOn(user, owner, tweet, as: new)
        case 42..<48:
            let whoever = draw.chance(80) ? owner : other
            return LoadRequest(SocialDeleteTweet.with { ($0.user, $0.tweet) = (whoever, tweet) })
        case 48..<66: return follow(user, other)
        case 66..<72: return unfollow(user, other)
        case 72: return look(user, for: draw.chance(50) ? "hello" : "#\(draw.name("x", 1))")
        case 73: return read(draw.name("headline", number: draw.number), by: draw.name("paper", 2))
        default: return think(old, users, &draw)
        }
    }

    /// Likes, blocks and mutes: by few and of few, so that what is taken back is there.
    private static func think(_ old: Int, _ users: Int, _ draw: inout LoadDraw) -> LoadRequest {
        let (user, other) = (draw.name("u", 1), draw.name("u", number: draw.number(2...3)))
        // One of the second user: nobody likes what is his own.
        let number = old - old % 20 + 1
        let (owner, tweet) = (draw.name("u", number: number % users + 1), draw.name("t", number: number))
        switch draw.number(0...29) {
        case 0..<6: return like(user, owner, tweet)
        case 6..<11: return unlike(user, owner, tweet)
        case 11..<14: return block(user, other)
        case 14..<18: return unblock(user, other)
        case 18..<22: return mute(user, other)
        case 22..<26: return unmute(user, other)
        default: return judge(other, user, isFake: draw.chance(50))
        }
    }

    fileprivate static func block(_ user: String, _ other: String) -> LoadRequest {
        LoadRequest(SocialBlock.with { ($0.user, $0.blocked) = (user, other) })
    }
    fileprivate static func unblock(_ user: String, _ other: String) -> LoadRequest {
        LoadRequest(SocialUnblock.with { ($0.user, $0.blocked) = (user, other) })
    }
    fileprivate static func mute(_ user: String, _ other: String) -> LoadRequest {
        LoadRequest(SocialMute.with { ($0.user, $0.muted) = (user, other) })
    }
    fileprivate static func unmute(_ user: String, _ other: String) -> LoadRequest {
        LoadRequest(SocialUnmute.with { ($0.user, $0.muted) = (user, other) })
    }
    fileprivate static func unlike(_ user: String, _ owner: String, _ tweet: String) -> LoadRequest {
        LoadRequest(SocialUnlikeTweet.with { ($0.user, $0.owner, $0.tweet) = (user, owner, tweet) })
    }
    fileprivate static func like(_ user: String, _ owner: String, _ tweet: String) -> LoadRequest {
        LoadRequest(SocialLikeTweet.with { ($0.user, $0.owner, $0.tweet) = (user, owner, tweet) })
    }
    fileprivate static func answer(
        _ user: String, _ owner: String, _ named: String, as tweet: String = "", quoting: Bool = false
    ) -> LoadRequest {
        LoadRequest(
            SocialPostTweet.with {
                ($0.user, $0.text, $0.tweet) = (user, "indeed", tweet)
                if quoting {
                    ($0.quotedUser, $0.quotedTweet) = (owner, named)
                } else {
                    ($0.replyToUser, $0.replyToTweet) = (owner, named)
                }
            })
    }

    fileprivate static func post(
        _ user: String, _ text: String, as tweet: String = "", age: Duration = .zero
    ) -> LoadRequest {
        LoadRequest(SocialPostTweet.with { ($0.user, $0.text, $0.tweet) = (user, text, tweet) }, age: age)
    }
    fileprivate static func passOn(
        _ user: String, _ owner: String, _ original: String, as tweet: String = "", text: String = ""
    ) -> LoadRequest {
        LoadRequest(
            SocialRetweet.with {
                ($0.user, $0.owner, $0.original, $0.tweet, $0.text) = (user, owner, original, tweet, text)
            })
    }
    fileprivate static func look(_ user: String, for query: String) -> LoadRequest {
        LoadRequest(SocialSearchPerformed.with { ($0.user, $0.query) = (user, query) })
    }
    fileprivate static func read(_ headline: String, by publisher: String) -> LoadRequest {
        LoadRequest(
            SocialNewsIngested.with {
                ($0.headline, $0.publisher, $0.title) = (
                    headline, publisher, "The team wins the match after extra time"
                )
            })
    }
    fileprivate static func judge(_ account: String, _ reviewer: String, isFake: Bool) -> LoadRequest {
        isFake
            ? LoadRequest(SocialConfirmFake.with { ($0.account, $0.reviewer) = (account, reviewer) })
            : LoadRequest(SocialClearAccount.with { ($0.account, $0.reviewer) = (account, reviewer) })
    }
    fileprivate static func follow(_ user: String, _ followee: String) -> LoadRequest {
        LoadRequest(SocialFollow.with { ($0.user, $0.followee) = (user, followee) })
    }
    fileprivate static func unfollow(_ user: String, _ followee: String) -> LoadRequest {
        LoadRequest(SocialUnfollow.with { ($0.user, $0.followee) = (user, followee) })
    }
}

/// People who follow each other.
struct Community: Sendable {
    /// The first of them, whose timeline is shown.
    static let first = "ann"
    static let daily = ["coffee", "rain", "metro", "news"]
    /// What they tweet of from halfway on.
    static let burst = "fireworks"
    private static let names = [first, "ben", "cleo", "dan", "eva", "finn", "gus", "hana"]

    let count: Int

    /// - Parameter size: Of the demonstration: there are half as many people more, and at least eight.
    init(size: Int) { count = max(8, size * 3 / 2) }

    func name(_ person: Int) -> String { person < Self.names.count ? Self.names[person] : "user\(person)" }
}

/// Has everybody follow some, and gives them the day before, which was as any day.
struct Yesterday: LoadActor {
    private static let day = 86_400
    /// Seconds between two tweets.
    private static let pause = 300

    private let community: Community
    private var random: SeededRandom
    private var step = 0

    init(_ community: Community, seed: UInt64) { (self.community, random) = (community, SeededRandom(seed)) }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        defer { step += 1 }
        switch step {
        case 0: return LoadStep((0..<community.count).flatMap { follows(of: $0) })
        case 1: return LoadStep((0..<Self.day / Self.pause).map { tweet($0) })
        default: return nil
        }
    }

    private mutating func follows(of person: Int) -> [LoadRequest] {
        let some = Set((0..<random.number(3...12)).map { _ in random.number(0...community.count - 1) })
        return some.sorted().filter { $0 != person }
            .map { Social.follow(community.name(person), community.name($0)) }
    }

    private mutating func tweet(_ i: Int) -> LoadRequest {
        Social.post(
            community.name(i % community.count), "#\(random.one(of: Community.daily)), as ever",
            age: .seconds(Self.day - Self.pause * i))
    }
}

/// Somebody who tweets, passes on, follows and unfollows, and sees fireworks halfway.
struct Tweeter: LoadActor {
    private let community: Community
    private let number: Int
    private var random: SeededRandom
    private var posted = 0

    init(_ number: Int, of community: Community, seed: UInt64) {
        (self.community, self.number) = (community, number)
        random = SeededRandom(seed, UInt64(number))
    }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        LoadStep(request(isLate: moment.elapsed > 0.5), pause: random.pause(150...600))
    }

    private mutating func request(isLate: Bool) -> LoadRequest {
        let (me, other) = (community.name(number), community.name(random.number(0...community.count - 1)))
        let near = (1...3).map { community.name((number + $0) % community.count) }
        switch random.number(0...31) {
        case 0..<11:
            posted += 1
            let topic = isLate && random.chance(50) ? Community.burst : random.one(of: Community.daily)
            let text = random.chance(50) ? "@\(other) look, #\(topic)" : "again #\(topic)"
            return Social.post(me, text, as: "\(me)-\(posted)")
        case 11 where posted > 1:
            return LoadRequest(
                SocialDeleteTweet.with { ($0.user, $0.tweet) = (me, "\(me)-\(random.number(1...posted))") })
        case 11..<15: return Social.passOn(me, other, "\(other)-1", text: "seen")
        case 16..<18: return Social.follow(me, other)
        case 18: return Social.unfollow(me, other)
        case 19: return Social.look(me, for: isLate ? Community.burst : random.one(of: Community.daily))
        case 20..<22: return Social.like(me, near[0], "\(near[0])-1")
        case 22..<24: return Social.unlike(me, near[0], "\(near[0])-1")
        case 24: return Social.mute(me, near[1])
        case 25: return Social.unmute(me, near[1])
        case 15, 26: return Social.block(me, near[2])
        case 27, 28: return Social.unblock(me, near[2])
        case 29: return Social.read("headline\(number)-\(posted)", by: "paper\(number % 3)")
        case 30: return Social.judge(near[1], me, isFake: random.chance(20))
        default: return Social.answer(me, other, "\(other)-1")
        }
    }
}
