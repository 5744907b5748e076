internal import EventModel
internal import SwiftProtobuf

extension Demonstration {
    /// Taxis on a grid of streets, five for each of the size.
    static let rides = Demonstration(
        asking: { Rides.request(&$0) },
        actors: { size, seed in [Taxis(size * 5, seed: seed)] },
        showing: [
            Exhibit(
                "TAXIS nearest to Times Square",
                proves: "Each taxi says where it is every 4 s; the nearest are found among all of them.",
                query: "rides.nearby", [["lat": "\(Taxis.corner.lat)", "lng": "\(Taxis.corner.lng)"]], limit: 5,
                as: .table([
                    "driver", ShownColumn("distance", as: "metres away"), ShownColumn("lat", as: "degrees north"),
                    ShownColumn("lng", as: "degrees east"), ShownColumn("age", as: "heard of, s ago"),
                ]), past: true)
        ],
        replaying: ShownRecords(of: Rides.topic, type: "DriverLocation"),
        trying: ["query rides.nearby --lat 40.758 --lng -73.9855 --stale 1h"])
}

extension Rides {
    /// Four drivers whose locations overtake each other.
    static func request(_ draw: inout LoadDraw) -> LoadRequest {
        let driver = draw.name("d", 4)
        let (lat, lng) = (
            Double.random(in: 48...49, using: &draw.random), Double.random(in: 2...3, using: &draw.random)
        )
        return LoadRequest(
            RidesDriverLocation.with { ($0.driver, $0.lat, $0.lng) = (driver, lat, lng) },
            age: .seconds(draw.number(0...8)))
    }
}

/// Taxis on a grid of streets, each of which says every four seconds where it is.
struct Taxis: LoadActor {
    /// Times Square, in the middle of the grid.
    static let corner = (lat: 40.758, lng: -73.9855)
    /// Degrees from one street to the next.
    private static let block = (lat: 0.00072, lng: 0.0021)
    private static let blocks = 40
    /// A twentieth of the taxis speaks up each fifth of a second: each one every four seconds.
    private static let turns = 20
    private static let pause = Duration.milliseconds(200)

    private var random: SeededRandom
    private var places: [(x: Int, y: Int)]
    private var tick = 0

    init(_ count: Int, seed: UInt64) {
        random = SeededRandom(seed, 31)
        places = []
        for _ in 0..<count { places.append((random.number(0...Self.blocks), random.number(0...Self.blocks))) }
    }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        defer { tick += 1 }
        // All of them at the start.
        let those = places.indices.filter { tick == 0 || $0 % Self.turns == tick % Self.turns }
        return LoadStep(those.map { drive($0) }, pause: Self.pause)
    }

    /// Moves a taxi by one street.
    private mutating func drive(_ taxi: Int) -> LoadRequest {
        let step = random.one(of: [(0, 1), (1, 0), (0, -1), (-1, 0)])
        let x = min(Self.blocks, max(0, places[taxi].x + step.0))
        let y = min(Self.blocks, max(0, places[taxi].y + step.1))
        places[taxi] = (x, y)
        return LoadRequest(
            RidesDriverLocation.with {
                $0.driver = "taxi-\(taxi)"
                $0.lat = Self.corner.lat + Self.block.lat * Double(y - Self.blocks / 2)
                $0.lng = Self.corner.lng + Self.block.lng * Double(x - Self.blocks / 2)
            })
    }
}
