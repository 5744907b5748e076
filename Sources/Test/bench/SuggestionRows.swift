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
    /// Whom seeded users of GitHub's graph might follow, asked as anybody asks: of the view's store, by the query.
    func suggestionRows() async throws -> [Row] {
        guard FileManager.default.fileExists(atPath: Self.graph) else {
            Bench.progress("suggestions: skipped, the follow graph \(Self.graph) is not on this machine")
            return []
        }
        let (query, projection) = try Self.social("social.suggestions")
        let place = try fresh("suggestions")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        try await log.create([Domain.social].topicsWithOthers)
        let views = try SQLiteViews(directory: place + "/views")
        try await running(deciders(of: .social, log, views)) {
            try await run(["import", "follows", Self.graph, "--skip-header", "--mutual"], on: place)
            try await handled(.social, log)
        }
        _ = try await project(projection, log, views: views)
        var (rates, cores, median, p99): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        for round in -1..<max(rounds, 3) {
            var random = SeededRandom(18, UInt64(round + 1))
            let users = (0..<1000).map { _ in Int.random(in: 0..<Self.users, using: &random) }
            let (times, watch) = (Latencies(), Stopwatch())
            for user in users {
                let arguments = Arguments(["user": .text("\(user)")], now: now(), limit: 10, cursor: nil)
                let began = ContinuousClock.now
                let page = try await views.read(projection) { reader, _ in try query.answer(arguments, reader) }
                times.note(.now - began)
                if page.rows.count != 10 { throw Overdue(description: "\(user) is suggested \(page.rows.count)") }
            }
            // The first round warms up.
            if round < 0 { continue }
            rates.append(Double(users.count) / watch.seconds)
            cores.append(Double(users.count) / watch.ownProcessor)
            median.append(times.percentile(50))
            p99.append(times.percentile(99))
        }
        await views.close()
        await log.close()
        return [
            Row("suggestions on GitHub's graph, of a view's store, a core", .perSecond, cores, .atLeast(500)),
            Row("  one after another", .perSecond, rates),
            Row("  one: median", .milliseconds, median),
            Row("  p99", .milliseconds, p99, .atMost(50)),
        ]
    }
}
