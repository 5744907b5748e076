internal import EventModel
internal import Geography
internal import SwiftProtobuf

extension RidesEvent: Envelope {}

/// Where drivers are: facts that need no decision, only a check.
enum Rides: Telemetry {
    typealias Event = RidesEvent

    static let topic = "rides.locations"

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .driverLocation(let location): location.driver
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .driverLocation(let location):
            try Check.identifier(location.driver, "driver", atMost: RidesLimits.driver)
            if !location.hasLat { throw Malformed("lat", "is missing") }
            if !location.hasLng { throw Malformed("lng", "is missing") }
            try Check.range(location.lat, "lat", RidesLimits.lat)
            try Check.range(location.lng, "lng", RidesLimits.lng)
            if location.hasHeading { try Check.range(location.heading, "heading", RidesLimits.heading) }
            if location.hasSpeed { try Check.range(location.speed, "speed", RidesLimits.speed) }
        }
    }
}

/// What any of it may be at most. No range holds what is not a number.
enum RidesLimits {
    /// Bytes of a driver's identifier.
    static let driver = 100
    static let lat = -90.0...90.0
    static let lng = -180.0...180.0
    static let heading = 0.0...360.0
    /// Metres a second.
    static let speed = 0.0...1000.0
    /// Metres around a point in which drivers are looked for; the most is half the globe.
    static let within = 0.0...Spot.farthest
    /// How old a driver's last location may be.
    static let stale = Duration.zero...Duration.seconds(36_500 * 86_400)
}
