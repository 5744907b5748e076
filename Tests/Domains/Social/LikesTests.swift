import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import SocialDomain

/// What one user decides, given what they did before.
private func decide(_ command: Ask, _ past: Told..., id: String = "c1") -> Result<[Told], SocialRefusal> {
    let state = past.reduce(into: Social.initial) { Social.evolve(&$0, with: $1, at: noon) }
    return Result { () throws(SocialRefusal) in try Social.decide(command, id: id, on: state, at: noon) }
}

@Suite("Likes")
struct LikesTests {
    /// A feed in which all of it has been told and folded.
    private func feed(_ asks: Ask...) throws -> SocialFeed {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(3))
        for ask in asks { feed.tell(ask) }
        try feed.settle(&random)
        #expect(try feed.violations() == [])
        return feed
    }
    private func likers(_ feed: SocialFeed, _ tweet: String, of owner: String, for viewer: String? = nil) throws
        -> [String]
    {
        var values: [String: Value] = ["owner": .text(owner), "tweet": .text(tweet)]
        values["viewer"] = viewer.map { .text($0) }
        return try feed.ask("social.likes", values).rows.map { $0[0].text ?? "" }
    }
    private func counts(_ feed: SocialFeed, of user: String) throws -> [Row] {
        try feed.ask("social.user", ["user": .text(user), "counts": 1]).rows.map { [$0[2]] + $0.suffix(4).prefix(3) }
    }

    @Test func `are given once, and taken back once`() {
        #expect(decide(.like("t1", of: "Bob")) == .success([.liked("t1", of: "bob")]))
        #expect(decide(.like("t1", of: "BOB"), .liked("t1", of: "bob")) == .success([]))
        #expect(decide(.unlike("t1", of: "bob"), .liked("t1", of: "bob")) == .success([.unliked("t1", of: "bob")]))
        #expect(decide(.unlike("t1", of: "bob")) == .success([]))
        #expect(
            decide(.unlike("t1", of: "bob"), .liked("t1", of: "bob"), .unliked("t1", of: "bob")) == .success([]))
    }
    @Test func `of one's own are of what is there`() {
        #expect(decide(.like("t1", of: "ann"), .posted("t1")) == .success([.liked("t1", of: "ann")]))
        #expect(decide(.like("t1", of: "ann")) == .failure(.unknownTweet(tweet: "t1", user: "ann")))
        #expect(decide(.like("t1", of: "ann"), .posted("t1"), .deleted("t1")) == .failure(.tweetDeleted(tweet: "t1")))
        // One's own retweet is what it passes on.
        let passed = Told.passed(on: "b1", of: "bob", as: "r1")
        #expect(decide(.like("r1", of: "ann"), passed) == .success([.liked("b1", of: "bob")]))
        #expect(decide(.like("b1", of: "bob"), passed, .liked("b1", of: "bob")) == .success([]))
        #expect(
            decide(.unlike("r1", of: "ann"), passed, .liked("b1", of: "bob")) == .success([.unliked("b1", of: "bob")]))
    }
    @Test func `are not of whom one has blocked`() {
        #expect(decide(.like("t1", of: "bob"), .blocked("bob")) == .failure(.blocked("bob")))
        // What was liked before can be taken back.
        #expect(
            decide(.unlike("t1", of: "bob"), .liked("t1", of: "bob"), .blocked("bob"))
                == .success([.unliked("t1", of: "bob")]))
    }
    @Test func `are counted once, however often each was asked for`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(11))
        feed.tell(.post("t1", by: "bob"))
        let asks = (0..<8).flatMap { i in
            Array(repeating: Ask.like("t1", of: "bob", by: "u\(i)"), count: 10)
                + (i % 2 == 0 ? Array(repeating: Ask.unlike("t1", of: "bob", by: "u\(i)"), count: 10) : [])
        }
        for ask in asks { feed.tell(ask) }
        try feed.settle(&random)
        #expect(try feed.violations() == [])
        #expect(try counts(feed, of: "bob") == [["t1", 4, 0, 0]])
        #expect(try likers(feed, "t1", of: "bob") == ["u7", "u5", "u3", "u1"])
    }
    @Test func `of a deleted tweet are in no view`() throws {
        let feed = try feed(
            .post("t1", by: "bob"), .like("t1", of: "bob"), .pass(on: "t1", of: "bob", as: "r1", by: "cy"),
            .post("t2", by: "bob"), .like("t2", of: "bob"), .delete("t1", by: "bob"))
        #expect(try likers(feed, "t1", of: "bob") == [] && likers(feed, "r1", of: "cy") == [])
        #expect(try feed.page("social.liked", of: "ann").rows.map { $0[2] } == ["t2"])
    }
    @Test func `of a retweet are those of its original`() throws {
        let feed = try feed(
            .post("t1", by: "bob"), .pass(on: "t1", of: "bob", as: "r1", by: "cy"), .like("t1", of: "bob"))
        #expect(try likers(feed, "r1", of: "cy") == ["ann"])
        #expect(try counts(feed, of: "cy") == [["r1", 1, 0, 0]])
    }
    @Test func `go on page by page, the latest first`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(5))
        feed.tell(.post("t1", by: "bob"))
        for i in 0..<25 { feed.tell(.like("t1", of: "bob", by: "u\(i)")) }
        try feed.settle(&random)
        var (all, cursor): ([String], Row?) = ([], nil)
        repeat {
            let page = try feed.ask("social.likes", ["owner": "bob", "tweet": "t1"], limit: 4, from: cursor)
            all += page.rows.map { $0[0].text ?? "" }
            cursor = page.next
        } while cursor != nil
        #expect(Set(all).count == 25 && all.count == 25 && all.first == "u24")
        // Beyond the end is nothing.
        #expect(try feed.ask("social.likes", ["owner": "bob", "tweet": "none"]).rows == [])
    }
    @Test func `of who is blocked are not shown to who has blocked them`() throws {
        let feed = try feed(
            .post("t1", by: "bob"), .like("t1", of: "bob", by: "cy"), .like("t1", of: "bob", by: "dan"),
            .block("cy", by: "ann"))
        #expect(try likers(feed, "t1", of: "bob") == ["dan", "cy"])
        #expect(try likers(feed, "t1", of: "bob", for: "ann") == ["dan"])
        #expect(try likers(feed, "t1", of: "bob", for: "cy") == ["dan", "cy"])
    }
}

