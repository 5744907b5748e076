import DomainTesting
import EventModel
import Testing

@testable import SocialDomain

/// What is said live, imported, or produced as facts is the same, and so is what comes of it.
@Suite("A history of social, told in several ways")
struct SocialHistoryTests {
    /// Rows of both views. Left out are the text that a retweet came with, which is shown only where the original is not
    /// known, and counts of zero.
    private func rows(_ feed: SocialFeed, until time: Timestamp? = nil) throws -> [String: [Row]] {
        var all: [String: [Row]] = [:]
        for projection in [feed.timelines, feed.trends] {
            let fold = Fold(projection: projection)
            let records = projection.topics.flatMap { feed.records($0) }
            try fold.take(records.filter { time == nil || $0.record.timestamp <= time! })
            all.merge(try fold.rows()) { $1 }
        }
        all["social_tweets"] = all["social_tweets"]?.map { row in
            var row = row
            if row[Timelines.Tweet.owner] != nil { row[Timelines.Tweet.text] = "" }
            return row
        }
        for counts in [Trends.minutes, Trends.hours, Trends.uses] {
            let first = counts.key
            all[counts.name]?.removeAll { $0[first] == 0 && $0[first + 1] == 0 }
        }
        return all
    }
    /// What everybody is shown.
    private func answers(_ feed: SocialFeed) throws -> [String: [Row]] {
        try (SocialHistory.names + ["zoe"]).reduce(into: [:]) { answers, user in
            for query in ["social.timeline", "social.user", "social.mentions"] {
                answers["\(query) \(user)"] = try feed.page(query, of: user, limit: 1000).rows.map { Array($0[0...5]) }
            }
        }
    }

    private enum Way { case live, imported, facts }
    /// - Returns: the feed, and the events with their times.
    private func tell(
        _ history: SocialHistory, as way: Way, limit: Int, seed: UInt64, facts: [(Told, Timestamp)] = []
    ) throws -> (SocialFeed, [(Told, Timestamp)]) {
        var (random, feed, events) = (SeededRandom(seed), SocialFeed(limit: limit), [(Told, Timestamp)]())
        func work(_ random: inout SeededRandom, _ feed: inout SocialFeed) throws {
            for _ in 0..<Int.random(in: 0...5, using: &random) { _ = try feed.react(&random, atMost: 20) }
            if Int.random(in: 0..<15, using: &random) == 0 {
                try feed.restart(partition: Int.random(in: 0..<SocialFeed.partitions, using: &random))
            }
            try feed.project(&random)
        }
        if way == .facts {
            for (fact, time) in facts {
                try feed.take(fact, at: time)
                try work(&random, &feed)
            }
        }
        for (n, deed) in history.deeds.enumerated() where way != .facts {
            let command =
                way == .live ? deed.live { Bool.random(using: &random) ? $0 : $0.uppercased() } : try deed.imported()
            do {
                events += try feed.tell(command, id: "c\(n)", at: deed.at).map { ($0, deed.at) }
            } catch is SocialRefusal {}
            try work(&random, &feed)
        }
        try feed.settle(&random)
        #expect(try feed.violations() == [], "\(way), limit \(limit), seed \(seed)")
        return (feed, events)
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>, [2, 100])
    func `gives the same live, imported and as facts`(seed: UInt64, limit: Int) throws {
        let history = SocialHistory(seed: seed, count: 150, anyOrder: false)
        let (live, events) = try tell(history, as: .live, limit: limit, seed: seed)
        let (imported, same) = try tell(history, as: .imported, limit: limit, seed: seed + 1)
        let (produced, _) = try tell(history, as: .facts, limit: limit, seed: seed + 2, facts: events)
        #expect(events.map(\.0).map(Social.key) == same.map(\.0).map(Social.key), "seed \(seed)")
        let (shown, right) = (try answers(live), try rows(live))
        #expect(right["social_tag_minutes"]!.count > 10, "seed \(seed)")
        for (feed, name) in [(imported, "imported"), (produced, "facts")] {
            #expect(try answers(feed) == shown, "\(name), limit \(limit), seed \(seed)")
            for (table, rows) in try rows(feed) {
                // Who was handed what before an author was promoted depends on how far which topic was read.
                if limit < 100, table == "social_entries" || table == "social_merged" { continue }
                #expect(rows == right[table], "\(table) \(name), limit \(limit), seed \(seed)")
            }
        }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>, [2, 100])
    func `gives the same in any order where nothing is done again`(seed: UInt64, limit: Int) throws {
        let history = SocialHistory(seed: seed, count: 150, anyOrder: true)
        let (live, events) = try tell(history, as: .live, limit: limit, seed: seed)
        let (mixed, same) = try tell(history.shuffled(seed: seed), as: .imported, limit: limit, seed: seed + 1)
        #expect(events.count == history.deeds.count && same.count == events.count, "seed \(seed)")
        #expect(try answers(mixed) == answers(live), "limit \(limit), seed \(seed)")
        let right = try rows(live)
        for (table, rows) in try rows(mixed) {
            if limit < 100, table == "social_entries" || table == "social_merged" { continue }
            // What the model sees of an account when it looks depends on what was told by then.
            if table == Trends.flags.name { continue }
            #expect(rows == right[table], "\(table), limit \(limit), seed \(seed)")
        }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `counts at any moment what was there by then, told in any order`(seed: UInt64) throws {
        let history = SocialHistory(seed: seed, count: 120, anyOrder: true)
        let (live, _) = try tell(history, as: .live, limit: 100, seed: seed)
        let (mixed, _) = try tell(history.shuffled(seed: seed), as: .imported, limit: 100, seed: seed + 1)
        for deed in history.deeds.indices.filter({ $0 % 15 == 7 }).map({ history.deeds[$0] }) {
            let (then, _) = try tell(history.until(deed.at), as: .live, limit: 100, seed: seed + 2)
            let right = try rows(then)
            for feed in [live, mixed] {
                let rows = try rows(feed, until: deed.at)
                for table in [Trends.minutes.name, Trends.hours.name, Trends.uses.name, Timelines.tweets.name] {
                    #expect(rows[table] == right[table], "\(table) at \(deed.at.rfc3339), seed \(seed)")
                }
            }
        }
    }
}
