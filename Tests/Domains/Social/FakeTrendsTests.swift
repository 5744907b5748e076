import DomainTesting
import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Trends without fakes, with headlines")
struct FakeTrendsTests {
    private let trends = Domain.social.projection("social.trends")
    private static let topics = ["social.events", "social.retweets", "social.searches", "social.flags", "social.news"]

    /// Everything that was used, whoever it was, and who counts as fake, straight from the records.
    private struct Everything {
        var hashtags = CountedHashtags()
        var searches: [(user: String, topic: String, minute: Int64)] = []
        var headlines: [(words: [String], minute: Int64)] = []
        var flagged: Set<String> = []
        var verdicts: [String: Bool] = [:]
        var fakes: Set<String> {
            flagged.filter { verdicts[$0] == nil }.union(verdicts.filter(\.value).keys)
        }

        init(_ feed: SocialFeed) throws {
            for (_, record) in feed.records("social.events") {
                guard let event = try SocialEvent.kind(in: record.value) else { continue }
                hashtags.tell(event, at: record.timestamp)
                if case .accountCleared(let e) = event { verdicts[e.account] = false }
                if case .fakeConfirmed(let e) = event { verdicts[e.account] = true }
            }
            for (_, record) in feed.records("social.searches") {
                guard case .searchPerformed(let e) = try SocialSearchEvent.kind(in: record.value) else { continue }
                for topic in try SearchQuery(e.query).topics {
                    searches.append((e.user, topic, TrendWindow.minute(record.timestamp)))
                }
            }
            for (_, record) in feed.records("social.news") {
                guard case .newsIngested(let e) = try SocialNewsEvent.kind(in: record.value) else { continue }
                headlines.append((e.title.split(separator: " ").map(String.init), TrendWindow.minute(record.timestamp)))
            }
            for (_, record) in feed.records("social.flags") {
                switch try SocialFlagEvent.kind(in: record.value) {
                case .accountFlagged(let e): flagged.insert(e.account)
                case .accountPassed(let e): flagged.remove(e.account)
                case nil: break
                }
            }
        }

        /// Whether a headline of plain words has these words one after another.
        private static func has(_ words: [String], _ phrase: [String]) -> Bool {
            words.indices.contains { words[$0...].starts(with: phrase) }
        }
        /// All runs of one to three words of the headlines.
        private var phrases: Set<[String]> {
            var phrases: Set<[String]> = []
            for (words, _) in headlines {
                for length in 1...3 where length <= words.count {
                    for start in 0...(words.count - length) { phrases.insert(Array(words[start..<start + length])) }
                }
            }
            return phrases
        }

        /// What a window shows: tweets, retweets, searches, headlines, and the mean of the 24 before.
        func shown(_ window: Range<Int64>) -> [String: (counts: [Int64], baseline: Double)] {
            let before = window.lowerBound - 24 * Int64(window.count)..<window.lowerBound
            var shown: [String: (counts: [Int64], baseline: Double)] = [:]
            func count(_ user: String, _ tag: String, _ minute: Int64, _ counts: [Int64]) {
                if fakes.contains(user) { return }
                if window.contains(minute) {
                    for i in 0..<4 { shown[tag, default: ([0, 0, 0, 0], 0)].counts[i] += counts[i] }
                } else if before.contains(minute) {
                    shown[tag, default: ([0, 0, 0, 0], 0)].baseline += Double(counts.reduce(0, +)) / 24
                }
            }
            for (use, n) in hashtags.uses() {
                count(use.user, use.slot.hashtag, use.slot.minute, [n.tweets, n.retweets, 0, 0])
            }
            for search in searches { count(search.user, search.topic, search.minute, [0, 0, 1, 0]) }
            for phrase in phrases {
                for (words, minute) in headlines where Self.has(words, phrase) {
                    count("", phrase.joined(separator: " "), minute, [0, 0, 0, 1])
                }
            }
            func isNewsAlone(_ tag: String) -> Bool { shown[tag]?.counts.prefix(3) == [0, 0, 0] }
            func found(_ phrase: [String]) -> Int64 { shown[phrase.joined(separator: " ")]?.counts[3] ?? 0 }
            // One headline alone is no trend, and a part of a phrase that is always whole is none beside it.
            let dropped = phrases.filter { phrase in
                isNewsAlone(phrase.joined(separator: " "))
                    && (found(phrase) < 2
                        || phrases.contains {
                            $0.count > phrase.count && Self.has($0, phrase) && found($0) >= found(phrase)
                        })
            }
            for phrase in dropped { shown[phrase.joined(separator: " ")] = nil }
            return shown.filter { $0.value.counts != [0, 0, 0, 0] }
        }
    }

