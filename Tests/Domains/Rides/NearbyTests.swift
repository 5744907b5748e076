import DomainTesting
import EventModel
import Geography
import Projecting
import Testing

@testable import RidesDomain

/// Rows in the order of the leaves: an index as a store has it, so that thousands of searches take seconds.
private struct ByLeaf: ViewReader {
    private let rows: [Row]
    private let keys: [Int64]

    init(_ rows: [Row]) {
        self.rows = rows.sorted { precedes([$0[7], $0[0]], [$1[7], $1[0]]) }
        keys = self.rows.compactMap { $0[7].integer }
    }

    private func firstIndex(_ isIn: (Int) -> Bool) -> Int {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if isIn(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    func rows(_ scan: Scan) throws -> [Row] {
        let (from, through) = (try #require(scan.from?.integer), try #require(scan.through?.integer))
        try #require(scan.index?.name == "leaf" && scan.equal.isEmpty && !scan.descending)
        let start = firstIndex { i in
            if let after = scan.after, !precedes(after, [rows[i][7], rows[i][0]]) { return false }
            return keys[i] >= from
        }
        let end = firstIndex { keys[$0] > through }
        return Array(rows[start..<max(start, end)].prefix(scan.limit))
    }
    func sums(_ columns: [Int], over scan: Scan) throws -> [Int64] { [] }
}

@Suite("The nearest drivers")
struct NearbyTests {
    private let positions = Domain.rides.projection("rides.drivers")

    private func place(_ lat: Double, _ lng: Double, _ more: [String: Value] = [:]) -> [String: Value] {
        ["lat": .real(lat), "lng": .real(lng)].merging(more) { $1 }
    }
    private func names(_ page: Page) -> [String] { page.rows.map { $0[0].text ?? "" } }

    /// 6,000 drivers, with what of them an asker at noon may be told.
    private static func fleet(_ seed: UInt64) -> (all: [Fleet.Driver], fresh: ByHand) {
        var random = SeededRandom(seed)
        let drivers = Fleet.drivers(6000, &random)
        return (drivers, ByHand(drivers.filter { $0.at <= noon && $0.at >= noon - .seconds(60) }))
    }

    private func agree(
        _ found: [(name: String, distance: Double)], _ count: Int, _ centre: Spot, _ within: Double, _ fresh: ByHand,
        _ seed: UInt64
    ) -> Bool {
        let expected = fresh.nearest(count, to: centre, within: within)
        // A thousandth of a millimetre, by which two ways to compute may differ; a centimetre around the antipode.
        return found.count == expected.count && Set(found.map(\.name)).count == found.count
            && zip(found, expected).allSatisfy { found, expected in
                let allowed = expected > 19_000_000 ? 0.01 : 1e-6 + expected * 1e-12
                guard let own = fresh.distance(found.name, to: centre) else { return false }
                return abs(found.distance - expected) < allowed && abs(own - expected) < allowed
            }
    }

    @Test(arguments: [2026] as [UInt64])
    func `are those that measuring to each driver finds, at a thousand points`(seed: UInt64) throws {
        let (drivers, fresh) = Self.fleet(seed)
        let fold = Fold(projection: positions)
        try fold.take(Fleet.records(drivers))
        let reader = ByLeaf(try fold.rows(DriverPositions.drivers))
        var random = SeededRandom(seed ^ 0xabcdef)
        var total = 0
        for i in 0..<1000 {
            let centre = i % 20 == 0 ? drivers[i].spot : Fleet.hard(&random)
            let within = [50_000, 50_000, 1000, 2_000_000, Spot.farthest][i % 5]
            let count = [10, 11, 1, 100][i % 4]
            var search = Nearby(centre: centre, at: noon, stale: .seconds(60), within: within)
            if i % 3 == 0 { search.chunk = 7 }
            let found = try search.nearest(count, after: nil, in: reader)
            total += found.count
            #expect(
                agree(found.map { ($0.driver, $0.distance) }, count, centre, within, fresh, seed),
                "\(count) around \(centre) within \(within), seed \(seed)")
        }
        #expect(total > 10_000)
    }
    @Test func `are the same by the query, on a store in memory`() throws {
        let (drivers, fresh) = Self.fleet(3)
        let fold = Fold(projection: positions)
        try fold.take(Fleet.records(drivers))
        for (i, town) in Fleet.towns.enumerated() {
            let within = [50_000.0, 3_000_000][i % 2]
            let page = try fold.ask(
                .rides, "rides.nearby", place(town.lat, town.lng, ["within": .real(within)]), limit: 20)
            let found = page.rows.map { (name: $0[0].text ?? "", distance: $0[1].real ?? .nan) }
            let expected = fresh.nearest(20, to: town, within: within)
            #expect(found.count == expected.count && found.count > 0)
            #expect(zip(found, expected).allSatisfy { abs($0.distance - $1) < 0.001 }, "\(town), seed 3")
        }
    }
    @Test func `come in pages that together are the whole`() throws {
        let (drivers, _) = Self.fleet(4)
        let fold = Fold(projection: positions)
        try fold.take(Fleet.records(Array(drivers.prefix(800))))
        let whole = try fold.ask(
            .rides, "rides.nearby", place(0, 0, ["within": .real(Spot.farthest)]), limit: 1000)
        #expect(whole.next == nil && whole.rows.count > 400)
        var (rows, cursor): ([Row], Row?) = ([], nil)
        repeat {
            let page = try fold.ask(
                .rides, "rides.nearby", place(0, 0, ["within": .real(Spot.farthest)]), limit: 90, from: cursor)
            (rows, cursor) = (rows + page.rows, page.next)
        } while cursor != nil
        #expect(rows == whole.rows)
    }

    @Test func `of one distance come by name`() throws {
        let fold = Fold(projection: positions)
        try fold.take(
            ["c", "a", "B", "é", "b"].enumerated().map { i, name in
                located(name, 0, i % 2 == 0 ? 0.01 : -0.01, at: noon, offset: Int64(i))
            })
        let page = try fold.ask(.rides, "rides.nearby", place(0, 0), limit: 3)
        #expect(names(page) == ["B", "a", "b"])
        let rest = try fold.ask(.rides, "rides.nearby", place(0, 0), limit: 3, from: page.next)
        #expect(names(rest) == ["c", "é"] && rest.next == nil)
    }
    @Test func `were heard of in time, and not after the moment asked for`() throws {
        let fold = Fold(projection: positions)
        let ages = [("now", 0), ("in-time", 60_000), ("stale", 60_001), ("ahead", -1)] as [(String, Int64)]
        try fold.take(
            ages.enumerated().map { i, one in
                located(one.0, 0, 0, at: Timestamp(noon.rawValue - one.1), offset: Int64(i))
            })
        func found(_ more: [String: Value]) throws -> [String] {
            names(try fold.ask(.rides, "rides.nearby", place(0, 0, more)))
        }
        #expect(try found([:]) == ["in-time", "now"])
        #expect(try found(["stale": 60_001]) == ["in-time", "now", "stale"])
        #expect(try found(["stale": 0]) == ["now"])
        #expect(try found(["at": Value(Timestamp(noon.rawValue + 1))]) == ["ahead", "now"])
        #expect(try found(["at": Value(after(-60))]) == ["in-time", "stale"])
        #expect(try found(["at": Value(after(3600))]) == [])
    }
    @Test func `lie within the bound, which is included, up to the other side of the globe`() throws {
        let fold = Fold(projection: positions)
        try fold.take([
            located("near", 0, 0.001, at: noon), located("far", 0, 1, at: noon, offset: 1),
            located("antipode", 0, 180, at: noon, offset: 2), located("here", 0, 0, at: noon, offset: 3),
        ])
        func found(_ within: Double) throws -> [String] {
            names(try fold.ask(.rides, "rides.nearby", place(0, 0, ["within": .real(within)])))
        }
        #expect(try found(0) == ["here"])
        #expect(try found(111) == ["here"] && found(112) == ["here", "near"])
        #expect(try found(Spot(lat: 0, lng: 0).distance(to: Spot(lat: 0, lng: 1))) == ["here", "near", "far"])
        #expect(try found(Spot.farthest) == ["here", "near", "far", "antipode"])
        #expect(names(try fold.ask(.rides, "rides.nearby", place(0, 0))) == ["here", "near"])
    }
    @Test func `are found across the antimeridian and the pole`() throws {
        let fold = Fold(projection: positions)
        try fold.take([
            located("west", 10, -179.99, at: noon), located("east", 10, 179.98, at: noon, offset: 1),
            located("pole", 89.9, 100, at: noon, offset: 2), located("on", 10, -180, at: noon, offset: 3),
        ])
        #expect(names(try fold.ask(.rides, "rides.nearby", place(10, 179.999))) == ["on", "west", "east"])
        #expect(names(try fold.ask(.rides, "rides.nearby", place(10, 180))) == ["on", "west", "east"])
        let page = try fold.ask(.rides, "rides.nearby", place(10, -180))
        #expect(page.rows.map { $0[1] } == [.real(0), .real(1095.058), .real(2190.116)])
        #expect(names(try fold.ask(.rides, "rides.nearby", place(89.9, -80))) == ["pole"])
        #expect(names(try fold.ask(.rides, "rides.nearby", place(-89.9, -80))) == [])
    }
    @Test func `an answer has distance, place, time, age and cell`() throws {
        let fold = Fold(projection: positions)
        try fold.take([located("d1", 49.703498679, 11.770681595, at: after(-4))])
        let page = try fold.ask(.rides, "rides.nearby", place(49.7, 11.77))
        #expect(page.columns.map(\.name) == ["driver", "distance", "lat", "lng", "at", "age", "cell"])
        let cell = Value(Cell(id: 0x47a1_cbd5_9552_2b39).parent(12).token)
        #expect(
            page.rows == [
                ["d1", .real(392.112), .real(49.703498679), .real(11.770681595), Value(after(-4)), .real(4), cell]
            ])
    }
    @Test func `a parameter out of its range is told`() throws {
        let fold = Fold(projection: positions)
        let bad: [([String: Value], String)] = [
            (["lat": .real(90.1)], "lat"), (["lat": .real(-.infinity)], "lat"), (["lng": .real(180.1)], "lng"),
            (["lng": .real(.nan)], "lng"), (["within": .real(-1)], "within"), (["within": .real(20_015_119)], "within"),
            (["within": .real(.nan)], "within"), (["stale": -1], "stale"), (["stale": .integer(.max)], "stale"),
            (["at": .integer(.max)], "at"), (["at": .integer(.min)], "at"),
        ]
        for (values, field) in bad {
            let no = #expect(throws: Malformed.self) {
                try fold.ask(.rides, "rides.nearby", place(0, 0, values))
            }
            #expect(no?.field == field, "\(values)")
        }
        for cursor in [[], ["a"], [.real(-1), "a"], [.real(.nan), "a"], [1, "a"], [.real(1), 1]] as [Row] {
            let no = #expect(throws: Malformed.self) {
                try fold.ask(.rides, "rides.nearby", place(0, 0), from: cursor)
            }
            #expect(no?.field == "cursor", "\(cursor)")
        }
    }
}
