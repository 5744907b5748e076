internal import EventLog
internal import EventModel
internal import Foundation
internal import LocalLog
internal import MillraceTestKit
internal import Projecting
internal import RidesDomain
internal import SQLiteViews
internal import TestSupport

extension Bench {
    private static let drivers = 100_000

    func rideRows() async throws -> [Row] {
        guard let telemetry = Domain.rides.telemetry.first, let kind = telemetry.events.kind(named: "DriverLocation"),
            let query = Domain.rides.queries.first(where: { $0.name == "rides.nearby" }),
            let projection = Domain.rides.projections.first(where: { $0.name == query.projection })
        else { throw Overdue(description: "rides has no drivers") }
        let place = try fresh("rides")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        try await log.create(Domain.rides.topics)
        let views = try SQLiteViews(directory: place + "/views")
        // All over a city of 30 by 40 km.
        var random = SeededRandom(1)
        let places = try (0..<Self.drivers).map { i in
            let lat = 40.55 + Double.random(in: 0..<0.27, using: &random)
            let lng = -74.1 + Double.random(in: 0..<0.47, using: &random)
            let value = try telemetry.events.encode(
                kind, json: Bytes(#"{"driver":"d\#(i)","lat":\#(lat),"lng":\#(lng)}"#))
            return Sample(key: try telemetry.keyOfEvent(value), value: value)
        }
        let partitions = try await log.partitionCounts()[telemetry.topic] ?? 1
        let projector = Projector(projection, log: log, views: views, logger: logger)
        var (held, lags, answers50, answers99): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        try await running([projector]) {
            try await log.fill(telemetry.topic, Self.drivers) { places[$0].record(now()) }
            try await shows(
                projection, views, log.bounds(of: log.partitions(of: projection.topics)).mapValues(\.upperBound))
            for _ in 0..<rounds {
                let (shown, over, answered) = (Shown(), Phase(), Latencies())
                async let watching: Void = shown.watch(projection, views, every: .milliseconds(5)) { over.isOver }
                async let asking: Void = paced(8 * 200, aSecond: 200) { turn, due in
                    var random = SeededRandom(2, UInt64(turn))
                    let lat = 40.6 + Double.random(in: 0..<0.17, using: &random)
                    let lng = -74.0 + Double.random(in: 0..<0.27, using: &random)
                    let arguments = Arguments(
                        ["lat": .real(lat), "lng": .real(lng)], now: now(), limit: 10, cursor: nil)
                    let page = try await views.read(projection) { reader, _ in try query.answer(arguments, reader) }
                    if page.rows.count != 10 {
                        throw Overdue(description: "rides.nearby found \(page.rows.count) of 10")
                    }
                    answered.note(.now - due)
                }
                let watch = Stopwatch()
                // 25 times a second a thousand drivers say where they are.
                try await paced(8 * 25, aSecond: 25) { turn, due in
                    let first = turn * 1000 % Self.drivers
                    let records = places[first..<(first + 1000)].map { $0.record(now()) }
                    let ordered = Append.byKey(records, to: telemetry.topic, among: partitions)
                    for (append, offsets) in zip(ordered, try await log.append(ordered)) {
                        if let last = offsets.last { await shown.expect(append.target, last, due) }
                    }
                }
                let rate = Double(8 * 25 * 1000) / watch.seconds
                over.end()
                try await watching
                try await asking
                held.append(rate)
                lags.append(shown.latencies.percentile(99) / 1000)
                answers50.append(answered.percentile(50))
                answers99.append(answered.percentile(99))
            }
        }
        await views.close()
        await log.close()
        return [
            Row("rides: locations taken of 100,000 drivers", .perSecond, held, .atLeast(24_500)),
            Row("  behind in the index: p99", .seconds, lags, .atMost(1)),
            Row("  the ten nearest drivers, 200/s: p50", .milliseconds, answers50),
            Row("  p99", .milliseconds, answers99, .atMost(2)),
        ]
    }
}
