import DomainTesting
import EventModel
import Foundation
import Geography
import SwiftProtobuf
import Testing

@testable import RidesDomain

/// What happened is the same whether it was produced as it happened, imported in the order of time, or imported in any order;
/// so is what it was at every moment.
@Suite("A history of positions, told in several ways")
struct RidesHistoryTests {
    @Test(arguments: [1, 20_261_129, 0xfee] as [UInt64])
    func `of positions gives the same rows`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var table = try GPSTable(header: ArraySlice("driver,lat,lng,datetime".utf8))
        // Of a driver's positions at one moment the last told counts; here each has a moment of its own.
        let moments = Set((0..<400).map { _ in Int.random(in: 0...20_000, using: &random) }).sorted()
        let history = try moments.map { second in
            let (time, driver) = (noon + .seconds(second), "d\(Int.random(in: 1...40, using: &random))")
            let spot = Fleet.hard(&random)
            let line = "\(driver),\(spot.lat),\(spot.lng),\(time.rfc3339)"
            let json: [String: Any] = ["driver": driver, "lat": spot.lat, "lng": spot.lng]
            return Told(time: time, json: json, imported: try table.location(ArraySlice(line.utf8)))
        }
        try expectSame(history, .rides, "rides.locations", kind: "DriverLocation", seed: seed)
    }
}
