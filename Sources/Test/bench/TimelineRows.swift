internal import EventLog
internal import EventModel
internal import Foundation
internal import LocalLog
internal import MillraceTestKit
internal import Projecting
internal import SQLiteViews
internal import SocialDomain
internal import TestSupport

extension Bench {
    /// Who follows whom on GitHub: 289,003 pairs that follow each other, 37,700 users.
    static let graph = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        .deletingLastPathComponent()
        .appendingPathComponent("shared/data/follow_graph/musae_github_mutual_follow.csv.gz").path
    static let users = 37_700
    private static let tweetsEach = 4

    func timelineRows() async throws -> [Row] {
        guard FileManager.default.fileExists(atPath: Self.graph) else {
            Bench.progress("timelines: skipped, the follow graph \(Self.graph) is not on this machine")
            return []
        }
        guard let projection = Domain.social.projections.first(where: { $0.name == "social.timelines" }),
            let query = Domain.social.queries.first(where: { $0.name == "social.timeline" })
        else { throw Overdue(description: "social has no timelines") }
        let place = try fresh("timelines")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        try await log.create([Domain.social].topicsWithOthers)
        try await tweet(log, place)
        let deliveries = try await Self.deliveries(log)
        var (rates, cores, answers99, lists, sets): ([Double], [Double], [Double], [Double], [Double]) = (
            [], [], [], [], []
        )
        let redis = Redis(folder: folder)
        if redis == nil { Bench.progress("timelines: no redis-server is on this machine (Debian: redis-server)") }
        for round in 0..<rounds {
            let views = try SQLiteViews(directory: "\(place)/views-\(round)")
            let (over, answered) = (Phase(), Latencies())
            async let reading: Void = {
                for part in 0... {
                    if over.isOver { return }
                    try await paced(100, aSecond: 500) { turn, due in
                        var random = SeededRandom(UInt64(round), UInt64(part * 100 + turn))
                        let arguments = Arguments(
                            ["user": .text("\(Int.random(in: 0..<Self.users, using: &random))")], now: now(), limit: 20,
                            cursor: nil)
                        _ = try await views.read(projection) { reader, _ in try query.answer(arguments, reader) }
                        answered.note(.now - due)
                    }
                }
            }()
            let done = try await project(projection, log, views: views)
            over.end()
            try await reading
            rates.append(Double(deliveries) / done.seconds)
            cores.append(Double(deliveries) / done.processor)
            answers99.append(answered.percentile(99))
            if let redis {
                lists.append(try await redis.rate("LPUSH", "tl:__rand_int__", "1400000000000__rand_int__"))
                sets.append(try await redis.rate("ZADD", "ts:__rand_int__", "__rand_int__", "t__rand_int__"))
            }
            await views.close()
        }
        await redis?.close()
        await log.close()
        return [
            Row("timelines: deliveries committed, while 500/s are read", .perSecond, rates, .atLeast(400_000))
                .held(against: "Redis, sorted sets, 100 a pipeline", sets),
            Row("  deliveries a core, readers' cost included", .perSecond, cores)
                .held(against: "Redis, lists, 100 a pipeline", lists),
            Row("  a timeline of 20 read meanwhile: p99", .milliseconds, answers99, .atMost(5)),
        ]
    }

    /// Has everyone follow whom they follow and tweet, and all of that handed out, by the workers there are.
    private func tweet(_ log: any EventLog, _ place: String) async throws {
        let views = try SQLiteViews(directory: place + "/views")
        try await running(deciders(of: .social, log, views)) {
            try await run(["import", "follows", Self.graph, "--skip-header", "--mutual"], on: place)
            try await handled(.social, log)
            try await log.fill(Domain.social.commandsTopic, Self.users * Self.tweetsEach) { i in
                let (user, turn) = (i % Self.users, i / Self.users)
                let json =
                    #"{"user":"\#(user)","tweet":"t\#(turn)-\#(user)","text":"a tweet of \#(user), the \#(turn)th of these"}"#
                return Self.posted(json, "tweet-\(i)")
            }
            try await handled(.social, log)
        }
        await views.close()
    }

    private static func posted(_ json: String, _ id: String) -> NewRecord {
        guard let command = try? Domain.social.command("PostTweet", json, id: id) else {
            preconditionFailure("\(json) is no tweet")
        }
        return command.record(now: now())
    }

    /// Readers that entries are handed to.
    private static func deliveries(_ log: any EventLog) async throws -> Int {
        guard let home = Domain.social.schema(of: "social.home") else { return 0 }
        var count = 0
        for (source, range) in try await log.bounds(of: log.partitions(of: ["social.home"])) {
            try await log.scan(source, from: range.lowerBound, to: range.upperBound) { batch in
                for record in batch.records where home.kindName(in: record.value) == "TimelineEntriesAdded" {
                    let json = try JSONSerialization.jsonObject(with: Data(home.decode(record.value).json.utf8))
                    let event = json as? [String: Any]
                    count += ((event?["readers"] as? [Any])?.count ?? 0) * ((event?["entries"] as? [Any])?.count ?? 0)
                }
            }
        }
        if count == 0 { throw Overdue(description: "no timeline entry was handed out") }
        return count
    }
}
