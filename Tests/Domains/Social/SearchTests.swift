import DomainTesting
import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("A search")
struct SearchTests {
    /// A feed in which all of it has been told and folded.
    private func feed(_ asks: Ask...) throws -> SocialFeed {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(3))
        for ask in asks { feed.tell(ask) }
        try feed.settle(&random)
        #expect(try feed.violations() == [])
        return feed
    }
    private func search(
        _ feed: SocialFeed, _ text: String, for viewer: String? = nil, order: String? = nil, limit: Int = 100
    ) throws -> [String] {
        var values: [String: Value] = ["q": .text(text)]
        values["viewer"] = viewer.map { .text($0) }
        values["order"] = order.map { .text($0) }
        var (found, cursor): ([String], Row?) = ([], nil)
        repeat {
            let page = try feed.ask("social.search", values, limit: limit, from: cursor)
            found += page.rows.map { "\($0[1].text ?? "")/\($0[2].text ?? "")" }
            cursor = page.next
        } while cursor != nil
        return found
    }

    @Test func `finds by words, phrases, tags, mentions and authors, newest first`() throws {
        let feed = try feed(
            .post("t1", "Green tea with #Milk"), .post("t2", by: "bob", "tea, green: says @Ann"),
            .post("t3", "GREEN TEA"), .post("t4", by: "bob", "a teapot"))
        // The third came in the second of the second: of one moment names go backwards.
        #expect(try search(feed, "green tea") == ["bob/t2", "ann/t3", "ann/t1"])
        #expect(try search(feed, "\"green tea\"") == ["ann/t3", "ann/t1"])
        #expect(try search(feed, "\"tea green says\"") == ["bob/t2"])
        #expect(try search(feed, "\"tea with #milk\"") == ["ann/t1"])
        #expect(try search(feed, "tea -\"green tea\"") == ["bob/t2"])
        #expect(try search(feed, "tea -@ann -#milk") == ["ann/t3"])
        #expect(try search(feed, "#milk") == ["ann/t1"] && search(feed, "milk") == ["ann/t1"])
        #expect(try search(feed, "@ann") == ["bob/t2"] && search(feed, "ann") == [])
        #expect(try search(feed, "from:BOB") == ["bob/t4", "bob/t2"] && search(feed, "from:bob tea") == ["bob/t2"])
        #expect(try search(feed, "tea -from:bob", limit: 1) == ["ann/t3", "ann/t1"])
        #expect(try search(feed, "coffee") == [] && search(feed, "from:cy tea") == [])
    }
    @Test func `is of a time`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        for (tweet, seconds) in [("a", 0), ("b", 86_399), ("c", 86_400)] as [(String, Int64)] {
            try feed.tell(.post(tweet, "tea \(tweet)"), id: tweet, at: after(seconds - 43_200))
        }
        try feed.settle(&random)
        #expect(try search(feed, "tea since:2026-11-01 until:2026-11-02") == ["ann/b", "ann/a"])
        #expect(try search(feed, "tea since:2026-11-02") == ["ann/c"])
        #expect(try search(feed, "tea until:2026-11-01") == [])
    }
    @Test func `is without what was deleted, and never finds its words again`() throws {
        let feed = try feed(.post("t1", "tea"), .post("t2", "tea"), .delete("t1"))
        #expect(try search(feed, "tea") == ["ann/t2"])
        let rows = try feed.views.read(feed.search) { reader, _ in try reader.rows(Scan(Search.tweets)) }
        #expect(rows.map { $0[Search.Tweet.text] } == [nil, "tea"])
    }
    @Test func `finds a retweet by its own words only where its original is not here`() throws {
        let far = Ask.retweet(
            .with { ($0.user, $0.owner, $0.original, $0.tweet, $0.text) = ("ann", "zoe", "z1", "r1", "far tea") })
        let near = Ask.retweet(
            .with { ($0.user, $0.owner, $0.original, $0.tweet, $0.text) = ("ann", "bob", "b1", "r2", "near tea") })
        #expect(try search(feed(far, near), "tea") == ["ann/r2", "ann/r1"])
        #expect(try search(feed(far, near, .post("b1", by: "bob", "near tea")), "tea") == ["bob/b1", "ann/r1"])
        let gone = try feed(far, near, .post("b1", by: "bob", "near tea"), .delete("b1", by: "bob"))
        #expect(try search(gone, "tea") == ["ann/r1"])
        #expect(try search(feed(far, .block("zoe", by: "cy")), "tea", for: "cy") == [])
    }
    @Test func `is without whom the reader blocks or mutes, and without who blocks the reader`() throws {
        let feed = try feed(
            .post("t1", "tea"), .post("b1", by: "bob", "tea"), .post("c1", by: "cy", "tea"), .block("bob"),
            .mute("ann", by: "cy"))
        #expect(try search(feed, "tea", for: "ann") == ["cy/c1", "ann/t1"])
        #expect(try search(feed, "tea", for: "bob") == ["cy/c1", "bob/b1"])
        #expect(try search(feed, "tea", for: "cy") == ["cy/c1", "bob/b1"])
        #expect(try search(feed, "tea") == ["cy/c1", "bob/b1", "ann/t1"])
    }
    @Test func `by rank has the rarer word, the shorter text and what is liked first, and says why`() throws {
        let feed = try feed(
            .post("t1", "tea"), .post("t2", "tea and much more that is said of it"),
            .post("t3", "tea here"), .post("t4", "tea here"), .like("t3", of: "ann", by: "bob"),
            .pass(on: "t3", of: "ann", as: "r1", by: "bob"))
        #expect(try search(feed, "tea", order: "ranked") == ["ann/t3", "ann/t1", "ann/t4", "ann/t2"])
        #expect(try search(feed, "tea", order: "ranked", limit: 1) == ["ann/t3", "ann/t1", "ann/t4", "ann/t2"])
        let page = try feed.ask("social.search", ["q": "tea", "order": "ranked"])
        for row in page.rows {
            let (score, relevance, social) = (row[8].real ?? 0, row[9].real ?? 0, row[10].real ?? 0)
            #expect(score == relevance * social && relevance > 0)
        }
        #expect(Array(page.rows[0][6...7]) == [1, 1])
        #expect(abs((page.rows[0][10].real ?? 0) - (1 + 1.3862943611198906 / 4)) < 1e-12)
    }
    @Test func `by rank goes on where it was, whatever is posted meanwhile`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(5))
        for i in 0..<12 { feed.tell(.post("t\(i)", "tea \(String(repeating: "more ", count: i % 5))")) }
        try feed.settle(&random)
        let all = try search(feed, "tea", order: "ranked")
        let first = try feed.ask("social.search", ["q": "tea", "order": "ranked"], limit: 5)
        for i in 0..<30 { feed.tell(.post("n\(i)", by: "bob", i % 2 == 0 ? "tea" : "coffee")) }
        feed.tell(.delete(first.rows[0][2].text ?? ""))
        try feed.settle(&random)
        let rest = try feed.ask("social.search", ["q": "tea", "order": "ranked"], from: first.next).rows
        #expect((first.rows + rest).map { "\($0[1].text ?? "")/\($0[2].text ?? "")" } == all)
    }
    @Test func `refuses a cursor of another order`() throws {
        let feed = try feed(.post("t1", "tea"), .post("t2", "tea"))
        let (newest, ranked) = (
            try feed.ask("social.search", ["q": "tea"], limit: 1).next,
            try feed.ask("social.search", ["q": "tea", "order": "ranked"], limit: 1).next
        )
        #expect(throws: Malformed("cursor", "is not one of a search by rank")) {
            try feed.ask("social.search", ["q": "tea", "order": "ranked"], from: newest)
        }
        #expect(throws: Malformed("cursor", "is not one of a search, newest first")) {
            try feed.ask("social.search", ["q": "tea"], from: ranked)
        }
        #expect(throws: Malformed("cursor", "is not one of a search of people")) {
            try feed.ask("social.people", ["q": "a"], from: ranked)
        }
    }
    @Test func `that looks at much goes on where it stopped`() throws {
        let model = (0..<(SearchLimits.looked + 300)).map { i in
            Told.posted("t\(i)", by: i % 900 == 0 ? "ann" : "bob", "tea \(i % 900 == 0 ? "rare" : "common") x")
        }
        let fold = Fold(projection: Domain.social.projection("social.search"))
        try fold.take(
            model.enumerated().map { i, event in
                (
                    TopicPartition("social.events", 0),
                    Record(
                        offset: Offset(Int64(i)), timestamp: after(Int64(i)), key: Bytes(Social.key(of: event)),
                        value: SocialEvent.bytes(event))
                )
            })
        // No two of the words are in one tweet; the rarer is looked at.
        var (pages, found, cursor): (Int, Int, Row?) = (0, 0, nil)
        repeat {
            let page = try fold.ask(.social, "social.search", ["q": "tea x -common"], limit: 100, from: cursor)
            (pages, found, cursor) = (pages + 1, found + page.rows.count, page.next)
        } while cursor != nil
        #expect(pages == 2 && found == 3)

        // By rank all pages look at the same places, though they are newer than the newest match.
        (pages, found) = (0, 0)
        repeat {
            let values: [String: Value] = ["q": "tea x -common", "order": "ranked"]
            let page = try fold.ask(.social, "social.search", values, limit: 1, from: cursor)
            (pages, found, cursor) = (pages + 1, found + page.rows.count, page.next)
        } while cursor != nil
        #expect(pages == 2 && found == 2)
    }

    // MARK: Against a scan

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `equals a scan of every tweet, whatever happened`(seed: UInt64) throws {
        var (random, feed, model) = (SeededRandom(seed), SocialFeed(limit: 3), ScannedTweets())
        let words = ["tea", "Tee", "#tea", "@u1", "日本語", "green", "x.org", "don't", "3.5"]
        func text() -> String {
            (0..<Int.random(in: 1...5, using: &random)).map { _ in words.randomElement(using: &random)! }
                .joined(separator: " ") + "!"
        }
        for i in 0..<200 {
            let (user, other) = (
                "u\(Int.random(in: 0..<5, using: &random))", "u\(Int.random(in: 0..<5, using: &random))"
            )
            let old = "t\(Int.random(in: 0...i, using: &random))"
            let ask: Ask =
                switch Int.random(in: 0..<20, using: &random) {
                case 0..<9: .post("t\(i)", by: user, text())
                case 9..<11: .delete(old, by: user)
                case 11..<14:
                    .retweet(
                        .with {
                            ($0.user, $0.owner, $0.original) = (user, other, old)
                            ($0.tweet, $0.text) = ("t\(i)", Bool.random(using: &random) ? text() : "")
                        })
                case 14..<16: .like(old, of: other, by: user)
                case 16: .unlike(old, of: other, by: user)
                case 17: Bool.random(using: &random) ? .block(other, by: user) : .unblock(other, by: user)
                case 18: Bool.random(using: &random) ? .mute(other, by: user) : .unmute(other, by: user)
                default: .follow(other, by: user)
                }
            feed.tell(ask)
            if i % 40 == 0 { try feed.project(&random) }
        }
        try feed.settle(&random)
        for (_, record) in feed.records("social.events") {
            if let event = try SocialEvent.kind(in: record.value) { model.tell(event, at: record.timestamp) }
        }
        let parts = words.dropLast(3) + ["from:u1", "from:u2", "\"tea green\"", "\"日本語 tea\"", "本語", "don't", "3.5"]
        var found = 0
        for _ in 0..<20 {
            var some = (0..<Int.random(in: 1...2, using: &random)).map { _ in parts.randomElement(using: &random)! }
            if Bool.random(using: &random) { some.append("-" + parts.randomElement(using: &random)!) }
            guard let query = try? SearchQuery(some.joined(separator: " ")) else { continue }
            for viewer in [nil, "u1"] {
                let text = some.joined(separator: " ")
                let expected = model.found(query, for: viewer).map { "\($0.owner)/\($0.tweet)" }
                #expect(try search(feed, text, for: viewer, limit: 7) == expected, "\(text), seed \(seed)")
                let ranked = model.ranked(query, for: viewer).map { "\($0.name.owner)/\($0.name.tweet)" }
                #expect(
                    try search(feed, text, for: viewer, order: "ranked", limit: 7) == ranked, "\(text), seed \(seed)")
                found += expected.count
            }
        }
        #expect(found > 30, "seed \(seed)")
        #expect(try feed.violations() == [], "seed \(seed)")
    }
    @Test(arguments: [11, 12] as [UInt64])
    func `has the same rows however its events are batched`(seed: UInt64) throws {
        var (random, feed) = (SeededRandom(seed), SocialFeed(limit: 3))
        for deed in SocialHistory(seed: seed, count: 150, anyOrder: false).deeds {
            _ = try? feed.tell(deed.live { $0 }, id: "c", at: deed.at)
        }
        try feed.settle(&random)
        _ = try Fold.everyWay(feed.search, feed.records("social.events"), seed: seed)
    }

    // MARK: People

    @Test func `of people finds parts of names, those with the most followers first`() throws {
        let feed = try feed(
            .post("t1", by: "tea_fan"), .post("t2", by: "green_tea"), .post("t3", by: "tea"), .post("t4", by: "steam"),
            .post("t5", by: "tea2go"), .follow("green_tea"), .follow("green_tea", by: "bob"), .follow("tea_fan"),
            .post("t6", by: "tea_gone"), .delete("t6", by: "tea_gone"))
        func people(_ text: String, for viewer: String? = nil, limit: Int = 100) throws -> [String] {
            var (names, cursor): ([String], Row?) = ([], nil)
            repeat {
                var values: [String: Value] = ["q": .text(text)]
                values["viewer"] = viewer.map { .text($0) }
                let page = try feed.ask("social.people", values, limit: limit, from: cursor)
                names += page.rows.map { $0[0].text ?? "" }
                cursor = page.next
            } while cursor != nil
            return names
        }
        #expect(try people("@Tea") == ["tea", "green_tea", "tea_fan", "tea2go"])
        #expect(try people("tea", limit: 1) == ["tea", "green_tea", "tea_fan", "tea2go"])
        #expect(try people("go") == ["tea2go"] && people("eam") == [] && people("nobody") == [])
        #expect(throws: Malformed.self) { try people("a b") }
    }
}
