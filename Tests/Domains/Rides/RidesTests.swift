import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import RidesDomain

@Suite("A driver's location")
struct RidesTests {
    static let location = RidesDriverLocation.with {
        ($0.driver, $0.lat, $0.lng, $0.heading, $0.speed) = ("d-17", 52.5, 13.25, 90, 12.5)
    }

    private func wrong(_ change: (inout RidesDriverLocation) -> Void) -> Malformed? {
        var location = Self.location
        change(&location)
        do {
            try Rides.check(.driverLocation(location))
            return nil
        } catch {
            return error
        }
    }

    @Test func `needs a driver, a latitude and a longitude`() {
        #expect(wrong { _ in } == nil)
        #expect(
            wrong {
                $0.clearHeading()
                $0.clearSpeed()
            } == nil)
        #expect(wrong { $0.driver = "" } == Malformed("driver", "is missing"))
        #expect(wrong { $0.clearLat() } == Malformed("lat", "is missing"))
        #expect(wrong { $0.clearLng() } == Malformed("lng", "is missing"))
    }
    @Test func `has a driver whose name is an identifier`() {
        for name in ["a b", "a:b", "a#b", "a\n", String(repeating: "x", count: 101)] {
            #expect(wrong { $0.driver = name }?.field == "driver")
        }
        #expect(wrong { $0.driver = String(repeating: "x", count: 100) } == nil)
    }
    @Test func `is on the globe, both ends included`() {
        for lat in [-90.0, 0, 90] { #expect(wrong { $0.lat = lat } == nil) }
        for lng in [-180.0, 0, 180] { #expect(wrong { $0.lng = lng } == nil) }
        for lat in [-90.000001, 90.000001, .nan, .infinity] { #expect(wrong { $0.lat = lat }?.field == "lat") }
        for lng in [-180.000001, 181, .nan, -.infinity] { #expect(wrong { $0.lng = lng }?.field == "lng") }
        #expect(wrong { $0.lat = 91 } == Malformed("lat", "is 91.0, it must be -90.0 to 90.0"))
    }
    @Test func `heads somewhere on the compass, at a speed that can be`() {
        for heading in [-1.0, 360.1, .nan] { #expect(wrong { $0.heading = heading }?.field == "heading") }
        for speed in [-0.1, 1000.1, .nan, .infinity] { #expect(wrong { $0.speed = speed }?.field == "speed") }
        #expect(wrong { ($0.heading, $0.speed) = (360, 1000) } == nil)
    }
    @Test func `is keyed by its driver`() { #expect(Rides.key(of: .driverLocation(Self.location)) == "d-17") }
}

/// Made by `protoc --encode` of the same values: what is on people's logs.
enum RidesGoldens {
    private static let least = RidesDriverLocation.with { ($0.driver, $0.lat, $0.lng) = ("a", 0, -180) }
    static let all = [
        Golden(
            RidesEvent.self, .driverLocation(RidesTests.location),
            "0a2a0a04642d3137110000000000404a40190000000000802a40210000000000805640290000000000002940"),
        Golden(RidesEvent.self, .driverLocation(least), "0a150a01611100000000000000001900000000008066c0"),
    ]
}

@Suite("The bytes of rides on the log")
struct RidesBytesTests {
    @Test func `stay as they are, and are known for every kind`() {
        expect(RidesGoldens.all, of: Domain.rides.schemas)
    }
}
