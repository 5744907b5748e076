internal import EventModel
internal import Geography

/// The drivers nearest to a spot at a moment, by rings that grow until enough are found.
///
/// A ring covers a circle with a few cells, each of them one range of the index of leaves, and keeps what lies within the
/// circle by exact distance. Nothing within a ring's circle is missed, so once it holds enough, they are the nearest.
struct Nearby {
    var centre: Spot
    var at: Timestamp
    /// A driver whose last location is older than this is left out.
    var stale: Duration
    /// No driver further away is found, in metres.
    var within: Double
    /// Rows read at a time.
    var chunk = Limits.pageRows

    struct Found {
        var distance: Double
        var row: Row
        var driver: String { row[DriverPositions.Driver.name] ?? "" }
        var place: Row { [.real(distance), row.value(DriverPositions.Driver.name)] }
    }

    /// The radius of the first ring, in metres.
    static let firstRing = 500.0

    /// - Parameter cursor: The distance and driver after which to go on.
    func nearest(_ count: Int, after cursor: Row?, in reader: any ViewReader) throws -> [Found] {
        var radius = max(Self.firstRing, cursor?[0].real ?? 0)
        while true {
            radius = min(radius, within)
            let found = try ring(radius, after: cursor, in: reader)
            if found.count >= count || radius >= within {
                return Array(found.sorted { precedes($0.place, $1.place) }.prefix(count))
            }
            // Where drivers are as dense further out, this circle holds a fifth more than enough.
            let share = Double(count) / Double(max(found.count, 1))
            radius *= min(4, max(1.5, (1.2 * share).squareRoot()))
        }
    }

    private func ring(_ radius: Double, after cursor: Row?, in reader: any ViewReader) throws -> [Found] {
        var found: [Found] = []
        let times = (at - stale)...at
        for cell in centre.cover(radius: radius) {
            let leaves = cell.leaves
            let scan = Scan(
                DriverPositions.drivers, by: "leaf", from: .integer(leaves.lowerBound),
                through: .integer(leaves.upperBound), limit: chunk)
            try reader.everyRow(scan) { row in
                guard let time = row[DriverPositions.Driver.at], times.contains(time),
                    let lat = row[DriverPositions.Driver.lat], let lng = row[DriverPositions.Driver.lng]
                else { return }
                let one = Found(distance: centre.distance(to: Spot(lat: lat, lng: lng)), row: row)
                if one.distance > radius { return }
                if let cursor, !precedes(cursor, one.place) { return }
                found.append(one)
            }
        }
        return found
    }
}
