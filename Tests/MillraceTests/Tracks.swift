import Foundation
import TestSupport
import Testing

/// Where people and taxis really went, and files made of them.
enum Tracks {
    static let folder = URL(fileURLWithPath: Bus.package).deletingLastPathComponent()
        .appendingPathComponent("shared/data/rides").path
    static let areHere = FileManager.default.fileExists(atPath: folder)
    static let absent: Comment = "the sample tracks, ../shared/data/rides, are not on this machine"

    private static let taxis = folder + "/cabspotting_sf_5taxis.csv.gz"
    private static let people = folder + "/geolife_2users.csv.gz"

    /// Every second of the taxis' places, in the order of time.
    static func taxis(_ bus: Bus) async throws -> String {
        let path = bus.folder + "/taxis.csv"
        let script = """
            gzip -dc \(taxis) | awk 'NR % 2 == 1' > all.csv && (head -n 1 all.csv; tail -n +2 all.csv | sort -s -t, -k2,2n) > \(path)
            """
        try #require(try await bus.sh(script).exit == 0)
        return path
    }

    /// Every eighth place of the two people, in the order of time.
    static func people(_ bus: Bus) async throws -> String {
        let path = bus.folder + "/people.csv"
        let script = """
            gzip -dc \(people) | awk 'NR % 10 == 1' > some.csv
            (head -n 1 some.csv; tail -n +2 some.csv | sort -s -t, -k3,3) > \(path)
            """
        try #require(try await bus.sh(script).exit == 0)
        return path
    }

    /// Every second of New York's pickups as a place of one of 5,000 drivers, not in the order of time.
    static func pickups(_ bus: Bus) async throws -> String {
        let path = bus.folder + "/pickups.csv"
        let script = """
            gzip -dc \(folder)/uber_pickups_nyc_2014-04.csv.gz |
            awk -F, 'NR == 1 { print "datetime,lat,lng,driver,base" }
                NR > 1 && NR % 2 == 0 { print $1 "," $2 "," $3 ",d" NR / 2 % 5000 "," $4 }' > \(path)
            """
        try #require(try await bus.sh(script).exit == 0)
        return path
    }

    struct Spot {
        var lat: Double
        var lng: Double
        var at: Date
    }

    /// The last place of each driver up to a moment, read from a table without any of our own code.
    static func last(_ file: String, lat: Int, lng: Int, time: Int, driver: Int, by end: String, _ bus: Bus)
        async throws
        -> [String: Spot]
    {
        // ISO times and seconds both sort as they stand, one kind a file.
        let script = """
            awk -F, -v end='\(end)' 'NR > 1 && $\(time) <= end && $\(time) >= t[$\(driver)] {
                t[$\(driver)] = $\(time); lat[$\(driver)] = $\(lat); lng[$\(driver)] = $\(lng) }
                END { for (d in t) print d "," lat[d] "," lng[d] "," t[d] }' \(file)
            """
        let ended = try await bus.sh(script)
        try #require(ended.exit == 0, "\(ended)")
        return try ended.lines.reduce(into: [:]) { spots, line in
            let parts = line.split(separator: ",").map(String.init)
            let date = Double(parts[3]).map { Date(timeIntervalSince1970: $0) }
            let iso = parts[3].replacing(" ", with: "T") + "Z"
            spots[parts[0]] = Spot(
                lat: try #require(Double(parts[1])), lng: try #require(Double(parts[2])),
                at: try date ?? Date(iso, strategy: .iso8601))
        }
    }

    /// The haversine formula on a sphere of 6,371,010 metres.
    static func metres(_ a: (Double, Double), _ b: (Double, Double)) -> Double {
        let (p, q) = (a.0 * .pi / 180, b.0 * .pi / 180)
        let (x, y) = (sin((q - p) / 2), sin((b.1 - a.1) * .pi / 360))
        return 2 * asin((x * x + cos(p) * cos(q) * y * y).squareRoot()) * 6_371_010
    }
}
