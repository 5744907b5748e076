import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Trends")
struct TrendsTests {
    private let trends = Domain.social.projection("social.trends")

    private func tweet(_ text: String, at seconds: Int64, in partition: Partition = 0, offset: Int64 = 0) -> Placed {
        (
            TopicPartition("social.events", partition),
            Record(
                offset: Offset(offset), timestamp: after(seconds), key: "ann",
                value: SocialEvent.bytes(.tweetPosted(Social.posted("ann", "t\(seconds)-\(offset)", text))))
        )
    }
    private func ask(_ fold: Fold, _ window: String? = nil, at seconds: Int64, limit: Int = 100) throws -> [Row] {
        var values: [String: Value] = ["at": Value(after(seconds))]
        if let window, let minutes = Int64(window) { values["window"] = .integer(minutes * 60_000) }
        return try fold.ask(.social, "social.trends", values, limit: limit).rows.map { Array($0.prefix(5)) }
    }

    private func recount(
        _ changes: (hashtag: String, seconds: Int64, tweets: Int32, retweets: Int32)..., in partition: Partition,
        offset: Int64 = 0
    ) -> Placed {
        let event = SocialHashtagsRecounted.with {
            $0.author = "ann"
            $0.changes = changes.map { change in
                .with {
                    ($0.hashtag, $0.minute) = (change.hashtag, TrendWindow.minute(after(change.seconds)))
                    ($0.tweets, $0.retweets) = (change.tweets, change.retweets)
                }
            }
        }
        return (
            TopicPartition("social.retweets", partition),
            Record(
                offset: Offset(offset), timestamp: after(3), key: "ann",
                value: SocialRetweetEvent.bytes(.hashtagsRecounted(event)))
        )
    }

    @Test func `a tag counts once a tweet, in any case, with its retweets beside`() throws {
        let fold = try Fold.everyWay(
            trends, [tweet("#a #A #b", at: 0), tweet("#a", at: 1, in: 1), recount(("a", 2, 0, 1), in: 2)])
        #expect(
            try ask(fold, at: 30) == [["a", .real(3), 2, 1, .real(0)], ["b", .real(1), 1, 0, .real(0)]])
        #expect(try fold.rows(Trends.minutes).count == 4)
    }
    @Test func `what is recounted is taken away, in the window and in its baseline`() throws {
        let before = [tweet("#a #b", at: -3600), tweet("#a", at: 0, offset: 1), tweet("#a", at: 0, in: 1)]
        let recounts = [
            recount(("a", -3600, -1, 0), ("b", -3600, -1, 0), in: 0),
            recount(("a", 0, 0, 1), ("a", 0, -1, 0), in: 1),
        ]
        for records in [before + recounts, recounts + before] {
            let fold = try Fold.everyWay(trends, records)
            #expect(try ask(fold, at: 30) == [["a", .real(2), 1, 1, .real(0)]])
            #expect(try ask(fold, at: -3570).isEmpty)
        }
    }
    @Test func `a window is whole minutes and ends with the asked one`() throws {
        let fold = try Fold.everyWay(trends, (-2...2).map { tweet("#m\($0 + 2)", at: $0 * 60) })
        #expect(try ask(fold, "1", at: 59).map { $0[0] } == ["m2"])
        #expect(try ask(fold, "2", at: 0).map { $0[0] } == ["m1", "m2"])
        #expect(try ask(fold, "60", at: 120).count == 5)
        for bad in [0, 59_999, 60_001, 7 * 86_400_000 + 60_000] as [Int64] {
            #expect(throws: Malformed("window", "must be whole minutes, 1m to 7d")) {
                try fold.ask(.social, "social.trends", ["window": .integer(bad)])
            }
        }
    }
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a window's hours and minutes are all its minutes, each once`(seed: UInt64) {
        var random = SeededRandom(seed)
        for _ in 0..<500 {
            let start = Int64.random(in: -5000...5000, using: &random)
            let window = TrendWindow(minutes: start..<start + Int64.random(in: 1...700, using: &random))
            var minutes: [Int64] = []
            for part in window.parts {
                let unit: Int64 = part.table.name == Trends.hours.name ? 60 : 1
                minutes += (part.through.lowerBound * unit)..<((part.through.upperBound + 1) * unit)
            }
            #expect(minutes.sorted() == Array(window.minutes), "\(window), seed \(seed)")
        }
    }

    @Test(arguments: [2014] as [UInt64])
    func `equal a count by hand, and a planted burst is on top while perennial tags are not`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var tweets: [Placed] = []
        var next: [Partition: Int64] = [:]
        func add(_ text: String, _ second: Int64) {
            let partition = Partition(Int.random(in: 0..<3, using: &random))
            tweets.append(tweet(text, at: second, in: partition, offset: next[partition, default: 0]))
            next[partition, default: 0] += 1
        }
        // Two days: one tag in every other tweet, others now and then; within hour 40 a new one.
        let (length, burst) = (Int64(48 * 3600), Int64(40 * 3600))
        var second: Int64 = 0
        while second < length {
            let rare = "#rare\(Int.random(in: 0..<40, using: &random))"
            add(Bool.random(using: &random) ? "#always \(rare)" : rare, second)
            if (burst..<burst + 1800).contains(second), Int.random(in: 0..<3, using: &random) == 0 {
                add("it is #happening", second)
            }
            second += Int64.random(in: 20...100, using: &random)
        }
        let fold = Fold(projection: trends)
        try fold.take(tweets)

        for (window, at) in [(60, burst - 60), (60, burst + 3599), (60, length - 60), (30, burst + 1800), (7, burst)]
            as [(Int64, Int64)]
        {
            let last = TrendWindow.minute(after(at))
            var (counts, baselines): ([String: Double], [String: Double]) = ([:], [:])
            for (_, record) in tweets {
                guard case .tweetPosted(let e) = try SocialEvent.kind(in: record.value) else { continue }
                let age = last - TrendWindow.minute(record.timestamp)
                for tag in e.hashtags where age >= 0 {
                    if age < window { counts[tag, default: 0] += 1 }
                    if (window..<25 * window).contains(age) { baselines[tag, default: 0] += 1 }
                }
            }
            let expected = counts.mapValues { $0 }.reduce(into: [String: Double]()) { scores, count in
                let mean = (baselines[count.key] ?? 0) / 24
                scores[count.key] = (count.value - mean) / (mean + 1).squareRoot()
            }
            let rows = try ask(fold, String(window), at: at, limit: 1000)
            #expect(rows.count == expected.count, "seed \(seed)")
            for row in rows {
                let tag = row[0].text ?? ""
                #expect(row[2].integer.map(Double.init) == counts[tag], "\(tag), seed \(seed)")
                #expect(abs((row[1].real ?? 0) - (expected[tag] ?? -1)) < 1e-9, "\(tag), seed \(seed)")
            }
            #expect(zip(rows, rows.dropFirst()).allSatisfy { ($0[1].real ?? 0) >= ($1[1].real ?? 0) })
            #expect(try ask(fold, String(window), at: at, limit: 5) == Array(rows.prefix(5)), "seed \(seed)")
        }
        #expect(try ask(fold, "60", at: burst + 1800, limit: 1).map { $0[0] } == ["happening"], "seed \(seed)")
        for at in stride(from: 30 * 3600, to: burst, by: 3600) {
            #expect(try ask(fold, at: at, limit: 1)[0][0] != "always", "at \(at), seed \(seed)")
        }
    }
}
