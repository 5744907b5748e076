import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Accounts that look like fakes")
struct FlagsTests {
    /// An account that likes nothing, follows many, and tweets.
    private func busy(_ feed: inout SocialFeed, _ user: String, tweets: Int) {
        for i in 0..<40 { feed.tell(.follow(.with { ($0.user, $0.followee) = (user, "x\(i)") })) }
        for i in 0..<tweets {
            feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = (user, "t\(i)", "buy now \(i)") }))
        }
    }

    @Test func `an account is looked at when it has 10, 20, 50, 100 tweets and so on`() {
        let looked = (1...2000).filter { FlagFakes.isLooked(at: Int64($0)) }
        #expect(looked == [10, 20, 50, 100, 200, 500, 1000, 2000])
    }

    @Test func `are flagged with a score and reasons, and a human outranks the model`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        busy(&feed, "free_bot_4711", tweets: 10)
        busy(&feed, "ann", tweets: 9)
        try feed.settle(&random)
        var page = try feed.ask("social.flagged", [:])
        #expect(page.rows.map { $0[0] } == ["free_bot_4711"])
        #expect((page.rows[0][1].integer ?? 0) >= 800 && page.rows[0][2].text?.isEmpty == false)

        let told = [
            feed.tell(.clearAccount_p(.with { ($0.account, $0.reviewer) = ("Free_bot_4711", "eve") })),
            feed.tell(.clearAccount_p(.with { ($0.account, $0.reviewer) = ("free_bot_4711", "carl") })),
            feed.tell(.confirmFake(.with { ($0.account, $0.reviewer) = ("ann", "eve") })),
            feed.tell(.confirmFake(.with { ($0.account, $0.reviewer) = ("eve", "Eve") })),
        ]
        #expect(told == [true, false, true, false])
        try feed.settle(&random)
        page = try feed.ask("social.flagged", [:])
        #expect(page.rows.map { [$0[0], $0[1], $0[5], $0[6]] } == [["ann", .null, "fake", "eve"]])

        // The model looks again, and the human's word stands.
        for i in 10..<20 {
            feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = ("free_bot_4711", "t\(i)", "buy \(i)") }))
        }
        feed.tell(.confirmFake(.with { ($0.account, $0.reviewer) = ("free_bot_4711", "eve") }))
        feed.tell(.clearAccount_p(.with { ($0.account, $0.reviewer) = ("free_bot_4711", "eve") }))
        try feed.settle(&random)
        #expect(try feed.ask("social.flagged", [:]).rows.map { $0[0] } == ["ann"])
    }
}
