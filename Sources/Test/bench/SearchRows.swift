internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import LocalLog
internal import MillraceTestKit
internal import Projecting
internal import SQLiteViews
internal import SocialDomain
internal import TestSupport

extension Bench {
    /// 85,981 tweets about shares.
    private static let tweets = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        .deletingLastPathComponent().appendingPathComponent("shared/data/tweets").path
    private static let files = ["stocknet_tweets_2014.ndjson.gz", "stocknet_tweets_2015.ndjson.gz"]

    func searchRows() async throws -> [Row] {
        var rows: [Row] = []
        if Self.files.allSatisfy({ FileManager.default.fileExists(atPath: "\(Self.tweets)/\($0)") }) {
            rows += try await searchesOfAll()
        } else {
            Bench.progress("search: skipped, the tweets \(Self.tweets) are not on this machine")
        }
        return try await rows + findable() + fakes() + deepPages()
    }

    static func social(_ name: String) throws -> (query: Query, projection: AnyProjection) {
        guard let query = Domain.social.queries.first(where: { $0.name == name }),
            let projection = Domain.social.projections.first(where: { $0.name == query.projection })
        else { throw Overdue(description: "social has no \(name)") }
        return (query, projection)
    }

    // MARK: Searches

    /// Every search of a set finds what reading every tweet finds, and how long a page takes.
    private func searchesOfAll() async throws -> [Row] {
        let (query, projection) = try Self.social("social.search")
        let place = try fresh("search")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        try await log.create([Domain.social].topicsWithOthers)
        let views = try SQLiteViews(directory: place + "/views")
        try await running(deciders(of: .social, log, views)) {
            for file in Self.files { try await run(["import", "tweets", "\(Self.tweets)/\(file)"], on: place) }
            try await handled(.social, log)
        }
        var scan = SearchScan()
        for (source, range) in try await log.bounds(of: log.partitions(of: ["social.events"])) {
            try await log.scan(source, from: range.lowerBound, to: range.upperBound) { batch in
                for record in batch.records { try scan.read(record) }
            }
        }
        let built = try await project(projection, log, views: views)
        var (median, p99): ([Double], [Double]) = ([], [])
        for round in 0..<rounds {
            let times = Latencies()
            for text in Self.searches(scan) {
                let expected = try scan.found(text)
                var (found, cursor): ([String], Row.Values?) = ([], nil)
                repeat {
                    let arguments = Arguments(["q": .text(text)], now: now(), limit: 20, cursor: cursor)
                    let began = ContinuousClock.now
                    let page = try await views.read(projection) { reader, _ in try query.answer(arguments, reader) }
                    times.note(.now - began)
                    found += page.rows.map { "\($0[1].text ?? "")/\($0[2].text ?? "")" }
                    cursor = page.next
                } while cursor != nil && found.count < 200
                if cursor == nil ? found != expected : !expected.starts(with: found) {
                    throw Overdue(description: "\(text) finds \(found.count), a scan of all \(expected.count)")
                }
            }
            if round == 0 { Bench.progress("search: \(scan.count) tweets, \(times.count) pages equal a scan of all") }
            median.append(times.percentile(50))
            p99.append(times.percentile(99))
        }
        await views.close()
        await log.close()
        return [
            Row("search: tweets indexed", .perSecond, [Double(scan.count) / built.seconds]),
            Row("  a page of a search over all of them: median", .milliseconds, median),
            Row("  p99", .milliseconds, p99, .atMost(20)),
        ]
    }

    /// Words as often as they are, two words, a phrase, a hashtag, an author, a day, and something left out.
    private static func searches(_ scan: SearchScan) -> [String] {
        var random = SeededRandom(85_981)
        let words = (0..<60).map { _ in scan.word(&random) }
        return words + zip(words, words.dropFirst(20)).map { "\($0) \($1)" }
            + zip(words, words.dropFirst(30)).map { "\"\($0) \($1)\"" } + words.prefix(20).map { "\($0) -the" }
            + words.prefix(20).map { "#\($0)" } + (0..<20).map { _ in "from:\(scan.author(&random))" }
            + words.prefix(20).map { "\($0) since:2014-06-01 until:2015-06-01" }
            + [
                "the", "to the", "\"of the\"", "a -the", "$AAPL stock", "\"all time high\"",
                "earnings since:2015-01-01",
            ]
    }

