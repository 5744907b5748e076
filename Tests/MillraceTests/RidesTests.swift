import Foundation
import TestSupport
import Testing

@Suite("Rides", .serialized, .timeLimit(.minutes(10)))
struct RidesTests {
    private static let refused = [
        (#"{"lat":1,"lng":2}"#, "driver: is missing"), (#"{"driver":"a","lng":2}"#, "lat: is missing"),
        (#"{"driver":"a","lat":1}"#, "lng: is missing"),
        (#"{"driver":"a b","lat":1,"lng":2}"#, "driver: has a space, ':' or '#'"),
        (#"{"driver":"a","lat":91,"lng":2}"#, "lat: is 91.0, it must be -90.0 to 90.0"),
        (#"{"driver":"a","lat":"NaN","lng":2}"#, "lat: is nan, it must be -90.0 to 90.0"),
        (#"{"driver":"a","lat":1,"lng":-180.5}"#, "lng: is -180.5, it must be -180.0 to 180.0"),
        (#"{"driver":"a","lat":1,"lng":"Infinity"}"#, "lng: is inf, it must be -180.0 to 180.0"),
        (#"{"driver":"a","lat":1,"lng":2,"heading":361}"#, "heading: is 361.0, it must be 0.0 to 360.0"),
        (#"{"driver":"a","lat":1,"lng":2,"speed":-1}"#, "speed: is -1.0, it must be 0.0 to 1000.0"),
        (#"{"driver":"a","lat":"north","lng":2}"#, "lat: must be double"),
        (
            #"{"driver":"a","latitude":1,"lng":2}"#,
            "latitude: is not a field of DriverLocation; did you mean lat? It has driver, lat"
        ),
        (#"{"driver":"a","lat":1,"lng":2,"@time":"2999-01-01T00:00:00Z"}"#, "is over 1m ahead of this machine's clock"),
    ]

    @Test func `a location that cannot be is refused, and nothing is written`() async throws {
        try await onBus { bus in
            for (line, reason) in Self.refused {
                let ended = try await bus.run("produce", "DriverLocation", stdin: line)
                #expect(ended.exit == 65 && ended.err.contains("line 1: ") && ended.err.contains(reason), "\(ended)")
            }
            #expect(try await bus.count("rides.locations") == 0)
        }
    }

    @Test func `a driver who told where he is, is found`() async throws {
        try await onBus { bus in
            _ = try await bus.work("projector")
            let lines = [
                #"{"driver":"ann","lat":-17.1,"lng":179.999,"speed":8.5}"#, #"{"driver":"ben","lat":-17.1,"lng":-180}"#,
                #"{"driver":"cat","lat":-17.1,"lng":178}"#,
            ]
            let ended = try await bus.run("produce", "DriverLocation", stdin: lines.joined(separator: "\n"))
            #expect(ended.exit == 0)
            try await bus.settle()
            let page = try await bus.query("rides.nearby", "--lat", "-17.1", "--lng", "-179.999")
            #expect(page["rows"].array.map { $0["driver"] } == ["ben", "ann"] && page["next"] == nil)
            let first = try await bus.query(
                "rides.nearby", "--lat=-17.1", "--lng=-179.999", "--within", "1e6", "--limit", "2")
            let rest = try await bus.query(
                "rides.nearby", "--lat=-17.1", "--lng=-179.999", "--within", "1e6", "--cursor", first["next"].string)
            #expect(first["rows"].array.count == 2 && rest["rows"].array.map { $0["driver"] } == ["cat"])
            #expect(try await bus.query("rides.driver", "--driver", "ann")["rows"][0]["speed"] == .real(8.5))
            let cell = page["rows"][0]["cell"].string
            #expect(try await bus.query("rides.cell", "--cell", cell)["rows"].array.contains { $0["driver"] == "ben" })
            for (wrong, reason) in [
                (["--lat", "x", "--lng", "0"], "--lat x is no real, such as 52.52"),
                (["--lat", "nan", "--lng", "0"], "--lat nan is no real"), (["--lat", "1"], "needs --lng"),
                (["--lat", "91", "--lng", "0"], "lat: is 91.0"),
                (["--lat", "1", "--lng", "0", "--within", "3e7"], "within: is 30000000.0"),
                (["--lat", "1", "--lng", "0", "--cursor", "dGE="], "cursor: was not given by an earlier page"),
            ] {
                let ended = try await bus.start(["query", "rides.nearby"] + wrong).end()
                #expect(ended.exit == 64 && ended.err.contains(reason), "\(ended)")
            }
        }
    }

    @Test func `a table is imported once, and its bad lines are named`() async throws {
        try await onBus { bus in
            let table = "taxi,ts,lat,lon,occupied\na,1211018404,37.75,-122.39,0\nb,1211018404,97.75,-122.39,0\nshort\n"
            let file = try bus.file("taxis.csv", table + "a,2008-05-17T10:00:08Z,37.76,-122.39,0")
            let first = try await bus.run("import", "gps", file)
            #expect(first.exit == 0)
            #expect(
                first.err == """
                    line 3: lat: is 97.75, it must be -90.0 to 90.0
                    line 4: has 1 fields, the first line has 5

                    """)
            let summary = try JSON(first.out)
            #expect(summary["imported"] == 2 && summary["bad"] == 2 && summary["lines"] == 5)
            #expect(summary["from"] == "2008-05-17T10:00:04Z" && summary["to"] == "2008-05-17T10:00:08Z")
            #expect(try JSON(try await bus.run("import", "gps", file).out)["imported"] == 0)
            #expect(try JSON(try await bus.run("import", "gps", file, "--prefix", "x-").out)["imported"] == 2)
            #expect(try await bus.replay("rides.locations", "--key", "x-a").count == 2)
            let stopped = try await bus.run("import", "gps", file, "--prefix", "y-", "--on-error", "stop")
            #expect(stopped.exit == 65 && stopped.err.contains("stopped at line 3"))
            let other = try await bus.run("import", "gps", try bus.file("other.csv", "lat,lng\n1,2\n"))
            #expect(other.exit == 65 && other.err.contains("names no column datetime or ts"), "\(other)")
            #expect(try await bus.run("import", "gps", file, "--prefix", "a b").exit == 64)
        }
    }
}