@Suite("A thread")
struct ThreadTests {
    private func feed(_ asks: [Ask]) throws -> SocialFeed {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(3))
        for ask in asks { feed.tell(ask) }
        try feed.settle(&random)
        #expect(try feed.violations() == [])
        return feed
    }
    private let talk: [Ask] = [
        .post("a", by: "ann", "first"), .reply(to: "a", of: "ann", as: "b", by: "bob"),
        .reply(to: "b", of: "bob", as: "c", by: "cy"), .reply(to: "a", of: "ann", as: "d", by: "dan"),
        .reply(to: "c", of: "cy", as: "e", by: "ann"),
    ]
    private func shown(
        _ feed: SocialFeed, _ tweet: String, of owner: String, for viewer: String? = nil, by size: Int = 100
    ) throws -> [String] {
        var (all, cursor): ([String], Row?) = ([], nil)
        var values: [String: Value] = ["owner": .text(owner), "tweet": .text(tweet)]
        values["viewer"] = viewer.map { .text($0) }
        repeat {
            let page = try feed.ask("social.thread", values, limit: size, from: cursor)
            all += page.rows.map { "\($0[0].integer ?? 99) \($0[3].text ?? "")" }
            cursor = page.next
        } while cursor != nil
        return all
    }

    @Test(arguments: [1, 2, 3, 100]) func `has each answer below what it answers, on pages of any size`(size: Int)
        throws
    {
        let feed = try feed(talk)
        #expect(try shown(feed, "a", of: "ann", by: size) == ["0 a", "1 b", "2 c", "3 e", "1 d"])
        #expect(try shown(feed, "c", of: "cy", by: size) == ["-2 a", "-1 b", "0 c", "1 e"])
    }
    @Test func `has no tweet that was deleted, and what answers it`() throws {
        let feed = try feed(talk + [.delete("b", by: "bob")])
        #expect(try shown(feed, "a", of: "ann") == ["0 a", "2 c", "3 e", "1 d"])
        #expect(try shown(feed, "c", of: "cy") == ["-2 a", "0 c", "1 e"])
        let counts = try feed.ask("social.thread", ["owner": "ann", "tweet": "a"]).rows.map { $0.suffix(4).prefix(3) }
        #expect(counts.first == [0, 1, 0])
    }
    @Test func `has nothing of who is muted or blocked`() throws {
        let feed = try feed(talk + [.mute("cy", by: "dan"), .block("bob", by: "eve")])
        #expect(try shown(feed, "a", of: "ann", for: "dan") == ["0 a", "1 b", "3 e", "1 d"])
        #expect(try shown(feed, "a", of: "ann", for: "eve") == ["0 a", "2 c", "3 e", "1 d"])
        #expect(try shown(feed, "c", of: "cy", for: "bob") == ["-2 a", "-1 b", "0 c", "1 e"])
    }
    @Test func `of tweets that answer each other ends`() throws {
        let feed = try feed([
            .reply(to: "y", of: "bob", as: "x", by: "ann"), .reply(to: "x", of: "ann", as: "y", by: "bob"),
        ])
        #expect(try shown(feed, "x", of: "ann") == ["-1 y", "0 x", "1 y"])
        #expect(try shown(feed, "x", of: "ann", by: 1) == ["-1 y", "0 x", "1 y"])
    }
    @Test func `is as deep as is gone through, and no deeper`() throws {
        let chain = (1...50).map { i in
            Ask.reply(to: "t\(i - 1)", of: "u\((i - 1) % 3)", as: "t\(i)", by: "u\(i % 3)")
        }
        let feed = try feed([.post("t0", by: "u0")] + chain)
        let all = (0...SocialLimits.depth).map { "\($0) t\($0)" }
        #expect(try shown(feed, "t0", of: "u0") == all && shown(feed, "t0", of: "u0", by: 1) == all)
        #expect(try shown(feed, "t50", of: "u2").first == "-\(SocialLimits.depth) t\(50 - SocialLimits.depth)")
    }
    @Test func `answers and quotes count while they are there`() throws {
        let asks = talk + [.quote("a", of: "ann", as: "q1", by: "bob"), .quote("a", of: "ann", as: "q2", by: "cy")]
        let feed = try feed(asks + [.delete("q1", by: "bob"), .delete("d", by: "dan")])
        let rows = try feed.ask("social.user", ["user": "ann", "counts": 1]).rows
        #expect(rows.map { [$0[2]] + $0.suffix(4).prefix(3) } == [["e", 0, 0, 0], ["a", 0, 1, 1]])
        #expect(try feed.ask("social.quotes", ["owner": "ann", "tweet": "a"]).rows.map { $0[2] } == ["q2"])
    }
    @Test func `names both of a tweet, its author and its name`() {
        for (user, tweet) in [("bob", ""), ("", "t1"), ("@bob", "t1"), ("bob", "a b")] {
            #expect(throws: Malformed.self) { try Social.check(.reply(to: tweet, of: user, as: "x")) }
            #expect(throws: Malformed.self) { try Social.check(.quote(tweet, of: user, as: "x")) }
        }
        let answered = decide(.reply(to: "t1", of: "Bob", as: "x"))
        guard case .success(let events) = answered, case .tweetPosted(let e)? = events.first else {
            Issue.record("\(answered)")
            return
        }
        #expect(e.replyToUser == "bob" && e.replyToTweet == "t1")
        #expect(decide(.reply(to: "t1", of: "bob", as: "x"), .tweetPosted(e)) == .success([]))
        // The same text, which answers something else, is another tweet.
        #expect(decide(.reply(to: "t2", of: "bob", as: "x"), .tweetPosted(e)) == .failure(.tweetExists(tweet: "x")))
        #expect(decide(.post("x", "indeed"), .tweetPosted(e)) == .failure(.tweetExists(tweet: "x")))
        #expect(decide(.reply(to: "x", of: "ann", as: "x")) == .failure(.unknownTweet(tweet: "x", user: "ann")))
        #expect(decide(.quote("t1", of: "bob", as: "x"), .blocked("bob")) == .failure(.blocked("bob")))
    }
}

