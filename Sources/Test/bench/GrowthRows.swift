internal import EventLog
internal import EventModel
internal import Foundation
internal import HitsDomain
internal import LocalLog
internal import Projecting
internal import SQLiteViews
internal import TestSupport

extension Bench {
    private static let least = 20_000

    private static let growing: [(String, @Sendable (Bench, Int) async throws -> Double)] = [
        ("an event projected, events", { try await $0.projected($1 * least * 5, sites: 20, partitions: 8) }),
        ("an event projected, keys", { try await $0.projected(least * 20, sites: 20 * $1, partitions: 8) }),
        ("an event projected, partitions", { try await $0.projected(least * 20, sites: 20, partitions: 2 * $1) }),
        ("a command decided, commands and keys", { try await $0.decided($1 * least / 4) }),
    ]

    /// What an event costs of a processor, in microseconds, where there is one, ten and a hundred times as much of a thing.
    func growthRows() async throws -> [Row] {
        var rows: [Row] = []
        for (name, cost) in Self.growing {
            var values: [Int: [Double]] = [:]
            for _ in 0..<rounds {
                for times in [1, 10, 100] { values[times, default: []].append(try await cost(self, times)) }
            }
            for times in [10, 100] {
                var row = Row("\(name) x \(times)", .microseconds, values[times] ?? [], .timesAtMost(1.2))
                    .held(against: "x 1", values[1] ?? [])
                row.curve = (name, Double(times))
                rows.append(row)
            }
        }
        return rows
    }

    private func projected(_ count: Int, sites: Int, partitions: Int) async throws -> Double {
        let place = try fresh("growth")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        var topics = Domain.hits.topics
        for i in topics.indices { topics[i].partitions = partitions }
        try await log.create(topics)
        // As many a second, whatever their number: windows are seconds.
        let hits = try Hits(count, sites: sites, aSecond: 10_000)
        try await log.fill("hits.events", count, record: hits.record)
        let views = try SQLiteViews(directory: place + "/views")
        let done = try await project(Domain.hits.projections[0], log, views: views)
        await views.close()
        await log.close()
        return done.processor * 1e6 / Double(count)
    }

    private func decided(_ count: Int) async throws -> Double {
        let place = try fresh("growth")
        defer { remove(place) }
        let watch = Stopwatch()
        try await fillOrders(place, count)
        return watch.ownProcessor * 1e6 / Double(count)
    }
}

extension Curve {
    /// The curves in rows, one for each thing that grew.
    static func all(in rows: [Row]) -> [Curve] {
        var curves: [Curve] = []
        for row in rows {
            guard let (name, times) = row.curve else { continue }
            if curves.last?.name != name { curves.append(Curve(name: name, points: [(1, Row.median(row.others))])) }
            curves[curves.count - 1].points.append((times, row.median))
        }
        return curves
    }
}
