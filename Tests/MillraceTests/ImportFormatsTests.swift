import Foundation
import TestSupport
import Testing

@Suite("Importing files of many formats", .serialized, .timeLimit(.minutes(10)))
struct ImportFormatsTests {
    private func tally(_ ended: Ended, at place: SourceLocation = #_sourceLocation) throws -> [Int] {
        try #require(ended.exit == 0, "\(ended)", sourceLocation: place)
        let summary = try JSON(ended.out)
        return ["imported", "alreadyImported", "bad"].map { summary[$0].int }
    }

    @Test func `a log of W3C goes on with the fields that it had, when it has grown`() async throws {
        try await onBus { bus in
            let head = """
                #Version: 1.0
                #Fields: date time cs-uri-stem sc-status c-ip cs-host
                2015-05-17 10:05:03 /a 200 203.0.113.7 www.example.net
                #Fields: date time c-ip cs-uri-stem cs-host
                2015-05-17 10:05:04.5 203.0.113.8 /b -

                """
            let file = try bus.file("iis.log", head)
            #expect(try tally(try await bus.run("import", "access-log", file)) == [2, 0, 0])
            _ = try bus.file("iis.log", head + "2015-05-17 10:05:05 203.0.113.9 /c other.example.net\n")
            let grown = try tally(try await bus.run("import", "access-log", file))
            #expect(grown[0] == 1 && grown[2] == 0)
            let hits = try await bus.replay("hits.events").sorted { $0["timestamp"].string < $1["timestamp"].string }
            #expect(
                hits.map { $0["timestamp"] } == [
                    "2015-05-17T10:05:03Z", "2015-05-17T10:05:04.500Z", "2015-05-17T10:05:05Z",
                ])
            #expect(hits.map { $0["event"]["site"] } == ["www.example.net", "iis", "other.example.net"])
            #expect(hits.map { $0["event"]["visitor"] } == ["203.0.113.7", "203.0.113.8", "203.0.113.9"])
        }
    }

    @Test func `a log whose lines tell no format says which are known, once, and takes them by a format`() async throws
    {
        try await onBus { bus in
            let lines = (0..<3).map { "2015-05-17T10:05:0\($0)Z|203.0.113.\($0)|GET / HTTP/1.1|200" }
            let file = try bus.file("odd.log", lines.joined(separator: "\n") + "\n")
            let bad = try await bus.run("import", "access-log", file)
            #expect(bad.exit == 65 && bad.err.contains("no line of \(file) could be read; --log-format says"), "\(bad)")
            #expect(bad.err.components(separatedBy: "vhost_combined").count == 2)
            #expect(try JSON(bad.out)["reasons"]["unknown-format"] == 3)
            let no = try await bus.run("import", "access-log", file, "--log-format", "%h %Z")
            #expect(no.exit == 64 && no.err.contains("--log-format: has %Z"), "\(no)")
            let copy = try bus.file("other.log", lines.map { $0 + "|x" }.joined(separator: "\n") + "\n")
            let format = "%{%Y-%m-%dT%H:%M:%SZ}t|%h|%r|%>s|%u"
            #expect(try tally(try await bus.run("import", "access-log", copy, "--log-format", format)) == [3, 0, 0])
            #expect(try await bus.replay("hits.events").allSatisfy { $0["event"]["path"] == "/" })
        }
    }

    @Test func `a table in milliseconds says so, and a track in GPX is imported once`() async throws {
        try await onBus { bus in
            let table = try bus.file("t.csv", "driver;lat;lng;time\nann;39,98;116,31;1224741185000\n")
            let told = try await bus.run("import", "gps", table)
            #expect(try tally(told) == [1, 0, 0])
            #expect(try JSON(told.out)["notes"] == ["times read as milliseconds since 1970"])
            let hex = try bus.file("hex.csv", "driver,lat,lng,time\nann,0x10,1,5\nann,1,1,5\n")
            let bad = try await bus.run("import", "gps", hex)
            #expect(try tally(bad) == [1, 0, 1] && bad.err.contains("lat: is 0x10, not a number of degrees"))

            let points = (0..<4).map {
                """
                <trkpt lat="\($0).5" lon="2">
                  <time>2008-10-23T05:53:0\($0)Z</time></trkpt>
                """
            }
            let head = "<?xml version=\"1.0\"?>\n<gpx><trk><name>Bob 1</name><trkseg>\n"
            let half = try bus.file("ride.gpx", head + points.prefix(2).joined(separator: "\n") + "\n")
            #expect(try tally(try await bus.run("import", "gps", half))[0] == 2)
            let whole = try bus.file("ride.gpx", head + points.joined(separator: "\n") + "\n</trkseg></trk></gpx>\n")
            #expect(try tally(try await bus.run("import", "gps", whole))[0] == 2)
            #expect(try tally(try await bus.run("import", "gps", whole))[0] == 0)
            let named = try await bus.run("import", "gps", whole, "--driver", "cat", "--prefix", "p-")
            #expect(try tally(named)[0] == 4)
            // A track is told from a pipe's first line too. It has no name of a file.
            let track = try String(contentsOfFile: whole, encoding: .utf8)
            let piped = try await bus.run("import", "gps", "-", "--driver", "dan", stdin: track)
            #expect(try tally(piped)[0] == 4, "\(piped)")
            let drivers = try await bus.replay("rides.locations").map { $0["event"]["driver"].string }
            let counts = Dictionary(grouping: drivers) { $0 }.mapValues(\.count)
            #expect(counts == ["ann": 2, "Bob-1": 4, "p-cat": 4, "dan": 4])
            let far = try await bus.run("query", "rides.nearby", "--lat", "0x10", "--lng", "0")
            #expect(far.exit == 64 && far.err.contains("--lat 0x10 is no real"), "\(far)")
        }
    }

    @Test func `a line's time as a number is exact to the millisecond`() async throws {
        try await onBus { bus in
            let times = [
                "1417392000.123", "1417392000.1239", #""1417392000.123""#, "1417392000123", "1.417392000123e9",
                "1e3", "0.001",
            ]
            let lines = times.map { #"{"site":"home","visitor":"v","@time":\#($0)}"# }.joined(separator: "\n")
            #expect(try await bus.run("produce", "Hit", stdin: lines).exit == 0)
            let said = try await bus.replay("hits.events").map { $0["timestamp"].string }
            let exact = Array(repeating: "2014-12-01T00:00:00.123Z", count: 5)
            #expect(said == exact + ["1970-01-01T00:16:40Z", "1970-01-01T00:00:00.001Z"])
            for time in [#""0x10""#, #""nan""#, #""+5""#, "1e15", "1e999", "-1e400"] {
                let ended = try await bus.run("produce", "Hit", stdin: #"{"site":"home","@time":\#(time)}"#)
                #expect(ended.exit == 65 && ended.err.contains("@time: must be RFC 3339"), "\(ended)")
            }
        }
    }
}
