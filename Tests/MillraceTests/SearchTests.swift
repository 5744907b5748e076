import EventModel
import Foundation
import Projecting
import SQLiteViews
import TestSupport
import Testing

@testable import SocialDomain

@Suite("A search among real tweets", .serialized, .timeLimit(.minutes(15)))
struct SearchTests {
    private static let data = URL(fileURLWithPath: Bus.package).deletingLastPathComponent()
        .appendingPathComponent("shared/data/tweets").path
    private static let areHere = FileManager.default.fileExists(atPath: data)
    private static let absent: Comment = "the tweets, ../shared/data/tweets, are not on this machine"

    /// How many tweets are indexed: all 85,981 take a debug build too long.
    private static let lines = Int(ProcessInfo.processInfo.environment["MILLRACE_TEST_TWEETS"] ?? "") ?? 2500
    private static let seed: UInt64 = 85_981

    /// The records that an import and the handler make of a file's lines, in one partition.
    private static func records(_ lines: some Sequence<Substring>) -> [Record] {
        var states: [String: Social.State] = [:]
        var records: [Record] = []
        for line in lines {
            guard let command = try? TweetLine.command(ArraySlice(line.utf8)), let time = command.time,
                let kind = try? SocialCommand.kind(in: command.value)
            else { continue }
            let key = Social.key(of: kind)
            let state = states[key] ?? Social.initial
            for event in (try? Social.decide(kind, id: "c", on: state, at: time)) ?? [] {
                Social.evolve(&states[key, default: state], with: event, at: time)
                records.append(
                    Record(
                        offset: Offset(Int64(records.count)), timestamp: time, key: Bytes(key),
                        value: SocialEvent.bytes(event)))
            }
        }
        return records
    }

    @Test(.enabled(if: areHere, absent))
    func `equals a scan of all of them, newest first and by rank`() async throws {
        try await onBus { bus in
            let script =
                "gzip -dc \(Self.data)/stocknet_tweets_201[45].ndjson.gz | head -n \(Self.lines) > tweets.ndjson"
            #expect(try await bus.sh(script).exit == 0)
            let text = try String(contentsOfFile: "\(bus.folder)/tweets.ndjson", encoding: .utf8)
            let records = Self.records(text.split(separator: "\n"))
            #expect(records.count > Self.lines * 95 / 100)

            let domain = Domain.social(fanOutLimit: 5000)
            let projection = try #require(domain.projections.first { $0.name == "social.search" })
            let views = try SQLiteViews(directory: bus.folder + "/views")
            let source = TopicPartition("social.events", 0)
            let epoch = try #require(await views.claim(projection, [source], owner: "test")[source]).epoch
            for start in stride(from: 0, to: records.count, by: 2000) {
                let part = Array(records[start..<min(start + 2000, records.count)])
                try await views.commit(
                    projection, to: [source: part[part.count - 1].offset + 1], under: [source: epoch]
                ) { view in try projection.fold([(source, part)], into: view) }
            }
            var model = ScannedTweets()
            for record in records {
                if let event = try SocialEvent.kind(in: record.value) { model.tell(event, at: record.timestamp) }
            }
            let query = try #require(domain.queries.first { $0.name == "social.search" })
            var (times, found, beyond): ([Duration], Int, Int) = ([], 0, 0)
            for text in try Self.queries(records) {
                let parsed = try SearchQuery(text)
                let expected = model.found(parsed)
                let newest = try await Self.all(query, text, "newest", views, projection, &times)
                #expect(newest == expected.map { "\($0.owner)/\($0.tweet)" }, "\(text)")
                found += expected.count
                beyond += !expected.isEmpty && model.ranked(parsed).count < expected.count ? 1 : 0
                let ranked = try await Self.all(query, text, "ranked", views, projection, &times)
                let right = model.ranked(parsed).map { "\($0.name.owner)/\($0.name.tweet)" }
                #expect(ranked == right, "\(text)")
            }
            times.sort()
            print(
                "\(records.count) tweets, \(times.count) pages, \(found) found, seed \(Self.seed): "
                    + "\(beyond) searches have matches beyond what is ranked, median \(times[times.count / 2]), "
                    + "p99 \(times[times.count * 99 / 100]), most \(times[times.count - 1])")
            #expect(found > 300)
            try await Self.printRows(of: records.count, views, projection)
            await views.close()
        }
    }

    /// How many rows there are of each table, a tweet.
    private static func printRows(of tweets: Int, _ views: SQLiteViews, _ projection: AnyProjection) async throws {
        for table in projection.tables {
            let rows = try await views.read(projection) { reader, _ in
                var rows = 0
                try reader.everyRow(Scan(table)) { _ in rows += 1 }
                return rows
            }
            print("\(table.name): \(rows) rows, \(Double(rows) / Double(tweets)) a tweet")
        }
    }

    /// All pages of a search, up to a number of rows; the time of each.
    private static func all(
        _ query: Query, _ text: String, _ order: String, _ views: SQLiteViews, _ projection: AnyProjection,
        _ times: inout [Duration]
    ) async throws -> [String] {
        var (found, cursor): ([String], Row?) = ([], nil)
        repeat {
            let arguments = Arguments(
                ["q": .text(text), "order": .text(order)], now: Timestamp(0), limit: 20, cursor: cursor)
            let start = ContinuousClock.now
            let page = try await views.read(projection) { reader, _ in try query.answer(arguments, reader) }
            times.append(ContinuousClock.now - start)
            found += page.rows.map { "\($0[1].text ?? "")/\($0[2].text ?? "")" }
            cursor = page.next
        } while cursor != nil
        return found
    }

    /// Questions made of what tweets say: words, runs of words, tags, mentions, authors and days.
    private static func queries(_ records: [Record]) throws -> [String] {
        var (random, queries) = (SeededRandom(seed), [String]())
        let posts = try records.compactMap { record -> SocialTweetPosted? in
            if case .tweetPosted(let e) = try SocialEvent.kind(in: record.value) { e } else { nil }
        }
        for i in 0..<(lines > 10_000 ? 48 : 80) {
            guard let tweet = posts.randomElement(using: &random) else { break }
            let words = SearchText.tokens(of: tweet.text).map(\.term).filter { !"#@".contains($0.prefix(1)) }
            guard words.count > 4 else { continue }
            let at = Int.random(in: 0..<words.count - 3, using: &random)
            let other = words.randomElement(using: &random) ?? "the"
            switch i % 8 {
            case 0: queries.append(words[at])
            case 1: queries.append("\(words[at]) \(other)")
            case 2: queries.append("\"\(words[at]) \(words[at + 1])\"")
            case 3: queries.append("from:\(tweet.user) \(words[at])")
            case 4: queries.append(tweet.hashtags.first.map { "#\($0)" } ?? "$aapl -\(other)")
            case 5:
                queries.append(
                    tweet.mentions.first.map { "@\($0)" } ?? "\(words[at]) -\"\(words[at + 1]) \(words[at + 2])\"")
            case 6: queries.append("\(words[at]) since:2014-02-01 until:2014-06-15")
            default: queries.append("\(words[at]) \(words[at + 1]) -\(other)")
            }
        }
        return queries + ["$aapl", "the", "the to", "ünïcode", "\"stock market\"", "#stocks -$fb", "rt"]
    }
}
