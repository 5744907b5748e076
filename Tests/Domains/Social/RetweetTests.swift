import DomainTesting
import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Retweets and their originals")
struct RetweetTests {
    private var random = SeededRandom(5)
    private var feed = SocialFeed(limit: 100)

    init() {
        for author in ["bob", "carl", "dan"] { feed.tell(.follow(author)) }
    }

    private func retweet(
        of original: String, of owner: String, as tweet: String, by user: String, _ text: String
    ) -> Ask {
        .retweet(
            .with {
                ($0.user, $0.owner, $0.original, $0.tweet, $0.text) = (user, owner, original, tweet, text)
            })
    }
    /// Ann's timeline, as user, tweet, text, owner and original.
    private func rows() throws -> [Row] {
        try feed.page("social.timeline", of: "ann").rows.map { Array($0[1...5]) }
    }

    @Test mutating func `a live retweet counts the hashtags of its original`() throws {
        feed.tell(.post("t1", by: "zoe", "a #comet, look #Up"))
        feed.tell(.pass(on: "t1", of: "Zoe", as: "r1", by: "bob"))
        feed.tell(.pass(on: "t1", of: "zoe", as: "r2", by: "carl"))
        try feed.settle(&random)
        #expect(try feed.hashtags() == ["comet": [1, 2], "up": [1, 2]])
        #expect(try feed.violations() == [])
    }
    @Test mutating func `the original's hashtags count and not the retweet's, whichever comes first`() throws {
        feed.tell(retweet(of: "t1", of: "zoe", as: "r1", by: "bob", "#comet and #multipl"))
        try feed.settle(&random)
        #expect(try feed.hashtags() == ["comet": [0, 1], "multipl": [0, 1]])
        feed.tell(.post("t1", by: "zoe", "#comet and #multiple tails"))
        feed.tell(retweet(of: "t1", of: "zoe", as: "r2", by: "carl", "#comet and #multipl"))
        try feed.settle(&random)
        #expect(try feed.hashtags() == ["comet": [1, 2], "multiple": [1, 2]])
        #expect(try feed.violations() == [])
    }
    @Test mutating func `a retweet of a retweet shows the original, and goes with it and not with the retweet between`()
        throws
    {
        feed.tell(.post("t1", by: "zoe", "the #original"))
        feed.tell(.pass(on: "t1", of: "zoe", as: "r1", by: "bob"))
        feed.tell(.pass(on: "r1", of: "BOB", as: "r2", by: "carl"))
        feed.tell(.pass(on: "r2", of: "carl", as: "r3", by: "dan"))
        try feed.settle(&random)
        #expect(
            try rows() == [
                ["dan", "r3", "the #original", "zoe", "t1"], ["carl", "r2", "the #original", "zoe", "t1"],
                ["bob", "r1", "the #original", "zoe", "t1"],
            ])
        #expect(try feed.hashtags() == ["original": [1, 3]])
        feed.tell(.delete("r1", by: "bob"))
        try feed.settle(&random)
        #expect(try feed.timeline(of: "ann", by: 10) == ["dan/r3", "carl/r2"])
        #expect(try feed.hashtags() == ["original": [1, 2]] && feed.violations() == [])
        feed.tell(.delete("t1", by: "zoe"))
        try feed.settle(&random)
        #expect(try rows() == [] && feed.hashtags() == [:])
        for user in ["bob", "carl", "dan"] { #expect(try feed.page("social.user", of: user).rows == []) }
        #expect(try feed.violations() == [])
    }
    @Test mutating func `a retweet of a retweet whose original is not known has the text that is nearest`() throws {
        feed.tell(.pass(on: "r1", of: "bob", as: "r2", by: "carl"))
        try feed.settle(&random)
        #expect(try rows() == [["carl", "r2", "", "bob", "r1"]] && feed.hashtags() == [:])
        feed.tell(retweet(of: "z9", of: "zoe", as: "r1", by: "bob", "what #zoe said"))
        try feed.settle(&random)
        #expect(
            try rows() == [
                ["bob", "r1", "what #zoe said", "zoe", "z9"], ["carl", "r2", "what #zoe said", "bob", "r1"],
            ])
        #expect(try feed.hashtags() == ["zoe": [0, 2]] && feed.violations() == [])
        // The text goes with the retweet that had it; the reference stays.
        feed.tell(.delete("r1", by: "bob"))
        try feed.settle(&random)
        #expect(try rows() == [["carl", "r2", "", "bob", "r1"]] && feed.hashtags() == [:])
        feed.tell(.post("z9", by: "zoe", "#this"))
        try feed.settle(&random)
        #expect(try rows() == [["carl", "r2", "#this", "zoe", "z9"]] && feed.hashtags() == ["this": [1, 1]])
        #expect(try feed.violations() == [])
    }
    @Test mutating func `a deleted tweet counts no more, and a deleted retweet takes its own count along`() throws {
        feed.tell(.post("t1", by: "zoe", "#a #b"))
        feed.tell(.post("t2", by: "zoe", "#a"))
        feed.tell(.pass(on: "t1", of: "zoe", as: "r1", by: "bob"))
        feed.tell(.pass(on: "t1", of: "zoe", as: "r2", by: "carl"))
        feed.tell(.delete("r1", by: "bob"))
        try feed.settle(&random)
        #expect(try feed.hashtags() == ["a": [2, 1], "b": [1, 1]] && feed.violations() == [])
        feed.tell(.delete("t1", by: "zoe"))
        // Deleted with what it passed on: nothing is taken away twice.
        feed.tell(.delete("r2", by: "carl"))
        feed.tell(.pass(on: "t1", of: "zoe", as: "r3", by: "dan"))
        try feed.settle(&random)
        #expect(try feed.hashtags() == ["a": [1, 0]] && feed.violations() == [])
    }
    @Test mutating func `retweets that name each other in a circle come to an end`() throws {
        feed.tell(retweet(of: "r2", of: "carl", as: "r1", by: "bob", "#round"))
        feed.tell(.pass(on: "r1", of: "bob", as: "r2", by: "carl"))
        feed.tell(.pass(on: "r1", of: "bob", as: "r3", by: "dan"))
        try feed.settle(&random)
        #expect(try feed.timeline(of: "ann", by: 10) == ["dan/r3", "carl/r2", "bob/r1"])
        #expect(try feed.hashtags() == [:] && feed.violations() == [])
        feed.tell(.delete("r1", by: "bob"))
        try feed.settle(&random)
        #expect(try feed.hashtags() == [:] && feed.violations() == [])
    }
    @Test(arguments: [SocialLimits.hops - 1, SocialLimits.hops, SocialLimits.hops + 1])
    mutating func `a chain of retweets is followed so far and no further`(between: Int) throws {
        feed.tell(.post("t0", by: "u0", "#root"))
        for i in 1...between { feed.tell(.pass(on: "t\(i - 1)", of: "u\(i - 1)", as: "t\(i)", by: "u\(i)")) }
        feed.tell(retweet(of: "t\(between)", of: "u\(between)", as: "last", by: "bob", "#own"))
        try feed.settle(&random)
        let reached = between < SocialLimits.hops
        #expect(try rows().first?[2] == (reached ? "#root" : "#own"))
        let last: String = reached ? "root" : "own"
        #expect(try feed.hashtags()[last] == (reached ? [1, Int64(between) + 1] : [0, 1]))
        #expect(try feed.violations() == [])
    }
    @Test mutating func `one's own retweet is passed on no further, by whatever name`() throws {
        feed.tell(.post("t1", by: "zoe", "#x"))
        feed.tell(.pass(on: "t1", of: "zoe", as: "r1", by: "bob"))
        let state = try #require(feed.users["bob"])
        #expect(throws: SocialRefusal.duplicateRetweet(original: "t1", owner: "zoe", as: "r1")) {
            try Social.decide(.pass(on: "r1", of: "Bob", as: "r2", by: "bob"), id: "c", on: state, at: noon)
        }
        feed.tell(.delete("r1", by: "bob"))
        let later = try #require(feed.users["bob"])
        #expect(throws: SocialRefusal.tweetDeleted(tweet: "r1")) {
            try Social.decide(.pass(on: "r1", of: "bob", as: "r2", by: "bob"), id: "c", on: later, at: noon)
        }
    }
    @Test mutating func `a deleted tweet is mentioned and handed to nobody, and an unfollowed one's stays away`() throws
    {
        feed.tell(.post("t1", by: "bob", "hi @ann #x"))
        feed.tell(.post("t2", by: "bob", "bye"))
        try feed.settle(&random)
        feed.tell(.unfollow("bob"))
        feed.tell(.delete("t1", by: "bob"))
        feed.tell(.follow("bob", by: "eve"))
        try feed.settle(&random)
        #expect(try feed.page("social.mentions", of: "ann").rows == [])
        #expect(try feed.timeline(of: "ann", by: 10) == [] && feed.timeline(of: "eve", by: 10) == ["bob/t2"])
        #expect(try feed.hashtags() == [:] && feed.violations() == [])
    }
    @Test mutating func `a wrong count breaks the invariant of trends`() throws {
        feed.tell(.post("t1", by: "zoe", "#a"))
        try feed.settle(&random)
        // The views call back on this thread, once.
        nonisolated(unsafe) let audit = SocialInvariants.trendsAreCounted.begin()
        let wrong = Violation("#a has 1 tweets and 0 retweets in minute 29892240, and should have 0 and 0")
        #expect(throws: wrong) { () throws -> Void in
            try feed.views.read(feed.trends) { reader, _ in try audit.finish(reader) }
        }
    }
}