    // MARK: A tweet that was just posted

    /// Tweets at 1,000 a second, and when the index has each.
    private func findable() async throws -> [Row] {
        let (query, projection) = try Self.social("social.search")
        let place = try fresh("findable")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        let views = try SQLiteViews(directory: place + "/views")
        try await log.create([Domain.social].topicsWithOthers)
        let projector = Projector(projection, log: log, views: views, logger: logger)
        var (median, p99): ([Double], [Double]) = ([], [])
        try await running(deciders(of: .social, log, views) + [projector]) {
            try await CommandClient.with(log, domains: [.social], clock: { now() }) { client in
                for round in -1..<rounds {
                    let (shown, over) = (Shown(), Phase())
                    let count = round < 0 ? 1000 : 8000
                    async let watching: Void = shown.watch(projection, views, every: .milliseconds(2)) { over.isOver }
                    try await paced(count, aSecond: Self.commandsASecond) { i, due in
                        let json =
                            #"{"user":"u\#(i % 500)","tweet":"t\#(round)-\#(i)","text":"tweet \#(i) of round\#(round) word\#(i)"}"#
                        let outcome = try await client.send(
                            [try Domain.social.command("PostTweet", json)], to: .social, within: .seconds(30))[0]
                        if let event = outcome.events.last { await shown.expect(event.place, event.offset, due) }
                    }
                    over.end()
                    try await watching
                    let arguments = Arguments(
                        ["q": .text("round\(round) word\(count - 1)")], now: now(), limit: 20, cursor: nil)
                    let found = try await views.read(projection) { reader, _ in try query.answer(arguments, reader) }
                    if found.rows.count != 1 { throw Overdue(description: "the last tweet is not found") }
                    if round < 0 { continue }
                    median.append(shown.latencies.percentile(50))
                    p99.append(shown.latencies.percentile(99))
                }
            }
        }
        await views.close()
        await log.close()
        return [
            Row("search: a tweet is found, of 1,000/s posted: median", .milliseconds, median),
            Row("  p99", .milliseconds, p99, .atMost(1000)),
        ]
    }

    // MARK: Views of what is written straight

    private typealias Written = [(topic: String, kind: String, key: String, json: String, at: Timestamp)]

    /// Folds events into a view without a log, each topic in one partition.
    private func fold(_ written: Written, into views: SQLiteViews, _ projection: AnyProjection) async throws {
        var records: [TopicPartition: [Record]] = [:]
        for one in written {
            guard let schema = Domain.social.schema(of: one.topic), let kind = schema.kind(named: one.kind) else {
                throw Overdue(description: "social has no \(one.kind)")
            }
            let source = TopicPartition(one.topic, 0)
            let offset = Offset(Int64(records[source]?.count ?? 0))
            records[source, default: []].append(
                Record(
                    offset: offset, timestamp: one.at, key: Bytes(one.key),
                    value: try schema.encode(kind, json: Bytes(one.json))))
        }
        let claims = try await views.claim(projection, Array(records.keys), owner: "bench")
        for (source, all) in records.sorted(by: { $0.key < $1.key }) {
            for start in stride(from: 0, to: all.count, by: 5000) {
                let part = Array(all[start..<min(start + 5000, all.count)])
                guard let epoch = claims[source]?.epoch, let last = part.last else { continue }
                try await views.commit(projection, to: [source: last.offset + 1], under: [source: epoch]) { view in
                    try projection.fold([(source, part)], into: view)
                }
            }
        }
    }

