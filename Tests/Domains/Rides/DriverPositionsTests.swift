import DomainTesting
import EventModel
import Testing

@testable import RidesDomain

@Suite("Where drivers were last")
struct DriverPositionsTests {
    private let positions = Domain.rides.projection("rides.drivers")

    private func rows(_ fold: Fold) throws -> [Row] { try fold.rows(DriverPositions.drivers) }

    @Test func `a row has place, time, heading, speed, cell and leaf`() throws {
        let fold = try Fold.everyWay(
            positions,
            [
                located("d1", 49.703498679, 11.770681595, at: noon) { ($0.heading, $0.speed) = (0, 12.5) },
                located("d2", -24.694439215, -47.537363213, at: after(1), in: 1),
            ])
        // The leaves as the Go implementation has them; the second one's highest bit is set.
        let (d1, d2) = (0x47a1_cbd5_9552_2b39 as UInt64, 0x94da_a3d0_0000_0001 as UInt64)
        #expect(
            try rows(fold) == [
                [
                    "d1", .real(49.703498679), .real(11.770681595), Value(noon), .real(0), .real(12.5), "47a1cbd",
                    .integer(Int64(d1)),
                ],
                [
                    "d2", .real(-24.694439215), .real(-47.537363213), Value(after(1)), .null, .null, "94daa3d",
                    .integer(Int64(bitPattern: d2)),
                ],
            ])
    }
    @Test func `a late location changes nothing, and one of the same time does where it is later in the log`() throws {
        let fold = try Fold.everyWay(
            positions,
            [
                located("a", 1, 1, at: noon), located("a", 2, 2, at: after(-4), offset: 1),
                located("b", 3, 3, at: noon, in: 1), located("b", 4, 4, at: noon, in: 1, offset: 1),
                located("c", 5, 5, at: noon, in: 1, offset: 2), located("c", 6, 6, at: after(4), in: 1, offset: 3),
                located("c", 5, 5, at: noon, in: 1, offset: 4), located("a", 1, 1, at: noon, offset: 2),
            ])
        #expect(try rows(fold).map { $0[1] } == [.real(1), .real(4), .real(6)])
        #expect(try rows(fold).map { $0[3] } == [Value(noon), Value(noon), Value(after(4))])
    }
    @Test func `a newer location without heading and speed takes the old ones away`() throws {
        let fold = try Fold.everyWay(
            positions,
            [
                located("a", 1, 1, at: noon) { ($0.heading, $0.speed) = (90, 10) },
                located("a", 1, 1, at: after(4), offset: 1),
            ])
        #expect(try rows(fold).map { Array($0[4...5]) } == [[.null, .null]])
    }
    @Test func `the antimeridian has one leaf, whichever way it is written`() throws {
        let fold = try Fold.everyWay(
            positions, [located("a", 5, 180, at: noon), located("b", 5, -180, at: noon, offset: 1)])
        let rows = try rows(fold)
        #expect(rows[0][7] == rows[1][7] && rows[0][6] == rows[1][6])
        #expect(rows.map { $0[2] } == [.real(180), .real(-180)])
    }
    @Test func `names that differ only in how a letter is made are two drivers`() throws {
        let fold = try Fold.everyWay(
            positions, [located("\u{e9}", 1, 1, at: noon), located("e\u{301}", 2, 2, at: noon, offset: 1)])
        #expect(try rows(fold).count == 2)
    }

    @Test(arguments: [1, 0xcab] as [UInt64])
    func `each driver's row is its newest location, whatever came late or twice`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var (records, next): ([Placed], [Partition: Int64]) = ([], [:])
        var newest: [String: (lat: Double, at: Timestamp)] = [:]
        for i in 0..<2000 {
            let number = Int.random(in: 0..<40, using: &random)
            let (driver, partition) = ("d\(number)", Partition(number % 4))
            let offset = next[partition, default: 0]
            next[partition] = offset + 1
            // Late by up to a minute, and often at the very same second.
            let time = after(Int64(i / 4) - Int64.random(in: 0...60, using: &random))
            let lat = Double.random(in: -90...90, using: &random)
            records.append(located(driver, lat, 0, at: time, in: partition, offset: offset))
            if Int.random(in: 0..<10, using: &random) == 0 {
                next[partition] = offset + 2
                records.append(located(driver, lat, 0, at: time, in: partition, offset: offset + 1))
            }
            if newest[driver].map({ $0.at <= time }) ?? true { newest[driver] = (lat, time) }
        }
        let fold = try Fold.everyWay(positions, records, seed: seed)
        let rows = try rows(fold)
        #expect(rows.count == newest.count)
        for row in rows {
            let expected = try #require(newest[row[0].text ?? ""])
            #expect(row[1] == .real(expected.lat) && row[3] == Value(expected.at), "seed \(seed)")
        }
    }

    @Test func `a driver and a cell can be asked for`() throws {
        let fold = try Fold.everyWay(
            positions,
            [
                located("a", 49.703498679, 11.770681595, at: noon), located("b", 49.7034, 11.7706, at: noon, offset: 1),
                located("c", 0, 0, at: noon, offset: 2),
            ])
        #expect(try fold.ask(.rides, "rides.driver", ["driver": "a"]).rows.map { $0[6] } == ["47a1cbd"])
        #expect(try fold.ask(.rides, "rides.driver", ["driver": "z"]).rows.isEmpty)
        let first = try fold.ask(.rides, "rides.cell", ["cell": "47a1cbd"], limit: 1)
        let second = try fold.ask(.rides, "rides.cell", ["cell": "47A1CBD"], limit: 1, from: first.next)
        #expect(Set([first, second].flatMap { $0.rows.map { $0[0] } }) == ["a", "b"] && second.next == nil)
        // The face around Greenwich and the equator, and a cell with nobody in it.
        #expect(try fold.ask(.rides, "rides.cell", ["cell": "1"]).rows.map { $0[0] } == ["c"])
        #expect(try fold.ask(.rides, "rides.cell", ["cell": "8085807"]).rows.isEmpty)
        let no = #expect(throws: Malformed.self) { try fold.ask(.rides, "rides.cell", ["cell": "home"]) }
        #expect(no == Malformed("cell", "home is no token of an S2 cell"))
    }
}
