import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Timelines")
struct TimelineTests {
    private static let names = (0..<8).map { "u\($0)" }

    /// One thing that somebody may do. Few users, so that follows cross the limit and deletes hit what is passed on.
    private func any(_ i: Int, _ random: inout SeededRandom) -> Ask {
        let user = Self.names.randomElement(using: &random)!
        let other = Self.names.randomElement(using: &random)!
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30:
            let named = Bool.random(using: &random) ? "hi @\(other) #x" : "hello"
            return .post("t\(i)", by: user, named)
        case 30..<42: return .pass(on: "t\(Int.random(in: 0...i, using: &random))", of: other, as: "t\(i)", by: user)
        case 42..<52: return .delete("t\(Int.random(in: 0...i, using: &random))", by: user)
        case 52..<76: return .follow(other, by: user)
        case 76..<86: return .unfollow(other, by: user)
        case 86..<89: return .block(other, by: user)
        case 89..<92: return .unblock(other, by: user)
        case 92..<95: return .mute(other, by: user)
        case 95..<97: return .unmute(other, by: user)
        default: return .reply(to: "t\(Int.random(in: 0...i, using: &random))", of: other, as: "t\(i)", by: user)
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>, [2, 4, 100])
    func `equal a pull and merge, whatever happens in which order`(seed: UInt64, limit: Int) throws {
        var random = SeededRandom(seed)
        var feed = SocialFeed(limit: limit)
        for i in 0..<200 {
            feed.tell(any(i, &random))
            for _ in 0..<Int.random(in: 0...4, using: &random) { _ = try feed.react(&random) }
            if Int.random(in: 0..<12, using: &random) == 0 {
                try feed.restart(partition: Int.random(in: 0..<SocialFeed.partitions, using: &random))
            }
            if Int.random(in: 0..<6, using: &random) == 0 { try feed.project(&random) }
            if i % 50 == 49 { try feed.settle(&random) }
        }
        try feed.settle(&random)
        for user in Self.names {
            let expected = try feed.pullMerge(user)
            #expect(try feed.timeline(of: user, by: 1000) == expected, "\(user), limit \(limit), seed \(seed)")
            #expect(try feed.timeline(of: user, by: 3) == expected, "\(user) by pages, limit \(limit), seed \(seed)")
        }
        if limit == 2 { #expect(try feed.count { if case .authorMerged = $0 { true } else { false } } > 0) }
        if limit == 100 { #expect(try feed.count { if case .authorMerged = $0 { true } else { false } } == 0) }
    }

    @Test func `a tweet of an author above the limit costs no write per follower`() throws {
        var random = SeededRandom(7)
        var feed = SocialFeed(limit: 5)
        for i in 0..<6 { feed.tell(.follow("star", by: "f\(i)")) }
        try feed.settle(&random)
        feed.tell(.post("t1", by: "star"))
        feed.tell(.follow("ann", by: "f0"))
        feed.tell(.post("a1", by: "ann"))
        try feed.settle(&random)
        #expect(try feed.count { if case .timelineEntriesAdded = $0 { true } else { false } } == 1)
        #expect(try feed.timeline(of: "f0", by: 20) == ["ann/a1", "star/t1"])
        #expect(try feed.timeline(of: "f5", by: 20) == ["star/t1"])
    }
    @Test func `one record hands a tweet to all followers of a partition`() throws {
        var random = SeededRandom(7)
        var feed = SocialFeed(limit: 1000)
        for i in 0..<100 { feed.tell(.follow("ann", by: "f\(i)")) }
        feed.tell(.post("t1", by: "ann"))
        while try feed.react(&random, atMost: 1000) {}
        try feed.project(&random, all: true)
        let records = try feed.count { if case .timelineEntriesAdded = $0 { true } else { false } }
        #expect(records <= 100 + SocialFeed.partitions)
        for i in 0..<100 { #expect(try feed.timeline(of: "f\(i)", by: 20) == ["ann/t1"]) }
    }
    @Test(arguments: [2, 1000])
    func `pages neither skip nor repeat a tweet while tweets arrive`(limit: Int) throws {
        var random = SeededRandom(3)
        var feed = SocialFeed(limit: limit)
        for author in ["a", "b", "c"] {
            for reader in ["ann", "x", "y"] { feed.tell(.follow(author, by: reader)) }
        }
        for i in 0..<100 { feed.tell(.post("t\(i)", by: ["a", "b", "c"].randomElement(using: &random)!)) }
        try feed.settle(&random)
        let before = try feed.timeline(of: "ann", by: 1000)
        #expect(before.count == 100)
        var (seen, cursor): ([String], Row?) = ([], nil)
        var arrived = 100
        repeat {
            let page = try feed.page("social.timeline", of: "ann", limit: 20, from: cursor)
            seen += page.rows.map { "\($0[1].text ?? "")/\($0[2].text ?? "")" }
            cursor = page.next
            for _ in 0..<7 {
                feed.tell(.post("t\(arrived)", by: "a", "@ann"))
                arrived += 1
            }
            try feed.settle(&random)
        } while cursor != nil
        #expect(seen == before)
        #expect(try feed.timeline(of: "ann", by: 20).count == arrived)
    }

    @Test func `unfollowing takes the tweets out, but not those that name one`() throws {
        var random = SeededRandom(1)
        var feed = SocialFeed(limit: 100)
        feed.tell(.follow("bob"))
        feed.tell(.post("t1", by: "bob"))
        feed.tell(.post("t2", by: "bob", "hey @ann"))
        try feed.settle(&random)
        #expect(try feed.page("social.timeline", of: "ann").rows.map { $0[6] } == ["following", "following"])
        feed.tell(.unfollow("bob"))
        try feed.settle(&random)
        #expect(try feed.timeline(of: "ann", by: 20) == ["bob/t2"])
        #expect(try feed.page("social.timeline", of: "ann").rows.map { $0[6] } == ["mention"])
        #expect(try feed.page("social.mentions", of: "ann").rows.map { $0[2] } == ["t2"])
        feed.tell(.follow("bob"))
        try feed.settle(&random)
        #expect(try feed.timeline(of: "ann", by: 20) == ["bob/t2", "bob/t1"])
    }
    @Test func `a retweet shows its owner and text, and goes with the original`() throws {
        var random = SeededRandom(1)
        var feed = SocialFeed(limit: 100)
        feed.tell(.follow("bob"))
        feed.tell(.post("t1", by: "carl", "the original"))
        feed.tell(.pass(on: "t1", of: "carl", as: "r1", by: "bob"))
        feed.tell(
            .retweet(.with { ($0.user, $0.owner, $0.original, $0.tweet, $0.text) = ("bob", "zoe", "z9", "r2", "seen") })
        )
        try feed.settle(&random)
        #expect(
            try feed.page("social.timeline", of: "ann").rows.map { Array($0[1...6]) } == [
                ["bob", "r2", "seen", "zoe", "z9", "following"],
                ["bob", "r1", "the original", "carl", "t1", "following"],
            ])
        feed.tell(.delete("t1", by: "carl"))
        try feed.settle(&random)
        #expect(try feed.timeline(of: "ann", by: 20) == ["bob/r2"])
        #expect(try feed.page("social.user", of: "bob").rows.map { $0[2] } == ["r2"])
        feed.tell(.delete("r2", by: "bob"))
        try feed.settle(&random)
        #expect(try feed.timeline(of: "ann", by: 20) == [])
    }
    @Test func `a user's own page shows tweets and retweets, and a handle in any case is the same`() throws {
        var random = SeededRandom(1)
        var feed = SocialFeed(limit: 100)
        feed.tell(.post("t1", by: "Ann"))
        feed.tell(.pass(on: "b1", of: "bob", as: "r1", by: "ANN"))
        try feed.settle(&random)
        #expect(try feed.page("social.user", of: "aNN").rows.map { $0[2] } == ["r1", "t1"])
        #expect(try feed.timeline(of: "ann", by: 20) == ["ann/r1", "ann/t1"])
        #expect(throws: Malformed.self) { try feed.page("social.user", of: "@ann") }
        #expect(throws: Malformed("cursor", "is not one of a page of tweets")) {
            try feed.page("social.user", of: "ann", from: ["x"])
        }
    }
}
