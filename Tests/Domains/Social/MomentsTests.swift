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

    @Test func `a headline is checked`() throws {
        func news(_ title: String, _ publisher: String) -> SocialNewsEvent.Kind {
            .newsIngested(.with { ($0.headline, $0.publisher, $0.title) = ("1", publisher, title) })
        }
        try SocialNews.check(news(business, "Reuters"))
        #expect(throws: Malformed.self) { try SocialNews.check(news(" ", "Reuters")) }
        #expect(throws: Malformed.self) { try SocialNews.check(news(business, "")) }
    }
}
