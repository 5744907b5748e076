import DomainTesting
import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("What people say of themselves")
struct ProfilesTests {
    private func person(_ location: String = "", _ interests: [String] = [], about: String = "") -> Person {
        Person(location: location, interests: interests, about: about)
    }

    @Test func `brings together who live in one place, however it is written`() {
        #expect(person("Oslo, Norway").livesWhere(person("OSLO")))
        #expect(person("São Paulo").livesWhere(person("sao  paulo , BR")))
        #expect(!person("Oslo").livesWhere(person("Rome")))
        #expect(!person("").livesWhere(person("")) && !person(" , x").livesWhere(person(",y")))
    }
    @Test func `has in common what one names as an interest, and the other as one too or in words`() {
        let ann = person("", ["Green Tea", "running"], about: "I bake bread")
        #expect(ann.interests(inCommonWith: person("", ["green tea"])) == 1)
        #expect(ann.interests(inCommonWith: person("", [], about: "Running for green tea")) == 2)
        #expect(ann.interests(inCommonWith: person("", ["bread", "running"])) == 2)
        // Words that nobody names as an interest are no interest.
        #expect(ann.interests(inCommonWith: person("", [], about: "I bake bread")) == 0)
        #expect(ann.interests(inCommonWith: person("", [], about: "green, and tea")) == 0)
        #expect(person("", ["Über Tea"]).tags == ["übertea"])
        let long = (0..<Person.words).map { "w\($0)" }.joined(separator: " ")
        #expect(person("", ["x"]).interests(inCommonWith: person("", [], about: long + " x")) == 0)
    }
    @Test func `is kept by a view as it was`() {
        for person in [
            Person(), Person(hasLeft: true),
            person("São Paulo", ["Green Tea", "Über"], about: "I like #tea, @ann, 東京都"),
        ] {
            #expect(Person([.text("ann")] + person.row) == person)
        }
    }

    private func names(_ page: Page) -> [String] { page.rows.compactMap { $0[0].text } }
    private func follow(_ one: String, _ other: String, _ feed: inout SocialFeed) {
        feed.tell(.follow(.with { ($0.user, $0.followee) = (one, other) }))
    }

