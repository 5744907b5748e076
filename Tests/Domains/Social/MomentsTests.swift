import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Moments")
struct MomentsTests {
    private let business = "Stocks fall as Fed raises interest rates, bank shares drop"

    @Test func `have tweets of a class, the liked first, and no deleted ones`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        for tweet in ["a", "b", "c"] {
            feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = ("ann", tweet, "\(business) \(tweet)") }))
        }
        feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = ("ann", "d", "qwertz") }))
        feed.tell(.likeTweet(.with { ($0.user, $0.owner, $0.tweet) = ("bob", "ann", "a") }))
        feed.tell(.retweet(.with { ($0.user, $0.owner, $0.original, $0.tweet) = ("bob", "ann", "b", "r") }))
        feed.tell(.deleteTweet(.with { ($0.user, $0.tweet) = ("ann", "c") }))
        try feed.settle(&random)
        let page = try feed.ask("social.moments", [:])
        #expect(
            page.rows.map { [$0[0], $0[3], $0[7], $0[8]] } == [["business", "b", 0, 1], ["business", "a", 1, 0]])
        #expect(try feed.ask("social.moments", ["moment": "sports"]).rows.isEmpty)
    }

    @Test func `have nothing of who counts as fake, until a human clears them`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        for (user, tweet) in [("ann", "a"), ("bot", "b"), ("bot", "c")] {
            feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = (user, tweet, "\(business) \(tweet)") }))
        }
        func shown() throws -> [String] {
            try feed.settle(&random)
            return try feed.ask("social.moments", [:]).rows.compactMap { $0[3].text }.sorted()
        }
        #expect(try shown() == ["a", "b", "c"])
        feed.look(at: "bot", true)
        #expect(try shown() == ["a"])
        feed.tell(.clearAccount_p(.with { ($0.account, $0.reviewer) = ("bot", "eve") }))
        #expect(try shown() == ["a", "b", "c"])
        feed.tell(.confirmFake(.with { ($0.account, $0.reviewer) = ("bot", "eve") }))
        feed.look(at: "bot", false)
        #expect(try shown() == ["a"])
    }

    @Test func `have nothing of whom the reader blocks or mutes, or who blocks the reader`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        for user in ["ann", "bob", "cy", "dan"] {
            feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = (user, "\(user)1", "\(business) \(user)") }))
        }
        func shown(_ viewer: String?) throws -> [String] {
            try feed.settle(&random)
            let values: [String: Value] = viewer.map { ["viewer": .text($0)] } ?? [:]
            return try feed.ask("social.moments", values).rows.compactMap { $0[2].text }.sorted()
        }
        feed.tell(.block(.with { ($0.user, $0.blocked) = ("ann", "bob") }))
        feed.tell(.mute(.with { ($0.user, $0.muted) = ("ann", "cy") }))
        feed.tell(.block(.with { ($0.user, $0.blocked) = ("dan", "ann") }))
        #expect(try shown(nil) == ["ann", "bob", "cy", "dan"])
        #expect(try shown("Ann") == ["ann"])
        #expect(try shown("cy") == ["ann", "bob", "cy", "dan"] && shown("bob") == ["bob", "cy", "dan"])
        feed.tell(.unmute(.with { ($0.user, $0.muted) = ("ann", "cy") }))
        #expect(try shown("ann") == ["ann", "cy"])
    }

    @Test func `are not filled by fakes that write more than is ranked`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = ("ann", "a", business) }))
        for i in 0..<(ReadMoments.most + 20) {
            feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = ("bot", "b\(i)", "\(business) \(i)") }))
        }
        feed.look(at: "bot", true)
        try feed.settle(&random)
        #expect(try feed.ask("social.moments", [:]).rows.map { $0[3] } == ["a"])
    }

    @Test func `a retweet that was taken back counts no more`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = ("ann", "a", business) }))
        feed.tell(.retweet(.with { ($0.user, $0.owner, $0.original, $0.tweet) = ("bob", "ann", "a", "r") }))
        feed.tell(.retweet(.with { ($0.user, $0.owner, $0.original, $0.tweet) = ("cy", "ann", "a", "s") }))
        feed.tell(.deleteTweet(.with { ($0.user, $0.tweet) = ("bob", "r") }))
        try feed.settle(&random)
        #expect(try feed.ask("social.moments", [:]).rows.map { $0[8] } == [1])
    }

    @Test func `a headline is checked`() throws {
        func news(_ title: String, _ publisher: String) -> SocialNewsEvent.Kind {
            .newsIngested(.with { ($0.headline, $0.publisher, $0.title) = ("1", publisher, title) })
        }
        try SocialNews.check(news(business, "Reuters"))
        #expect(throws: Malformed.self) { try SocialNews.check(news(" ", "Reuters")) }
        #expect(throws: Malformed.self) { try SocialNews.check(news(business, "")) }
    }
}