    /// What people do, at random: each step is one of them.
    private func step(_ i: Int, _ feed: inout SocialFeed, _ random: inout SeededRandom) {
        let users = (0..<8).map { "u\($0)" }
        func poster(_ tweet: Int) -> String { users[Int(FNV1a("t\(tweet)").value % 8)] }
        func text() -> String {
            (0..<Int.random(in: 1...2, using: &random)).map { _ in "#tag\(Int.random(in: 0..<5, using: &random))" }
                .joined(separator: " ")
        }
        let (user, old) = (users.randomElement(using: &random)!, Int.random(in: 0...i + 3, using: &random))
        switch Int.random(in: 0..<23, using: &random) {
        case 0..<7: feed.tell(.post("t\(i)", by: poster(i), text()))
        case 7..<12:
            // Also of what is not there, or not yet; some with a text of its own.
            let said = Bool.random(using: &random) ? text() : ""
            feed.tell(
                .retweet(
                    .with {
                        ($0.user, $0.owner, $0.original) = (poster(i), poster(old), "t\(old)")
                        ($0.tweet, $0.text) = ("t\(i)", said)
                    }))
        case 12..<14: feed.tell(.delete("t\(old)", by: poster(old)))
        case 14..<16: feed.search("tag\(old % 5)", by: Bool.random(using: &random) ? user : "")
        case 16, 17: feed.look(at: user, Bool.random(using: &random))
        case 18, 19, 20:
            let words = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                "tag\(Int.random(in: 0..<5, using: &random))"
            }
            feed.publish(words.joined(separator: " "), by: user)
        case 21: feed.tell(.clearAccount_p(.with { ($0.account, $0.reviewer) = (user, "eve") }))
        default: feed.tell(.confirmFake(.with { ($0.account, $0.reviewer) = (user, "eve") }))
        }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `equal a count by hand of what is not fake, while marks come and go`(seed: UInt64) throws {
        var (random, feed, fakes) = (SeededRandom(seed), SocialFeed(limit: 100), Set<Set<String>>())
        for i in 0..<600 {
            step(i, &feed, &random)
            if i % 7 == 0 { _ = try feed.react(&random, atMost: 30) }
            if i % 90 == 0 { try feed.project(&random) }
            if i % 200 == 150 { try feed.restart(partition: Int.random(in: 0..<SocialFeed.partitions, using: &random)) }
            if i % 60 != 59 { continue }
            try feed.settle(&random)
            let right = try Everything(feed)
            fakes.insert(right.fakes)
            let now = TrendWindow.minute(after(0)) + Int64(i) / 90
            for length in [1, 2, 60] as [Int64] {
                try compare(feed, right, now - length + 1..<now + 1, "step \(i), seed \(seed)")
            }
            #expect(try feed.violations() == [], "seed \(seed)")
        }
        #expect(fakes.count > 3 && fakes.contains { $0.count > 1 }, "\(fakes), seed \(seed)")
        try expectAnyOrder(feed, seed)
    }

    private func compare(
        _ feed: SocialFeed, _ right: Everything, _ window: Range<Int64>, _ place: String
    ) throws {
        let shown = right.shown(window)
        let page = try feed.ask(
            "social.trends",
            [
                "at": Value(Timestamp((window.upperBound - 1) * 60_000)),
                "window": .integer(Int64(window.count) * 60_000),
            ]
        )
        #expect(Set(page.rows.compactMap { $0[0].text }) == Set(shown.keys), "\(window), \(place)")
        for row in page.rows {
            guard let expected = shown[row[0].text ?? ""] else { continue }
            #expect([row[2], row[3], row[5], row[7]] == expected.counts.map { .integer($0) }, "\(row), \(place)")
            #expect(abs((row[4].real ?? -1) - expected.baseline) < 1e-9, "\(row), \(place)")
        }
    }

    /// The topics are read one after another, in each order that there is: rows are the same.
    private func expectAnyOrder(_ feed: SocialFeed, _ seed: UInt64) throws {
        var rows: [String: [Row]]?
        for order in Self.orders(of: Self.topics) {
            let fold = Fold(projection: trends)
            for topic in order { try fold.take(feed.records(topic)) }
            if rows == nil { rows = try fold.rows() }
            #expect(try fold.rows() == rows, "\(order), seed \(seed)")
        }
    }

    private static func orders(of topics: [String]) -> [[String]] {
        if topics.isEmpty { return [[]] }
        return topics.flatMap { first in orders(of: topics.filter { $0 != first }).map { [first] + $0 } }
    }