@Suite("Blocks and mutes")
struct HidingTests {
    private func feed(_ asks: Ask...) throws -> SocialFeed {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(3))
        for ask in asks { feed.tell(ask) }
        try feed.settle(&random)
        #expect(try feed.violations() == [])
        return feed
    }

    @Test func `are made once, of others, and taken back once`() {
        #expect(decide(.block("ANN")) == .failure(.selfBlock) && decide(.mute("Ann")) == .failure(.selfBlock))
        #expect(decide(.block("Bob")) == .success([.blocked("bob")]))
        #expect(decide(.block("bob"), .blocked("bob")) == .success([]))
        #expect(decide(.unblock("bob"), .blocked("bob")) == .success([.unblocked("bob")]))
        #expect(decide(.unblock("bob")) == .success([]) && decide(.unmute("bob")) == .success([]))
        #expect(decide(.mute("bob"), .muted("bob")) == .success([]))
        #expect(decide(.mute("bob")) == .success([.muted("bob")]))
    }
    @Test func `end a follow, and allow none`() {
        #expect(decide(.block("bob"), .followed("bob")) == .success([.unfollowed("bob"), .blocked("bob")]))
        #expect(decide(.follow("bob"), .blocked("bob")) == .failure(.blocked("bob")))
        #expect(decide(.follow("bob"), .blocked("bob"), .unblocked("bob")) == .success([.followed("bob")]))
        #expect(decide(.pass(on: "t1", of: "bob", as: "r1"), .blocked("bob")) == .failure(.blocked("bob")))
        // A mute says nothing to whom it is of: one may follow on.
        #expect(decide(.follow("bob"), .muted("bob")) == .success([.followed("bob")]))
    }
    @Test func `hold in timelines and mentions, also for what is there already, and both ways`() throws {
        let feed = try feed(
            .follow("bob"), .follow("cy"), .follow("ann", by: "bob"), .post("b1", by: "bob", "hi @ann"),
            .post("a1", by: "ann", "hi @bob"), .post("c1", by: "cy"), .block("bob"))
        #expect(try feed.timeline(of: "ann", by: 10) == ["cy/c1", "ann/a1"])
        #expect(try feed.timeline(of: "bob", by: 10) == ["bob/b1"])
        #expect(try feed.page("social.mentions", of: "ann").rows == [])
        #expect(try feed.page("social.mentions", of: "bob").rows == [])
        #expect(try feed.ask("social.user", ["user": "bob", "viewer": "ann"]).rows == [])
        #expect(try feed.ask("social.user", ["user": "ann", "viewer": "bob"]).rows == [])
        #expect(try feed.ask("social.user", ["user": "bob"]).rows.count == 1)
        #expect(try feed.page("social.followers", of: "ann").rows == [])
        #expect(try feed.page("social.followees", of: "bob").rows == [])
        #expect(try feed.page("social.followees", of: "ann").rows.map { $0[0] } == ["cy"])
    }
    @Test func `hide what a friend passes on of who is blocked, or muted`() throws {
        let feed = try feed(
            .follow("cy"), .follow("dan"), .post("b1", by: "bob"), .pass(on: "b1", of: "bob", as: "r1", by: "cy"),
            .pass(on: "r1", of: "cy", as: "r2", by: "dan"), .post("e1", by: "eve"),
            .pass(on: "e1", of: "eve", as: "r3", by: "cy"), .block("bob"), .mute("eve"))
        #expect(try feed.timeline(of: "ann", by: 10) == [])
        #expect(try feed.ask("social.user", ["user": "cy", "viewer": "ann"]).rows.map { $0[2] } == ["r3"])
    }
    @Test func `are over where they are taken back, and hide nothing of oneself`() throws {
        let feed = try feed(
            .follow("bob"), .post("b1", by: "bob", "hi @ann"), .mute("bob"), .unmute("bob"), .block("cy"),
            .post("c1", by: "cy", "hi @ann"), .unblock("cy"), .post("a1"))
        #expect(try feed.timeline(of: "ann", by: 10) == ["ann/a1", "cy/c1", "bob/b1"])
    }
    @Test func `of who blocks and is blocked are told apart`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(3))
        for ask in [.block("bob"), .block("ann", by: "bob"), .unblock("bob"), .post("b1", by: "bob", "@ann")] as [Ask] {
            feed.tell(ask)
        }
        try feed.settle(&random)
        // Bob's block of Ann is there still.
        #expect(try feed.page("social.mentions", of: "ann").rows == [])
        feed.tell(.unblock("ann", by: "bob"))
        try feed.settle(&random)
        #expect(try feed.page("social.mentions", of: "ann").rows.count == 1)
    }
    @Test func `of very many are each found`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(3))
        for i in 0..<1200 { feed.tell(.mute("m\(i)")) }
        feed.tell(.post("x", by: "m1100", "hi @ann"))
        feed.tell(.post("y", by: "friend", "hi @ann"))
        try feed.settle(&random)
        #expect(try feed.page("social.mentions", of: "ann").rows.map { $0[1] } == ["friend"])
    }
    @Test func `leave as many followers as there are, the latest first, page by page`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(3))
        for i in 0..<12 { feed.tell(.follow("ann", by: "f\(i)")) }
        feed.tell(.follow("ann", by: "f3"))
        feed.tell(.unfollow("ann", by: "f5"))
        feed.tell(.block("f7", by: "ann"))
        try feed.settle(&random)
        var (all, cursor): ([String], Row?) = ([], nil)
        repeat {
            let page = try feed.page("social.followers", of: "ann", limit: 5, from: cursor)
            all += page.rows.map { $0[0].text ?? "" }
            cursor = page.next
        } while cursor != nil
        #expect(Set(all) == Set((0..<12).filter { $0 != 5 && $0 != 7 }.map { "f\($0)" }) && all.count == 10)
    }
}
