import Foundation
import TestSupport
import Testing

@Suite("A view as it was", .serialized, .timeLimit(.minutes(10)))
struct PastTests {
    private static let life = ["received", "assigned", "picked_up", "delivered"].enumerated().map { i, status in
        let courier = i == 0 ? "" : #""courier":"bob","#
        return #"""
            {"order":"o1","customer":"ann","status":"\#(status)",\#(courier)"expectedAt":"2026-01-01T13:00:00Z",\#
            "@time":"2026-01-01T12:0\#(i):00Z"}
            """#
    }

    @Test func `is shown at any moment, and at any event`() async throws {
        try await onBus { bus in
            let worker = try await bus.work("orders")
            let produced = try await bus.run("produce", "OrderStatusChanged", stdin: Self.life.joined(separator: "\n"))
            #expect(try JSON(produced.out)["produced"].int == 4, "\(produced)")
            try await bus.settle()
            try await worker.stop()
            let last = try #require(try await bus.replay("orders.events").last)
            let partition = last["partition"].int
            func stages(_ past: String) async throws -> [String] {
                let page = try await bus.query("orders.status", "--order", "o1", "--as-of", past)
                let next = page["asOf"]["orders.events/\(partition)"]
                #expect(page["rows"].array.isEmpty ? next == nil : next.int == page["rows"].array.count)
                return page["rows"].array.map { $0["stage"].string }
            }
            let all = ["received", "assigned", "picked_up", "delivered"]
            let moments = [
                ("11:59:59.999", 0), ("12:00:00", 1), ("12:00:59.999", 1), ("12:01:00", 2), ("12:02:30", 3),
                ("12:03:00", 4), ("18:00:00", 4),
            ]
            for (time, count) in moments {
                #expect(try await stages("@2026-01-01T\(time)Z") == Array(all.prefix(count)), "\(time)")
            }
            for offset in 0..<4 {
                #expect(try await stages("orders.events/\(partition)@\(offset)") == Array(all.prefix(offset + 1)))
            }
            // The live view is where it was.
            let now = try await bus.query("orders.status", "--order", "o1")
            #expect(now["rows"].array.map { $0["stage"].string } == all)
        }
    }

    @Test func `takes its moment for the query's own now, and other partitions up to a record's time`() async throws {
        try await onBus { bus in
            let hits = (0..<120).map {
                #"{"site":"s\#($0 % 4)","path":"/","visitor":"v\#($0)","@time":\#(1_431_857_100 + $0)}"#
            }
            #expect(try await bus.run("produce", "Hit", stdin: hits.joined(separator: "\n")).exit == 0)
            for second in [0, 30, 59, 60, 119] {
                let at = Date(timeIntervalSince1970: Double(1_431_857_100 + second)).formatted(.iso8601)
                let page = try await bus.query("hits.window", "--site", "*", "--window", "60s", "--as-of", "@\(at)")
                #expect(page["rows"][0]["hits"].int == min(60, second + 1), "\(at)")
                #expect(page["rows"][0]["at"].string == at)
            }
            let record = try #require(
                try await bus.replay("hits.events").first { $0["timestamp"] == "2015-05-17T10:05:41Z" })
            let place = "hits.events/\(record["partition"].int)@\(record["offset"].int)"
            let page = try await bus.query("hits.window", "--site", "*", "--window", "60s", "--as-of", place)
            #expect(page["rows"][0]["hits"].int == 42)
        }
    }

    @Test func `has what came late, and nothing that is later, wherever they stand`() async throws {
        try await onBus { bus in
            func hit(_ second: Int) -> String {
                #"{"site":"s","path":"/","visitor":"v","@time":\#(1_431_857_100 + second)}"#
            }
            func hits(_ past: String, _ options: String...) async throws -> Int {
                let page = try await bus.start(
                    ["query", "hits.window", "--site", "s", "--window", "1h", "--as-of", past] + options
                ).end()
                #expect(page.exit == 0, "\(page)")
                return try JSON(page.out)["rows"][0]["hits"].int
            }
            func at(_ second: Int) -> String { "@\(1_431_857_100_000 + Int64(second) * 1000)" }
            let seconds = [40, 10, 50, 20, 30]
            #expect(try await bus.run("produce", "Hit", stdin: seconds.map(hit).joined(separator: "\n")).exit == 0)
            #expect(try await bus.run("snapshot", "hits.windows", "--every", "1").exit == 0)
            for (second, count) in [(9, 0), (10, 1), (25, 2), (30, 3), (40, 4), (49, 4), (50, 5), (90, 5)] {
                #expect(try await hits(at(second)) == count, "\(second)")
                #expect(try await hits(at(second), "--from-start") == count, "\(second)")
            }
            // By a place: its partition up to there, and of the others what is not later.
            let first = try #require(try await bus.replay("hits.events").first)
            let place = first["partition"].int
            for (offset, second) in seconds.enumerated() {
                // The window ends with the record's own second.
                let count = seconds[...offset].count { $0 <= second }
                #expect(try await hits("hits.events/\(place)@\(offset)") == count, "\(offset)")
            }
            let early = try await bus.query("hits.window", "--site", "s", "--as-of", at(25))
            #expect(early["asOf"]["hits.events/\(place)"].int == 4, "past the last that counts")
        }
    }

    @Test(arguments: [
        "hits.window --site s", "orders.late", "orders.status --order o", "orders.courier --courier c",
        "orders.notifications --customer c", "rides.driver --driver d", "social.trends", "social.timeline --user u",
        "social.mentions --user u", "tickets.calendar", "tickets.sections --event e", "tickets.seats --event e",
    ])
    func `of the first and the last moment that there are is shown`(query: String) async throws {
        try await onBus { bus in
            let hit = #"{"site":"s","path":"/","visitor":"v","@time":1431857100}"#
            #expect(try await bus.run("produce", "Hit", stdin: hit).exit == 0)
            for past in ["@9223372036854775807", "@-9223372036854775808", "@253402300800000"] {
                let ended = try await bus.start(
                    ["query"] + query.split(separator: " ").map(String.init) + ["--as-of", past]
                )
                .end()
                #expect(ended.exit == 0 && ended.out.contains(#""rows":["#), "\(past) \(ended)")
            }
        }
    }

    /// The recipe of the domain's page.
    @Test func `has drivers whose locations were imported in any order`() async throws {
        try await onBus { bus in
            let locations = [(50, "b"), (10, "a"), (60, "a"), (20, "b"), (30, "c")].map { second, driver in
                #"{"driver":"\#(driver)","lat":48.1,"lng":2.1,"@time":\#(1_431_857_100 + second)}"#
            }
            let produced = try await bus.run("produce", "DriverLocation", stdin: locations.joined(separator: "\n"))
            #expect(produced.exit == 0, "\(produced)")
            let at = "1431857125000"
            let near = ["rides.nearby", "--lat", "48.1", "--lng", "2.1"]
            let past = try await bus.start(["query"] + near + ["--as-of", "@" + at]).end()
            let drivers = try JSON(past.out)["rows"].array.map { $0["driver"].string }
            #expect(drivers == ["a", "b"], "\(past)")
            let views = "sqlite:\(bus.folder)/then"
            let folded = try await bus.run(
                "replay", "rides.locations", "--to", "@" + at, "--into", "rides.drivers", "--views", views)
            #expect(folded.exit == 0, "\(folded)")
            let then = try await bus.start(["query"] + near + ["--at", "2015-05-17T10:05:25Z", "--views", views]).end()
            #expect(try JSON(then.out)["rows"].array.map { $0["driver"].string } == drivers, "\(then)")
        }
    }

    @Test(arguments: [
        ("@soon", "--as-of @soon is no moment, such as @2026-11-01T20:00:00Z or @-1h"),
        ("hits.events", "hits.events is not TOPIC/PARTITION@OFFSET"),
        ("tickets.events/0@0", "hits.windows is folded from hits.events, not tickets.events/0"),
        ("hits.events/0@5", "hits.events/0 has no offset 5: it has none"),
    ])
    func `that never was is told`(past: String, message: String) async throws {
        try await onBus { bus in
            let ended = try await bus.run("query", "hits.window", "--as-of", past)
            #expect(ended.exit == 64 && ended.err.contains(message), "\(ended)")
            let both = try await bus.run("query", "hits.window", "--as-of", "@now", "--after", "hits.events/0@0")
            #expect(both.exit == 64 && both.err.contains("--after and --as-of exclude each other"), "\(both)")
        }
    }
}