    @Test func `who is cleared has all uses back, and a retweet is its retweeter's`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        feed.tell(.post("b1", by: "bot", "#sale"))
        feed.tell(.post("a1", by: "ann", "#tea"))
        feed.tell(.pass(on: "a1", of: "ann", as: "b2", by: "bot"))
        feed.tell(.pass(on: "b1", of: "bot", as: "c1", by: "cy"))
        feed.search("sale", by: "bot")
        func shown() throws -> [String: [Int64]] {
            try feed.settle(&random)
            return try feed.hashtags()
        }
        #expect(try shown() == ["sale": [1, 1], "tea": [1, 1]])
        feed.look(at: "bot", true)
        #expect(try shown() == ["sale": [0, 1], "tea": [1, 0]])
        feed.look(at: "bot", false)
        #expect(try shown() == ["sale": [1, 1], "tea": [1, 1]])
        feed.tell(.confirmFake(.with { ($0.account, $0.reviewer) = ("bot", "eve") }))
        #expect(try shown() == ["sale": [0, 1], "tea": [1, 0]])
        // The original goes, and its retweets with it: nothing is taken away twice.
        feed.tell(.delete("a1", by: "ann"))
        #expect(try shown() == ["sale": [0, 1]])
        feed.look(at: "bot", true)
        feed.tell(.clearAccount_p(.with { ($0.account, $0.reviewer) = ("bot", "eve") }))
        #expect(try shown() == ["sale": [1, 1]])
        #expect(try feed.violations() == [])
    }

    // MARK: Limits

    private func tweet(_ text: String, by user: String, at seconds: Int64, offset: Int) -> Placed {
        (
            TopicPartition("social.events", 0),
            Record(
                offset: Offset(Int64(offset)), timestamp: after(seconds), key: Bytes(user),
                value: SocialEvent.bytes(.tweetPosted(Social.posted(user, "t\(offset)", text))))
        )
    }
    private func flag(_ user: String, tweets: Int64, offset: Int) -> Placed {
        (
            TopicPartition("social.flags", 0),
            Record(
                offset: Offset(Int64(offset)), timestamp: noon, key: Bytes(user),
                value: SocialFlagEvent.bytes(
                    .accountFlagged(.with { ($0.account, $0.score, $0.tweets) = (user, 900, tweets) })))
        )
    }
    private func verdict(_ event: SocialEvent.Kind, offset: Int) -> Placed {
        (
            TopicPartition("social.events", 0),
            Record(
                offset: Offset(Int64(offset)), timestamp: noon, key: Bytes(Social.key(of: event)),
                value: SocialEvent.bytes(event))
        )
    }
    /// Tweets of each hashtag that are shown.
    private func shown(_ fold: Fold, window: Int64 = 60) throws -> [String: Int64] {
        let rows = try fold.ask(
            .social, "social.trends", ["at": Value(after(30)), "window": .integer(window * 60_000)], limit: 1000
        ).rows
        return rows.reduce(into: [:]) { $0[$1[0].text ?? ""] = $1[2].integer }
    }

    @Test func `so many accounts are taken away, those of humans first and then those with the most tweets`() throws {
        let fold = Fold(projection: trends)
        let count = FakeUses.accounts + 2
        try fold.take((0..<count).map { tweet("#n\($0)", by: "u\($0)", at: 0, offset: $0) })
        #expect(try shown(fold).count == 1000)
        try fold.take((0..<count).map { flag("u\($0)", tweets: Int64($0), offset: $0) })
        #expect(try shown(fold) == ["n0": 1, "n1": 1])
        try fold.take([verdict(.fakeConfirmed(.with { ($0.account, $0.reviewer) = ("u0", "eve") }), offset: count)])
        #expect(try shown(fold) == ["n1": 1, "n2": 1])
        // Who is cleared takes no place.
        try fold.take([
            verdict(.accountCleared(.with { ($0.account, $0.reviewer) = ("u9", "eve") }), offset: count + 1)
        ])
        #expect(try shown(fold) == ["n1": 1, "n9": 1])
    }
    @Test func `so many uses of one account are taken away, the newest`() throws {
        let fold = Fold(projection: trends)
        let count = FakeUses.usesOfOne + 2
        try fold.take((0..<count).map { tweet("#n\($0)", by: "bot", at: Int64($0 - count) * 60, offset: $0) })
        try fold.take([flag("bot", tweets: 10, offset: 0)])
        #expect(try shown(fold, window: 2000) == ["n0": 1, "n1": 1])
    }
    @Test func `retweets of an older program are nobody's, and are taken back once`() throws {
        func recount(_ retweets: Int32, by user: String, offset: Int) -> Placed {
            let event = SocialHashtagsRecounted.with {
                $0.author = "ann"
                $0.changes = [
                    .with {
                        ($0.hashtag, $0.minute) = ("tea", TrendWindow.minute(noon))
                        ($0.retweets, $0.user) = (retweets, user)
                    }
                ]
            }
            return (
                TopicPartition("social.retweets", 0),
                Record(
                    offset: Offset(Int64(offset)), timestamp: noon, key: "ann",
                    value: SocialRetweetEvent.bytes(.hashtagsRecounted(event)))
            )
        }
        let old = [
            tweet("#tea", by: "ann", at: 0, offset: 0), flag("bot", tweets: 10, offset: 0),
            recount(1, by: "", offset: 0),
        ]
        func retweets(_ records: [Placed]) throws -> [Value] {
            try Fold.everyWay(trends, records).ask(.social, "social.trends", ["at": Value(after(30))]).rows[0][2...3]
                .map { $0 }
        }
        #expect(try retweets(old) == [1, 1])
        #expect(try retweets(old + [recount(-1, by: "bot", offset: 1)]) == [1, 0])
        #expect(try retweets(old + [recount(1, by: "bot", offset: 1)]) == [1, 1])
        #expect(try retweets(old + [recount(1, by: "cy", offset: 1)]) == [1, 2])
    }
}
