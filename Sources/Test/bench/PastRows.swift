internal import EventLog
internal import EventModel
internal import Foundation
internal import HitsDomain
internal import LocalLog
internal import SQLiteViews
internal import TestSupport

/// What is asked of a long topic by time.
extension Bench {
    func pastRows() async throws -> [Row] {
        let (place, alone) = (try fresh("past"), try fresh("range"))
        defer { for place in [place, alone] { remove(place) } }
        let hits = try Hits(events)
        let log = try await filled(place, 0..<events, hits)
        // A tenth, in the middle.
        let part = events * 9 / 20..<events * 11 / 20
        let (from, to) = (time(hits, part.lowerBound), time(hits, part.upperBound) - .milliseconds(1))
        let inside = (0..<events).filter { (from...to).contains(time(hits, $0)) }
        let range = try await filled(alone, inside[0]..<inside[0] + inside.count, hits)
        await range.close()
        let window = Domain.hits.projections[0]
        let views = try SQLiteViews(directory: place + "/views")
        _ = try await project(window, log, views: views)
        await views.close()
        await log.close()
        try await run(["rebuild", window.name], on: place)

        var (ranges, alones, pasts, nows): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        for _ in 0..<rounds {
            let count = ["--count", "--type", "Hit"]
            ranges.append(
                try await seconds(
                    ["replay", "hits.events", "--from", "@\(from.rfc3339)", "--to", "@\(to.rfc3339)"] + count,
                    on: place,
                    says: "\(inside.count)\n"))
            alones.append(try await seconds(["replay", "hits.events"] + count, on: alone, says: "\(inside.count)\n"))
            pasts.append(
                try await seconds(
                    ["query", "hits.window", "--site", "site-1", "--as-of", "@\(from.rfc3339)", "--at", from.rfc3339],
                    on: place))
            nows.append(
                try await seconds(["query", "hits.window", "--site", "site-1", "--at", from.rfc3339], on: place))
        }
        return [
            Row("replay a tenth of \(events) events by its time", .seconds, ranges, .timesAtMost(1.5))
                .held(against: "a topic that holds no more", alones),
            Row("a view as of a moment of \(events) events", .seconds, pasts).held(against: "as it is now", nows),
        ]
    }

    private func time(_ hits: Hits, _ i: Int) -> Timestamp { hits.record(i).timestamp }

    private func filled(_ place: String, _ part: Range<Int>, _ hits: Hits) async throws -> LocalLog {
        let log = try await LocalLog.open(directory: place)
        try await log.create(Domain.hits.topics)
        try await log.fill("hits.events", part.count) { hits.record(part.lowerBound + $0) }
        return log
    }

    /// How long the program takes, from its start to its end.
    private func seconds(_ arguments: [String], on place: String, says: String? = nil) async throws -> Double {
        let watch = Stopwatch()
        let ended = try await run(arguments, on: place)
        if let says, ended.out != says { throw Overdue(description: "\(arguments) gave \(ended), not \(says)") }
        return watch.seconds
    }
}
