import DomainTesting
import EventModel
import Learning
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

    @Test func `know of all ties how many there are, also where more are there than are kept`() throws {
        var (feed, random) = (SocialFeed(limit: 1000), SeededRandom(4))
        for i in 0..<(SocialTies.kept + 30) {
            feed.tell(.follow(.with { ($0.user, $0.followee) = ("ann", "u\(i)") }))
            feed.tell(.follow(.with { ($0.user, $0.followee) = ("u\(i)", "bob") }))
        }
        // Those that are kept go, and the ones before them are still followed.
        for i in 100..<(SocialTies.kept + 30) {
            feed.tell(.unfollow(.with { ($0.user, $0.followee) = ("ann", "u\(i)") }))
            if i % 2 == 0 { feed.tell(.unfollow(.with { ($0.user, $0.followee) = ("u\(i)", "bob") })) }
        }
        try feed.settle(&random)
        try feed.views.read(feed.domain.projection("social.ties")) { reader, _ in
            let graph = TiesGraph(reader: reader)
            for name in ["ann", "bob", "u1", "u150", "nobody"] {
                let user = try #require(PackedName(name))
                let ties = try graph.ties(of: user, atMost: 10_000)
                #expect(try [ties.degrees] == graph.degrees(of: [user]), "\(name)")
                #expect(ties.followees.count <= ties.degrees.followees)
            }
            let ann = try graph.ties(of: try #require(PackedName("ann")), atMost: 10_000)
            #expect(ann.degrees.followees == 100 && ann.followees.count == 70)
        }
    }

    @Test func `have who is well known for an interest that one has`() throws {
        var (feed, random) = (SocialFeed(limit: 1000), SeededRandom(5))
        // Enough of the popular that nobody below them is a candidate of everybody.
        for star in 0..<60 {
            for fan in 0..<8 { feed.tell(.follow(.with { ($0.user, $0.followee) = ("f\(fan)", "star\(star)") })) }
        }
        for (fan, player) in [(0, "monk"), (1, "monk"), (2, "monk"), (0, "amateur")] {
            feed.tell(.follow(.with { ($0.user, $0.followee) = ("f\(fan)", player) }))
        }
        feed.profile("monk", ["Jazz"])
        feed.profile("amateur", ["jazz", "tea"])
        feed.profile("unheard", ["jazz"])
        func suggested() throws -> [String] {
            try feed.settle(&random)
            return names(try feed.ask("social.suggestions", ["user": "ann"], limit: 100))
        }
        #expect(try suggested().allSatisfy { $0.hasPrefix("star") })
        feed.profile("ann", ["jazz"])
        var found = try suggested()
        #expect(found.contains("monk") && found.contains("amateur"))
        // Whom nobody follows is not well known.
        #expect(!found.contains("unheard"))
        let first = try #require(found.firstIndex(of: "monk"))
        #expect(first < (try #require(found.firstIndex(of: "amateur"))))
        feed.tell(.mute(.with { ($0.user, $0.muted) = ("ann", "monk") }))
        feed.profile("amateur", ["tea"])
        found = try suggested()
        #expect(!found.contains("monk") && !found.contains("amateur"))
        feed.tell(.unmute(.with { ($0.user, $0.muted) = ("ann", "monk") }))
        #expect(try suggested().contains("monk"))
        feed.leave("monk")
        #expect(try !suggested().contains("monk"))
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
