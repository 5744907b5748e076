import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import SocialDomain

typealias Told = SocialEvent.OneOf_Kind
typealias Ask = SocialCommand.OneOf_Kind

extension SocialCommand.OneOf_Kind {
    static func post(_ tweet: String, by user: String = "ann", _ text: String = "hi") -> Ask {
        .postTweet(.with { ($0.user, $0.text, $0.tweet) = (user, text, tweet) })
    }
    static func delete(_ tweet: String, by user: String = "ann") -> Ask {
        .deleteTweet(.with { ($0.user, $0.tweet) = (user, tweet) })
    }
    static func pass(on original: String, of owner: String, as tweet: String, by user: String = "ann") -> Ask {
        .retweet(.with { ($0.user, $0.owner, $0.original, $0.tweet) = (user, owner, original, tweet) })
    }
    static func follow(_ followee: String, by user: String = "ann") -> Ask {
        .follow(.with { ($0.user, $0.followee) = (user, followee) })
    }
    static func unfollow(_ followee: String, by user: String = "ann") -> Ask {
        .unfollow(.with { ($0.user, $0.followee) = (user, followee) })
    }
    static func reply(
        to named: String, of owner: String, as tweet: String, by user: String = "ann", _ text: String = "indeed"
    ) -> Ask {
        .postTweet(
            .with {
                ($0.user, $0.text, $0.tweet, $0.replyToUser, $0.replyToTweet) = (user, text, tweet, owner, named)
            })
    }
    static func quote(_ named: String, of owner: String, as tweet: String, by user: String = "ann") -> Ask {
        .postTweet(
            .with {
                ($0.user, $0.text, $0.tweet, $0.quotedUser, $0.quotedTweet) = (user, "see", tweet, owner, named)
            })
    }
    static func like(_ tweet: String, of owner: String, by user: String = "ann") -> Ask {
        .likeTweet(.with { ($0.user, $0.owner, $0.tweet) = (user, owner, tweet) })
    }
    static func unlike(_ tweet: String, of owner: String, by user: String = "ann") -> Ask {
        .unlikeTweet(.with { ($0.user, $0.owner, $0.tweet) = (user, owner, tweet) })
    }
    static func block(_ other: String, by user: String = "ann") -> Ask {
        .block(.with { ($0.user, $0.blocked) = (user, other) })
    }
    static func unblock(_ other: String, by user: String = "ann") -> Ask {
        .unblock(.with { ($0.user, $0.blocked) = (user, other) })
    }
    static func mute(_ other: String, by user: String = "ann") -> Ask {
        .mute(.with { ($0.user, $0.muted) = (user, other) })
    }
    static func unmute(_ other: String, by user: String = "ann") -> Ask {
        .unmute(.with { ($0.user, $0.muted) = (user, other) })
    }
}

extension SocialEvent.OneOf_Kind {
    static func posted(_ tweet: String, by user: String = "ann", _ text: String = "hi") -> Told {
        .tweetPosted(Social.posted(user, tweet, text))
    }
    static func deleted(_ tweet: String, by user: String = "ann") -> Told {
        .tweetDeleted(.with { ($0.user, $0.tweet) = (user, tweet) })
    }
    static func passed(on original: String, of owner: String, as tweet: String, by user: String = "ann") -> Told {
        .retweeted(.with { ($0.user, $0.owner, $0.original, $0.tweet) = (user, owner, original, tweet) })
    }
    static func followed(_ followee: String, by user: String = "ann") -> Told {
        .userFollowed(.with { ($0.user, $0.followee) = (user, followee) })
    }
    static func unfollowed(_ followee: String, by user: String = "ann") -> Told {
        .userUnfollowed(.with { ($0.user, $0.followee) = (user, followee) })
    }
    static func liked(_ tweet: String, of owner: String, by user: String = "ann") -> Told {
        .tweetLiked(.with { ($0.user, $0.owner, $0.tweet) = (user, owner, tweet) })
    }
    static func unliked(_ tweet: String, of owner: String, by user: String = "ann") -> Told {
        .tweetUnliked(.with { ($0.user, $0.owner, $0.tweet) = (user, owner, tweet) })
    }
    static func blocked(_ other: String, by user: String = "ann") -> Told {
        .userBlocked(.with { ($0.user, $0.blocked) = (user, other) })
    }
    static func unblocked(_ other: String, by user: String = "ann") -> Told {
        .userUnblocked(.with { ($0.user, $0.blocked) = (user, other) })
    }
    static func muted(_ other: String, by user: String = "ann") -> Told {
        .userMuted(.with { ($0.user, $0.muted) = (user, other) })
    }
    static func unmuted(_ other: String, by user: String = "ann") -> Told {
        .userUnmuted(.with { ($0.user, $0.muted) = (user, other) })
    }
}