    @Test func `ranks suggestions, and who has left is none`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        follow("ann", "bob", &feed)
        for other in ["cy", "dan", "eve"] { follow("bob", other, &feed) }
        func suggested() throws -> Page {
            try feed.settle(&random)
            return try feed.page("social.suggestions", of: "ann")
        }
        #expect(try names(suggested()) == ["cy", "dan", "eve"])
        feed.profile("ann", location: "Oslo", ["tea", "rain"])
        feed.profile("eve", location: "oslo, Norway", about: "Tea and rain")
        feed.profile("dan", location: "Rome", ["rain"])
        let page = try suggested()
        #expect(names(page) == ["eve", "dan", "cy"])
        let place = try #require(page.columns.firstIndex { $0.name == "same_place" })
        #expect(page.rows.map { [$0[place], $0[place + 1]] } == [[1, 2], [0, 1], [0, 0]])
        let eve = page.rows[0]
        let learned = page.rows[2][1].real ?? 0
        #expect(abs((eve[1].real ?? 0) - learned - (eve[place + 2].real ?? 0) - (eve[place + 3].real ?? 0)) < 1e-9)
        feed.leave("eve")
        #expect(try names(suggested()) == ["dan", "cy"])
        // A profile may be changed to nothing.
        feed.profile("dan")
        #expect(try names(suggested()) == ["cy", "dan"])
    }
    @Test func `ranks a few suggestions as it ranks all, whatever profiles add`() throws {
        for seed in UInt64(1)...4 {
            print("seed \(seed)")
            var (feed, random) = (SocialFeed(limit: 1000), SeededRandom(seed))
            for near in 0..<6 { follow("ann", "n\(near)", &feed) }
            for other in 0..<60 {
                for near in 0..<6 where random.number(0...9) < 3 { follow("n\(near)", "u\(other)", &feed) }
                let interests = ["tea", "rain", "jazz", "chess"].filter { _ in random.number(0...3) == 0 }
                feed.profile("u\(other)", location: random.one(of: ["Oslo", "Rome", ""]), interests)
                if random.number(0...9) == 0 { feed.leave("u\(other)") }
            }
            feed.profile("ann", location: "Oslo", ["tea", "jazz"], about: "rain")
            try feed.settle(&random)
            let all = try feed.ask("social.suggestions", ["user": "ann"], limit: 160).rows
            #expect(all.count > 30 && all.map { $0[1].real ?? 0 } == all.map { $0[1].real ?? 0 }.sorted(by: >))
            for limit in [1, 3, 10, 20] {
                let few = try feed.ask("social.suggestions", ["user": "ann"], limit: limit).rows
                #expect(few == Array(all.prefix(limit)), "\(limit) of seed \(seed)")
            }
        }
    }
    @Test func `who has left keeps the tweets, which rank by themselves alone`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        follow("ann", "bob", &feed)
        feed.profile("ann", location: "Oslo", ["tea"])
        feed.profile("bob", location: "Oslo", ["tea"])
        feed.tell(.post("t1", by: "bob", "#tea"))
        func parts() throws -> [Double] {
            try feed.settle(&random)
            let rows = try feed.ask("social.home", ["user": "ann", "at": Value(after(60))]).rows
            #expect(rows.count == 1 && rows[0][2] == "t1")
            return rows[0].suffix(8).map { $0.real ?? -1 }
        }
        let there = try parts()
        #expect(there[1] == 4 && there[3] > 0 && there[6] == 1.5 && there[7] > 0)
        feed.leave("bob")
        let gone = try parts()
        #expect(gone[0...1] == there[0...1] && gone[2...7].allSatisfy { $0 == 0 })
    }
    @Test func `who has left is in no list of people`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        for (one, other) in [("tea_bob", "ann"), ("tea_cy", "ann"), ("ann", "tea_bob"), ("ann", "tea_cy")] {
            follow(one, other, &feed)
        }
        feed.tell(.post("t1", by: "ann", "hello"))
        for user in ["tea_bob", "tea_cy"] {
            feed.tell(.post("t2", by: user, "hello"))
            feed.tell(.likeTweet(.with { ($0.user, $0.owner, $0.tweet) = (user, "ann", "t1") }))
        }
        func lists() throws -> [[String]] {
            try feed.settle(&random)
            let lists: [(String, [String: Value])] = [
                ("social.people", ["q": "tea"]), ("social.followers", ["user": "ann"]),
                ("social.followees", ["user": "ann"]), ("social.likes", ["owner": "ann", "tweet": "t1"]),
            ]
            return try lists.map { try names(feed.ask($0.0, $0.1)).sorted() }
        }
        #expect(try lists() == Array(repeating: ["tea_bob", "tea_cy"], count: 4))
        feed.leave("tea_cy")
        #expect(try lists() == Array(repeating: ["tea_bob"], count: 4))
        #expect(try names(feed.ask("social.people", ["q": "tea_cy"])) == [])
        // The tweets stay, also for who looks for them.
        #expect(try feed.ask("social.search", ["q": "from:tea_cy"]).rows.count == 1)
        #expect(try feed.page("social.user", of: "tea_cy").rows.count == 1)
    }
    @Test func `in any order of the topics gives the same rows`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(2))
        for i in 0..<30 {
            let (one, other) = ("u\(i % 5)", "u\(i % 7)")
            if one != other { follow(one, other, &feed) }
            feed.profile(other, location: "p\(i % 2)", ["i\(i % 3)"])
            if i % 10 == 9 { feed.leave(one) }
        }
        try feed.settle(&random)
        for (name, topics) in [
            ("social.ties", ["social.events", "social.profiles"]),
            ("social.search", ["social.events", "social.profiles"]),
            ("social.graph", ["social.events", "social.profiles"]),
            ("social.timelines", ["social.events", "social.home", "social.profiles"]),
        ] {
            let projection = Domain.social.projection(name)
            #expect(projection.topics == topics)
            var rows: [String: [Row]]?
            for order in [topics, topics.reversed()] {
                let fold = Fold(projection: projection)
                for topic in order { try fold.take(feed.records(topic)) }
                if rows == nil { rows = try fold.rows() }
                #expect(try fold.rows() == rows, "\(name)")
            }
        }
    }
}
