import Domains
import EventModel
import Foundation
import Geography
import Projecting
import SQLiteViews
import TestSupport
import Testing

@Suite("Tracks of taxis and people", .serialized, .timeLimit(.minutes(10)), .enabled(if: Tracks.areHere, Tracks.absent))
struct TracksTests {
    private func view(_ folder: String) -> String { folder + "/rides.drivers@1.sqlite" }

    private func imported(_ ended: Ended, at place: SourceLocation = #_sourceLocation) throws -> [Int] {
        try #require(ended.exit == 0 && ended.err.isEmpty, "\(ended)", sourceLocation: place)
        let summary = try JSON(ended.out)
        return ["imported", "alreadyImported", "bad"].map { summary[$0].int }
    }

    @Test func `the nearest are those that measuring to each finds, at any moment`() async throws {
        try await onBus { bus in
            _ = try await bus.work("projector")
            let (taxis, people) = (try await Tracks.taxis(bus), try await Tracks.people(bus))
            #expect(try imported(try await bus.run("import", "gps", taxis, "--prefix", "sf-")) == [55_357, 0, 0])
            let half = try await bus.sh("head -n 10000 \(people) > half.csv; wc -l < \(people)")
            let lines = try #require(Int(half.out.trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(try imported(try await bus.run("import", "gps", "\(bus.folder)/half.csv")) == [9999, 0, 0])
            #expect(try imported(try await bus.run("import", "gps", people)) == [lines - 10_000, 10_000, 0])
            #expect(try imported(try await bus.run("import", "gps", people)) == [0, lines, 0])
            try await bus.settle()
            #expect(try await bus.count("rides.locations") == 55_357 + lines - 1)

            let town = [(37.77, -122.42), (37.62, -122.38)]
            let moments = ["2008-05-20T12:00:00Z", "2008-06-09T18:30:00Z"]
            var found = 0
            for (i, moment) in moments.enumerated() {
                let end = try Date(moment, strategy: .iso8601)
                let folder = "\(bus.folder)/view\(i)"
                let replay = try await bus.run(
                    "replay", "rides.locations", "--to", "@" + moment, "--into", "rides.drivers", "--views",
                    "sqlite:" + folder)
                #expect(replay.exit == 0, "\(replay)")
                let last = String(Int(end.timeIntervalSince1970) - 1)
                let drivers = try await Tracks.last(taxis, lat: 3, lng: 4, time: 2, driver: 1, by: last, bus)
                let views = try SQLiteViews(directory: folder)
                for (stale, within) in [(60_000, 50_000), (1_800_000, 9000), (86_400_000, 20_000_000)]
                    as [(Int64, Double)]
                {
                    found += try await compare(
                        views, drivers, prefix: "sf-", at: end, points: 135, around: town, stale: stale, within: within,
                        seed: UInt64(i))
                }
                await views.close()
            }
            #expect(found > 1000)

            // All of it, by the command.
            let end = try Date("2009-03-19T05:46:37Z", strategy: .iso8601)
            let drivers = try await Tracks.last(people, lat: 1, lng: 2, time: 3, driver: 4, by: "9999", bus)
            let page = try await bus.query(
                "rides.nearby", "--lat", "39.9", "--lng", "116.3", "--at", "2009-03-19T05:46:37Z", "--stale", "365d")
            let measured = drivers.filter { $0.value.at <= end }
                .map { (Tracks.metres((39.9, 116.3), ($1.lat, $1.lng)), $0) }.sorted { $0.0 < $1.0 }
            #expect(page["rows"].array.map { $0["driver"].string } == measured.map(\.1) && measured.count == 2)
        }
    }

    @Test func `a projector killed during an import leaves the rows of an undisturbed fold`() async throws {
        try await onBus { bus in
            let table = try await Tracks.pickups(bus)
            let importing = try bus.start("import", "gps", table)
            let view = view("\(bus.log)/views")
            try await bus.killProjectors(duringImportOf: 49_999, into: view)
            #expect(try imported(try await importing.end()) == [49_999, 0, 0])
            _ = try await bus.work("projector")
            try await bus.settle()
            let fresh = bus.folder + "/fresh"
            let replay = try await bus.run(
                "replay", "rides.locations", "--into", "rides.drivers", "--views", "sqlite:" + fresh)
            #expect(replay.exit == 0)
            let (rows, expected) = (try Tables(view), try Tables(self.view(fresh)))
            #expect(rows == expected && rows.folded == 49_999 && rows.rows["rides_drivers"]?.count == 5000)

            let drivers = try await Tracks.last(table, lat: 2, lng: 3, time: 1, driver: 4, by: "9999", bus)
            let views = try SQLiteViews(directory: "\(bus.log)/views")
            let end = try Date("2014-04-30T23:59:00Z", strategy: .iso8601)
            for (stale, within) in [(30 * 86_400_000, 50_000), (86_400_000, 2000)] as [(Int64, Double)] {
                let found = try await compare(
                    views, drivers, prefix: "", at: end, points: 100, around: [(40.75, -73.98), (40.64, -73.79)],
                    stale: stale, within: within, seed: 2014)
                #expect(found > 100)
            }
            await views.close()
        }
    }

    /// Asks the view in this process at many points, and measures to each driver with other arithmetic.
    private func compare(
        _ views: SQLiteViews, _ drivers: [String: Tracks.Spot], prefix: String, at end: Date, points: Int,
        around: [(Double, Double)],
        stale: Int64, within: Double, seed: UInt64, at place: SourceLocation = #_sourceLocation
    ) async throws -> Int {
        let domain = try #require(Domains.all.first { $0.name == "rides" })
        let query = try #require(domain.queries.first { $0.name == "rides.nearby" })
        let fresh = drivers.filter { $0.value.at <= end && end.timeIntervalSince($0.value.at) <= Double(stale) / 1000 }
        let moment = Timestamp(Int64(end.timeIntervalSince1970) * 1000)
        return try await views.read(domain.projections[0]) { reader, _ in
            var state = seed
            func random(_ range: Double) -> Double {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return (Double(state >> 11) / Double(1 << 53) - 0.5) * range
            }
            var total = 0
            for i in 0..<points {
                let centre = around[i % around.count]
                let point = (centre.0 + random(0.3), centre.1 + random(0.3))
                let page = try query.answer(
                    Arguments(
                        [
                            "lat": .real(point.0), "lng": .real(point.1), "at": Value(moment), "stale": .integer(stale),
                            "within": .real(within),
                        ], now: 0, limit: 10, cursor: nil), reader)
                let measured = fresh.map { (Tracks.metres(point, ($1.lat, $1.lng)), $0) }
                    .filter { $0.0 <= within }.sorted { $0.0 < $1.0 }.prefix(10)
                let agrees =
                    page.rows.count == measured.count
                    && zip(page.rows, measured).allSatisfy { row, other in
                        guard let spot = fresh[String((row[0].text ?? "").dropFirst(prefix.count))],
                            let shown = row[1].real
                        else { return false }
                        return abs(shown - other.0) < 0.002
                            && abs(Tracks.metres(point, (spot.lat, spot.lng)) - other.0) < 0.002
                    }
                #expect(agrees, "\(point) at \(end), seed \(seed)", sourceLocation: place)
                total += page.rows.count
            }
            return total
        }
    }
}
