import DomainTesting
import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Trends of what is looked for")
struct SearchedTrendsTests {
    private let trends = Domain.social.projection("social.trends")

    private func searched(_ query: String, by user: String = "", at seconds: Int64, offset: Int64) throws -> Placed {
        let event = SocialSearchPerformed.with { ($0.user, $0.query) = (user, query) }
        try Searches.check(.searchPerformed(event))
        return (
            TopicPartition("social.searches", 1),
            Record(
                offset: Offset(offset), timestamp: after(seconds),
                key: Bytes(Searches.key(of: .searchPerformed(event))),
                value: SocialSearchEvent.bytes(.searchPerformed(event)))
        )
    }
    private func tweeted(_ text: String, by user: String = "ann", at seconds: Int64, offset: Int64) -> Placed {
        (
            TopicPartition("social.events", 0),
            Record(
                offset: Offset(offset), timestamp: after(seconds), key: Bytes(user),
                value: SocialEvent.bytes(.tweetPosted(Social.posted(user, "t\(offset)", text))))
        )
    }
    private func recounted(_ hashtag: String, by user: String, _ tweets: Int32, at seconds: Int64) -> Placed {
        let event = SocialHashtagsRecounted.with {
            $0.author = user
            $0.changes = [
                .with { ($0.hashtag, $0.minute, $0.tweets) = (hashtag, TrendWindow.minute(after(seconds)), tweets) }
            ]
        }
        return (
            TopicPartition("social.retweets", 0),
            Record(
                offset: 0, timestamp: after(seconds), key: Bytes(user),
                value: SocialRetweetEvent.bytes(.hashtagsRecounted(event)))
        )
    }

    @Test func `a search counts for the hashtag of its words, once`() throws {
        let fold = try Fold.everyWay(
            trends,
            [
                tweeted("#tea", at: 0, offset: 0), try searched("tea TEA #Tea", at: 1, offset: 0),
                try searched("\"White House\" -tea from:bob @ann", at: 2, offset: 1),
            ])
        let rows = try fold.ask(.social, "social.trends", ["at": Value(after(30))]).rows
        #expect(rows.map { [$0[0], $0[2], $0[5]] } == [["tea", 1, 1], ["white house", 0, 1]])
        #expect(rows.map { $0[1] } == [.real(2), .real(1)])
    }
    @Test func `for a user, what they tweet and look for weighs more, and no more once it is deleted`() throws {
        let records = [
            tweeted("#a", by: "bob", at: 0, offset: 0), tweeted("#a", by: "cy", at: 0, offset: 1),
            tweeted("#b", at: 0, offset: 2), try searched("#c", by: "dan", at: 0, offset: 0),
        ]
        func ranked(_ records: [Placed], for user: String?) throws -> [String] {
            let fold = try Fold.everyWay(trends, records)
            var values: [String: Value] = ["at": Value(after(30))]
            values["for"] = user.map { .text($0) }
            return try fold.ask(.social, "social.trends", values).rows.map {
                "\($0[0].text ?? "") \(String(format: "%.3f", $0[6].real ?? 0))"
            }
        }
        #expect(try ranked(records, for: nil) == ["a 1.000", "b 1.000", "c 1.000"])
        // 1 + ln 2 of one use.
        #expect(try ranked(records, for: "dan") == ["a 1.000", "c 1.693", "b 1.000"])
        let twice = records + [tweeted("#b", at: 0, offset: 3)]
        #expect(try ranked(twice, for: "Ann") == ["b 2.099", "a 1.000", "c 1.000"])
        #expect(
            try ranked(twice + [recounted("b", by: "ann", -1, at: 0)], for: "ann") == ["a 1.000", "b 1.693", "c 1.000"])
    }
    @Test func `a fact has a query that can be asked, and a handle in lower case`() throws {
        func refusal(_ query: String, by user: String) -> String? {
            do {
                try Searches.check(.searchPerformed(.with { ($0.user, $0.query) = (user, query) }))
            } catch {
                return error.message
            }
            return nil
        }
        #expect(refusal("#Tea", by: "ann") == nil && refusal("#Tea", by: "") == nil)
        #expect(refusal("#Tea", by: "Ann") == "user: is Ann; a fact has handles in lower case")
        #expect(refusal("\"open", by: "") == "q: has a phrase without its second quote")
    }
    @Test(arguments: [8, 9, 10] as [UInt64])
    func `bursts are found within two windows, and hardly any where there are none`(seed: UInt64) throws {
        var (random, records, offset) = (SeededRandom(seed), [Placed](), Int64(0))
        // Three days of 400 hashtags, the n-th used 60 / n times an hour; by night a fifth as often.
        let (hours, planted) = (Int64(72), [Int64(40), 55, 66])
        func uses(_ mean: Double) -> Int {
            // Knuth's way to draw from a Poisson distribution.
            var (count, product) = (0, Double.random(in: 0..<1, using: &random))
            while product > exp(-mean) {
                count += 1
                product *= Double.random(in: 0..<1, using: &random)
            }
            return count
        }
        for hour in 0..<hours {
            let activity = (hour % 24) < 6 ? 0.2 : 1
            func use(_ tag: String, _ count: Int) {
                for _ in 0..<count {
                    let second = hour * 3600 + Int64.random(in: 0..<3600, using: &random)
                    records.append(tweeted("#\(tag)", at: second, offset: offset))
                    offset += 1
                }
            }
            for tag in 1...400 { use("n\(tag)", uses(60 / Double(tag) * activity)) }
            if planted.contains(hour) { use("burst\(hour)", 25) }
        }
        let fold = Fold(projection: trends)
        try fold.take(records)
        var alarms = 0
        for hour in 24..<hours {
            let rows = try fold.ask(
                .social, "social.trends", ["at": Value(after(hour * 3600 + 3540)), "bursting": 1], limit: 50
            ).rows
            let tags = rows.map { $0[0].text ?? "" }
            if planted.contains(hour) { #expect(tags.first == "burst\(hour)", "seed \(seed)") }
            alarms += tags.count { !$0.hasPrefix("burst") }
        }
        // At most one in a simulated day.
        #expect(alarms <= 2, "\(alarms) in two days, seed \(seed)")
    }
}