@Suite("A user of social")
struct SocialTests {
    private func state(_ past: [Told]) -> Social.State {
        past.reduce(into: Social.initial) { Social.evolve(&$0, with: $1, at: noon) }
    }
    private func decide(_ command: Ask, _ past: [Told], id: String = "c1") -> Result<[Told], SocialRefusal> {
        let state = state(past)
        return Result { () throws(SocialRefusal) in try Social.decide(command, id: id, on: state, at: noon) }
    }
    /// Expects events, and that the same command again makes no more.
    private func expect(
        _ command: Ask, after past: Told..., makes events: [Told], at place: SourceLocation = #_sourceLocation
    ) {
        #expect(decide(command, past) == .success(events), sourceLocation: place)
        #expect(decide(command, past + events) == .success([]), "the same command again", sourceLocation: place)
    }
    private func expect(
        _ command: Ask, after past: Told..., isRefused no: SocialRefusal, at place: SourceLocation = #_sourceLocation
    ) {
        #expect(decide(command, past) == .failure(no), sourceLocation: place)
    }

    @Test func `a tweet is posted with what its text names, each once and in lower case`() {
        let text = "#One @Bob #two #ONE @bob @Carl"
        guard case .success(let events) = decide(.post("t1", by: "Ann", text), []), case .tweetPosted(let e) = events[0]
        else {
            Issue.record("not posted")
            return
        }
        #expect(events.count == 1 && e.user == "ann" && e.tweet == "t1" && e.text == text)
        #expect(e.hashtags == ["one", "two"] && e.mentions == ["bob", "carl"])
        expect(.post("t1"), makes: [.posted("t1")])
    }
    @Test func `a tweet without an id takes its command's`() {
        #expect(decide(.post("", "x"), [], id: "c9") == .success([.posted("c9", "x")]))
        #expect(
            decide(.post("", "x"), [], id: "a:b")
                == .failure(
                    .idNamesNoTweet(
                        why:
                            "the command's id, which names the tweet: has a space, ':' or '#', which an identifier may not have"
                    )))
    }
    @Test func `a tweet over 280 characters by Twitter's count is refused`() {
        let longest = String(repeating: "a", count: 280)
        expect(.post("t1", longest), makes: [.posted("t1", longest)])
        expect(.post("t1", longest + "a"), isRefused: .overLength(281))
        expect(.post("t1", String(repeating: "語", count: 141)), isRefused: .overLength(282))
        let links = String(repeating: "https://example.org/a/path/longer/than/23 ", count: 11)
        expect(.post("t1", links), makes: [.posted("t1", links)])
    }
    @Test func `an id names one tweet for ever`() {
        expect(.post("t1", "other"), after: .posted("t1"), isRefused: .tweetExists(tweet: "t1"))
        expect(
            .post("t1"), after: .passed(on: "t", of: "bob", as: "t1"), isRefused: .tweetExists(tweet: "t1"))
        expect(.post("t1"), after: .posted("t1"), .deleted("t1"), isRefused: .tweetDeleted(tweet: "t1"))
        expect(
            .pass(on: "t", of: "bob", as: "t1"), after: .posted("t1"), .deleted("t1"),
            isRefused: .tweetDeleted(tweet: "t1"))
    }
    @Test func `a tweet is deleted once, and only where there is one`() {
        expect(.delete("t1"), after: .posted("t1"), makes: [.deleted("t1")])
        expect(.delete("t1"), isRefused: .unknownTweet(tweet: "t1", user: "ann"))
        expect(.delete("r1"), after: .passed(on: "t", of: "bob", as: "r1"), makes: [.deleted("r1")])
    }
    @Test func `a tweet is passed on once, and again when that was taken back`() {
        expect(.pass(on: "t", of: "Bob", as: "r1"), makes: [.passed(on: "t", of: "bob", as: "r1")])
        expect(
            .pass(on: "t", of: "bob", as: "r2"), after: .passed(on: "t", of: "bob", as: "r1"),
            isRefused: .duplicateRetweet(original: "t", owner: "bob", as: "r1"))
        expect(
            .pass(on: "t", of: "bob", as: "r2"), after: .passed(on: "t", of: "bob", as: "r1"), .deleted("r1"),
            makes: [.passed(on: "t", of: "bob", as: "r2")])
        expect(
            .pass(on: "t", of: "bob", as: "r1"), after: .posted("r1"), isRefused: .tweetExists(tweet: "r1"))
    }
    @Test func `one's own tweet is passed on where it is there`() {
        expect(
            .pass(on: "t1", of: "ann", as: "r1"), after: .posted("t1"),
            makes: [.passed(on: "t1", of: "ann", as: "r1")])
        expect(.pass(on: "t1", of: "ann", as: "r1"), isRefused: .unknownTweet(tweet: "t1", user: "ann"))
        expect(
            .pass(on: "t1", of: "ann", as: "r1"), after: .posted("t1"), .deleted("t1"),
            isRefused: .tweetDeleted(tweet: "t1"))
    }
    @Test func `following and unfollowing twice does nothing, and nobody follows themselves`() {
        expect(.follow("Bob", by: "Ann"), makes: [.followed("bob")])
        expect(.follow("ANN", by: "ann"), isRefused: .selfFollow)
        expect(.unfollow("bob"), after: .followed("bob"), makes: [.unfollowed("bob")])
        expect(.unfollow("bob"), makes: [])
        expect(.follow("bob"), after: .followed("bob"), .unfollowed("bob"), makes: [.followed("bob")])
    }
    @Test func `one follows so many and no more`() {
        var state = Social.initial
        state.following = Set((0..<SocialLimits.following).map { "u\($0)" })
        #expect(throws: SocialRefusal.followingLimit) {
            try Social.decide(.follow("bob"), id: "c", on: state, at: noon)
        }
    }

    @Test func `facts are admitted where they could have been decided`() throws {
        func admit(_ fact: Told, after past: Told...) -> SocialRefusal? {
            do {
                try Social.admit(fact, on: state(past), at: noon)
                return nil
            } catch {
                return error
            }
        }
        #expect(admit(.posted("t1")) == nil)
        #expect(admit(.posted("t1"), after: .posted("t1")) == .tweetExists(tweet: "t1"))
        #expect(admit(.posted("t1", String(repeating: "語", count: 141))) == .overLength(282))
        #expect(admit(.deleted("t1")) == .unknownTweet(tweet: "t1", user: "ann"))
        #expect(admit(.deleted("t1"), after: .posted("t1"), .deleted("t1")) == .tweetDeleted(tweet: "t1"))
        #expect(admit(.deleted("t1"), after: .posted("t1")) == nil)
        #expect(admit(.passed(on: "t", of: "bob", as: "r1")) == nil)
        #expect(
            admit(.passed(on: "t", of: "bob", as: "r2"), after: .passed(on: "t", of: "bob", as: "r1"))
                == .duplicateRetweet(original: "t", owner: "bob", as: "r1"))
        #expect(admit(.passed(on: "t", of: "bob", as: "t1"), after: .posted("t1")) == .tweetExists(tweet: "t1"))
        #expect(admit(.followed("bob")) == nil)
        #expect(admit(.followed("bob"), after: .followed("bob")) == .following("bob"))
        #expect(admit(.followed("ann")) == .selfFollow)
        #expect(admit(.unfollowed("bob")) == .notFollowing("bob"))
        #expect(admit(.unfollowed("bob"), after: .followed("bob")) == nil)
    }

    @Test(arguments: [
        (Ask.post("t1", by: ""), "user: is missing"),
        (.post("t1", by: "@ann"), "user: is @ann; write a handle without the @"),
        (.post("t1", by: "a b"), "user: is a b; a handle has 1 to 20 letters of ASCII, digits or _"),
        (.post("t1", by: "abcdefghij0123456789x"), "user: is abcdefghij0123456789x; a handle has 1 to 20"),
        (.post("t1", by: "änn"), "user: is änn; a handle has 1 to 20 letters of ASCII, digits or _"),
        (.post("t 1"), "tweet: has a space, ':' or '#', which an identifier may not have"),
        (.post("t1", " \n"), "text: is missing"),
        (.post("t1", "a\u{7}"), "text: has a control character other than a line feed or a tab"),
        (.post("t1", String(repeating: "a", count: 16_001)), "text: has 16001 bytes, at most 16000 are allowed"),
        (.delete(""), "tweet: is missing"), (.pass(on: "", of: "bob", as: "r"), "original: is missing"),
        (.pass(on: "t", of: "b@b", as: "r"), "owner: is b@b"), (.follow(""), "followee: is missing"),
        (.unfollow("a-b"), "followee: is a-b"),
    ])
    func `what no state could make acceptable is told with its field`(command: Ask, why: String) {
        let no = #expect(throws: Malformed.self) { try Social.check(command) }
        #expect(no?.message.hasPrefix(why) == true, "\(no?.message ?? "")")
    }
    @Test func `a fact says what its text says, in lower case`() {
        var fact = Social.posted("ann", "t1", "#a @bob")
        #expect(throws: Never.self) { try Social.check(.tweetPosted(fact)) }
        fact.hashtags = ["b"]
        #expect(throws: Malformed("hashtags", "must be those of the text: a")) { try Social.check(.tweetPosted(fact)) }
        fact = Social.posted("ann", "t1", "#a @bob")
        fact.mentions = []
        #expect(throws: Malformed("mentions", "must be those of the text: bob")) {
            try Social.check(.tweetPosted(fact))
        }
        for (fact, field) in [
            (Told.followed("Bob"), "followee"), (.followed("bob", by: "Ann"), "user"),
            (.passed(on: "t", of: "Bob", as: "r"), "owner"), (.deleted("t", by: "Ann"), "user"),
        ] {
            let no = #expect(throws: Malformed.self) { try Social.check(fact) }
            #expect(no?.field == field)
        }
    }
    @Test func `a line feed and a tab are part of a text`() throws {
        try Social.check(Ask.post("t1", "one\n\ttwo"))
    }
    @Test func `every refusal has a reason and says what to do`() {
        let all: [SocialRefusal] = [
            .overLength(300), .tweetExists(tweet: "t"), .tweetDeleted(tweet: "t"), .unknownTweet(tweet: "t", user: "u"),
            .duplicateRetweet(original: "t", owner: "o", as: "r"), .selfFollow, .followingLimit, .following("u"),
            .notFollowing("u"),
        ]
        #expect(Set(all.map(\.reason)).count == all.count)
        for no in all {
            #expect(no.reason.allSatisfy { $0.isLowercase || $0 == "-" } && no.message.count > 15)
        }
    }
}
