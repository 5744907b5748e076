import DomainTesting
import EventModel
import Foundation
import Geography
import SwiftProtobuf

@testable import RidesDomain

/// Drivers and points where cells are hard: crowds, the edges and corners of cells, the antimeridian, the poles.
enum Fleet {
    static func anywhere(_ random: inout SeededRandom) -> Spot {
        // Even on the sphere: the sine of the latitude is even.
        Spot(
            lat: asin(Double.random(in: -1...1, using: &random)) * 180 / .pi,
            lng: Double.random(in: -180...180, using: &random))
    }

    /// A place within some metres of another, or a little more.
    static func around(_ centre: Spot, _ metres: Double, _ random: inout SeededRandom) -> Spot {
        let arc = min(.pi, metres / 6_371_010) * Double.random(in: 0...1.05, using: &random)
        let bearing = Double.random(in: 0..<2 * .pi, using: &random)
        // Along a great circle (edwilliams.org/avform147.htm#LL).
        let (lat, lng) = (centre.lat * .pi / 180, centre.lng * .pi / 180)
        let sine = sin(lat) * cos(arc) + cos(lat) * sin(arc) * cos(bearing)
        let east = atan2(sin(bearing) * sin(arc) * cos(lat), cos(arc) - sin(lat) * sine)
        let turned = (lng + east) * 180 / .pi
        return Spot(
            lat: asin(max(-1, min(1, sine))) * 180 / .pi,
            lng: max(-180, min(180, turned > 180 ? turned - 360 : turned < -180 ? turned + 360 : turned)))
    }

    /// Towns, a face's middle, edge and corner, Fiji on the antimeridian, both poles.
    static let towns = [
        Spot(lat: 37.7749, lng: -122.4194), Spot(lat: 39.9042, lng: 116.4074), Spot(lat: 0, lng: 0),
        Spot(lat: 10, lng: 45), Spot(lat: 35.264389682754654, lng: 45), Spot(lat: -16.8, lng: 180),
        Spot(lat: 90, lng: 0), Spot(lat: -90, lng: 0),
    ]
    /// Places on the very edges of cells of many levels.
    static let edges = (0..<200).map { i -> Spot in
        let step = Double(i) / 100 - 1
        switch i % 4 {
        case 0: return Spot(lat: step * 35, lng: [45, -45, 135, -135][i / 4 % 4])
        case 1: return Spot(lat: 0, lng: step * 180)
        case 2: return Spot(lat: step * 90, lng: i % 8 == 2 ? 180 : -180)
        default: return Spot(lat: step * 90, lng: [0, 90, -90][i % 3])
        }
    }

    static func hard(_ random: inout SeededRandom) -> Spot {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: anywhere(&random)
        case 1: edges[Int.random(in: 0..<edges.count, using: &random)]
        case 2: towns[Int.random(in: 0..<towns.count, using: &random)]
        default: around(towns[Int.random(in: 0..<towns.count, using: &random)], 5_000, &random)
        }
    }

    struct Driver {
        var name: String
        var spot: Spot
        var at: Timestamp
    }

    /// Most told within the minute before noon, some longer ago, some after it, some at the very limits.
    static func drivers(_ count: Int, _ random: inout SeededRandom) -> [Driver] {
        (0..<count).map { i in
            let spot =
                i % 10 < 7
                ? around(towns[i / 10 % towns.count], pow(10, Double(i % 7) / 2 + 2), &random) : hard(&random)
            let age = [0, 60_000, 60_001, -1, 4000, 59_999][i % 6] as Int64
            let old = i % 5 == 0 ? Int64.random(in: -100_000...1_000_000, using: &random) : age
            return Driver(
                name: "d\(i)", spot: spot, at: Timestamp(noon.rawValue - (i % 5 == 1 ? age : i % 5 == 0 ? old : 4000)))
        }
    }

    /// The locations as records in one partition.
    static func records(_ drivers: [Driver]) -> [Placed] {
        drivers.enumerated().map { i, driver in
            located(driver.name, driver.spot.lat, driver.spot.lng, at: driver.at, offset: Int64(i))
        }
    }
}

/// A record of where a driver was.
func located(
    _ driver: String, _ lat: Double, _ lng: Double, at time: Timestamp, in partition: Partition = 0, offset: Int64 = 0,
    _ change: (inout RidesDriverLocation) -> Void = { _ in }
) -> Placed {
    var location = RidesDriverLocation.with { ($0.driver, $0.lat, $0.lng) = (driver, lat, lng) }
    change(&location)
    let event = RidesEvent.OneOf_Kind.driverLocation(location)
    return (
        TopicPartition("rides.locations", partition),
        Record(
            offset: Offset(offset), timestamp: time, key: Bytes(Rides.key(of: event)), value: RidesEvent.bytes(event))
    )
}

/// The nearest drivers by measuring to each, with other arithmetic than the search's: chords between points on a ball.
struct ByHand {
    private struct Point {
        var (x, y, z): (Double, Double, Double)
        init(_ spot: Spot) {
            let (lat, lng) = (spot.lat * .pi / 180, spot.lng * .pi / 180)
            (x, y, z) = (cos(lat) * cos(lng), cos(lat) * sin(lng), sin(lat))
        }
    }
    private let points: [Point]
    private let index: [String: Int]

    /// - Parameter drivers: Those that are to be found.
    init(_ drivers: [Fleet.Driver]) {
        points = drivers.map { Point($0.spot) }
        index = Dictionary(uniqueKeysWithValues: drivers.enumerated().map { ($1.name, $0) })
    }

    private static func metres(_ chord: Double) -> Double { 2 * asin(min(1, chord.squareRoot() / 2)) * 6_371_010 }

    /// The distances of the nearest, in order.
    func nearest(_ count: Int, to centre: Spot, within: Double) -> [Double] {
        let centre = Point(centre)
        let half = sin(min(.pi / 2, within / 6_371_010 / 2))
        let limit = within >= Spot.farthest ? 5 : 4 * half * half
        var best: [Double] = []
        points.withUnsafeBufferPointer { points in
            var worst = limit
            for i in 0..<points.count {
                let (x, y, z) = (points[i].x - centre.x, points[i].y - centre.y, points[i].z - centre.z)
                let chord = x * x + y * y + z * z
                if chord > worst { continue }
                best.insert(chord, at: best.firstIndex { $0 > chord } ?? best.count)
                if best.count > count { best.removeLast() }
                if best.count == count { worst = min(limit, best[count - 1]) }
            }
        }
        return best.map(Self.metres)
    }

    func distance(_ driver: String, to centre: Spot) -> Double? {
        guard let i = index[driver] else { return nil }
        let centre = Point(centre)
        let (x, y, z) = (points[i].x - centre.x, points[i].y - centre.y, points[i].z - centre.z)
        return Self.metres(x * x + y * y + z * z)
    }
}
