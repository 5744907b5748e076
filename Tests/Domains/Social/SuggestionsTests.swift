import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Suggestions of whom to follow")
struct SuggestionsTests {
    private func names(_ page: Page) -> [String] { page.rows.compactMap { $0[0].text } }

    @Test func `say why in numbers`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        for (one, other) in [("ann", "bob"), ("ann", "carl"), ("bob", "dan"), ("carl", "dan"), ("bob", "eve")] {
            feed.tell(.follow(.with { ($0.user, $0.followee) = (one, other) }))
        }
        try feed.settle(&random)
        let page = try feed.page("social.suggestions", of: "Ann")
        #expect(names(page) == ["dan", "eve"])
        #expect(page.columns.map(\.name)[2] == "followed_by_followees")
        #expect(page.rows.map { $0[2] } == [2, 1])
        #expect(page.rows[0][13] == 2)
    }

    @Test func `a user with more followees than are kept is suggested none of them`() throws {
        var (feed, random) = (SocialFeed(limit: 1000), SeededRandom(1))
        let many = SocialTies.kept + 50
        for i in 0..<many {
            feed.tell(.follow(.with { ($0.user, $0.followee) = ("ann", "u\(i)") }))
            feed.tell(.follow(.with { ($0.user, $0.followee) = ("u\(i)", "u\((i + 7) % many)") }))
        }
        feed.tell(.follow(.with { ($0.user, $0.followee) = ("u\(many - 1)", "new") }))
        try feed.settle(&random)
        #expect(names(try feed.page("social.suggestions", of: "ann")) == ["new"])
    }

    @Test func `never have oneself, whom one follows, has blocked or muted, or who has blocked one`() throws {
        for seed in UInt64(1)...12 {
            print("seed \(seed)")
            var (feed, random) = (SocialFeed(limit: 4), SeededRandom(seed))
            let users = (1...12).map { "u\($0)" }
            for _ in 0..<250 {
                let (one, other) = (random.one(of: users), random.one(of: users))
                switch random.number(0...11) {
                case 0..<7: feed.tell(.follow(.with { ($0.user, $0.followee) = (one, other) }))
                case 7: feed.tell(.unfollow(.with { ($0.user, $0.followee) = (one, other) }))
                case 8: feed.tell(.block(.with { ($0.user, $0.blocked) = (one, other) }))
                case 9: feed.tell(.unblock(.with { ($0.user, $0.blocked) = (one, other) }))
                case 10: feed.tell(.mute(.with { ($0.user, $0.muted) = (one, other) }))
                default: feed.tell(.unmute(.with { ($0.user, $0.muted) = (one, other) }))
                }
            }
            try feed.settle(&random)
            for user in users {
                let state = feed.users[user] ?? Social.initial
                let page = try feed.page("social.suggestions", of: user)
                let blockers = users.filter { feed.users[$0]?.blocked.contains(user) ?? false }
                let never = state.following.union(state.blocked).union(state.muted).union(blockers + [user])
                #expect(never.isDisjoint(with: names(page)), "\(user), seed \(seed)")
                #expect(try feed.page("social.suggestions", of: user).rows == page.rows)
            }
        }
    }
}