    /// What trends cost where 1,000 accounts count as fake, each with 40 uses.
    private func fakes() async throws -> [Row] {
        let (query, projection) = try Self.social("social.trends")
        let place = try fresh("fakes")
        defer { remove(place) }
        let end = Timestamp(1_400_000_000_000)
        var written: Written = []
        for i in 0..<100_000 {
            let user = i % 5 < 2 ? "fake\(i % 2500)" : "u\(i % 7001)"
            let at = Timestamp(end.rawValue - Int64(i) * 900)
            let json =
                ##"{"user":"\##(user)","tweet":"t\##(i)","text":"#tag\##(i % 997)","hashtags":["tag\##(i % 997)"]}"##
            written.append(("social.events", "TweetPosted", user, json, at))
        }
        func judged(_ i: Int) -> String { "fake\(i / 2 * 5 + i % 2)" }
        for i in 0..<1000 {
            let json = #"{"account":"\#(judged(i))","reviewer":"eve"}"#
            written.append(("social.events", "FakeConfirmed", judged(i), json, end))
        }
        func times(_ folder: String, _ written: Written) async throws -> Latencies {
            let views = try SQLiteViews(directory: "\(place)/\(folder)")
            try await fold(written, into: views, projection)
            let times = Latencies()
            for i in 0..<60 {
                let arguments = Arguments(["at": Value(end)], now: end, limit: 20, cursor: nil)
                let began = ContinuousClock.now
                let page = try await views.read(projection) { reader, _ in try query.answer(arguments, reader) }
                if i >= 10 { times.note(.now - began) }
                if page.rows.count != 20 { throw Overdue(description: "\(page.rows.count) trends") }
            }
            await views.close()
            return times
        }
        let (with, without) = (
            try await times("with", written), try await times("without", Array(written.prefix(100_000)))
        )
        return [
            Row("trends: a query of an hour with 1,000 fakes: median", .milliseconds, [with.percentile(50)])
                .held(against: "the same with none", [without.percentile(50)]),
            Row("  p99", .milliseconds, [with.percentile(99)]).held(
                against: "the same with none", [without.percentile(99)]),
        ]
    }

    /// Page 1,000 of a home timeline beside its first.
    private func deepPages() async throws -> [Row] {
        let (query, projection) = try Self.social("social.timeline")
        let place = try fresh("pages")
        defer { remove(place) }
        let start = Timestamp(1_400_000_000_000)
        var written: Written = []
        for i in 0..<20_400 {
            let (author, at) = ("a\(i % 50)", Timestamp(start.rawValue + Int64(i) * 1000))
            let moment =
                "\(ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(at.rawValue) / 1000)))"
            written.append(
                (
                    "social.events", "TweetPosted", author,
                    #"{"user":"\#(author)","tweet":"t\#(i)","text":"tweet \#(i)"}"#, at
                ))
            written.append(
                (
                    "social.home", "TimelineEntriesAdded", "",
                    #"{"author":"\#(author)","entries":[{"tweet":"t\#(i)","postedAt":"\#(moment)"}],"readers":["ann"]}"#,
                    at
                ))
        }
        let views = try SQLiteViews(directory: place)
        try await fold(written, into: views, projection)
        func page(_ cursor: Row.Values?) async throws -> Page {
            let arguments = Arguments(["user": "ann"], now: start, limit: 20, cursor: cursor)
            return try await views.read(projection) { reader, _ in try query.answer(arguments, reader) }
        }
        var cursor: Row.Values?
        for number in 1..<1000 {
            cursor = try await page(cursor).next
            if cursor == nil { throw Overdue(description: "the timeline ends at page \(number)") }
        }
        var (first, deep): ([Double], [Double]) = ([], [])
        for _ in 0..<max(rounds, 3) {
            let (firsts, deeps) = (Latencies(), Latencies())
            for _ in 0..<300 {
                for (times, cursor) in [(firsts, nil), (deeps, cursor)] {
                    let began = ContinuousClock.now
                    let rows = try await page(cursor).rows.count
                    times.note(.now - began)
                    if rows != 20 { throw Overdue(description: "a page of \(rows)") }
                }
            }
            first.append(firsts.percentile(50))
            deep.append(deeps.percentile(50))
        }
        await views.close()
        return [
            Row("timelines: page 1,000 of a home timeline, median", .milliseconds, deep, .timesAtMost(1.2))
                .held(against: "page 1", first)
        ]
    }
}

extension Row {
    /// Values of a table's row, which has the name of a line here.
    typealias Values = [Value]
}
