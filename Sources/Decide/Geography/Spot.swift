internal import CS2

/// A point on the sphere, in degrees within `RidesLimits`.
package struct Spot: Hashable, Sendable {
    package let lat: Double
    package let lng: Double

    /// One place has one spot: the antimeridian is 180, and a pole has no longitude.
    package init(lat: Double, lng: Double) {
        self.lat = lat
        self.lng = abs(lat) == 90 ? 0 : lng == -180 ? 180 : lng
    }

    /// The arc of the great circle to another, in metres on a sphere of S2Earth's mean radius, 6,371,010 m.
    package func distance(to other: Spot) -> Double { cs2_distance(lat, lng, other.lat, other.lng) }

    /// Half the way around the sphere: no two spots are further apart.
    package static let farthest = Double.pi * CS2_EARTH_RADIUS

    /// The leaf cell that holds it, about a centimetre wide.
    package var leaf: Cell { Cell(id: cs2_leaf(lat, lng)) }

    /// Few cells that hold every spot at most so many metres away.
    package func cover(radius: Double) -> [Cell] {
        // A millimetre more than asked for, so that no rounding at an edge can leave a spot out.
        let radius = radius + 0.001
        var cells = [UInt64](repeating: 0, count: Self.coverCapacity)
        let count = cs2_cover(
            lat, lng, radius, Self.coverCells, Self.finestCover, &cells, Int32(Self.coverCapacity))
        precondition(count <= Self.coverCapacity, "a cover of \(count) cells")
        return cells.prefix(Int(count)).map { Cell(id: $0) }
    }

    private static let coverCells: Int32 = 8
    /// About 9 metres.
    private static let finestCover: Int32 = 20
    /// S2 gives no more cells than it is asked for, or 6 where those are fewer.
    private static let coverCapacity = 16
}

/// A cell of S2's division of the sphere (s2geometry.io/devguide/s2cell_hierarchy): six faces, each halved both ways 30 times.
package struct Cell: Hashable, Sendable {
    package let id: UInt64

    /// The level that people name a driver's cell by: about 2 km wide, 3 to 6 square kilometres.
    package static let namedLevel: Int32 = 12

    package init(id: UInt64) { self.id = id }

    /// A cell by its token: the id in hexadecimal without the zeros at its end.
    package init?(token: String) {
        let digits = token.utf8
        let isHexadecimal = digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
        guard (1...16).contains(digits.count), isHexadecimal, let high = UInt64(token, radix: 16) else { return nil }
        let id = high << UInt64(4 * (16 - digits.count))
        if !cs2_is_cell(id) { return nil }
        self.id = id
    }

    package var token: String {
        let digits = String(id, radix: 16)
        let whole = String(repeating: "0", count: 16 - digits.count) + digits
        return String(whole.prefix(16 - id.trailingZeroBitCount / 4))
    }

    package var level: Int32 { cs2_level(id) }
    package func parent(_ level: Int32) -> Cell { Cell(id: cs2_parent(id, level)) }

    /// The cell's leaves in the order of an index of signed integers.
    ///
    /// An id's highest three bits are its face (0 to 5). All leaves of one cell are on its face, so all their ids have the
    /// same highest bit: as signed integers they have one sign, and are in the same order as unsigned ones.
    package var leaves: ClosedRange<Int64> {
        Int64(bitPattern: cs2_range_min(id))...Int64(bitPattern: cs2_range_max(id))
    }
}
