import ArgumentParser
import Domains
import EventModel
import Foundation
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

@Suite("What is wrong is said", .serialized, .timeLimit(.minutes(10)))
struct SilenceTests {
    private static let hit = #"{"site":"home","visitor":"v"}"# + "\n"
    private static let catalogue = Catalogue(domains: Domains.all)

    @Test func `a view that is behind, or was never folded, says how far and what to start`() async throws {
        try await onBus { bus in
            #expect(try await bus.run("query", "hits.window").err == "", "nothing has happened yet")
            try await bus.run("produce", "Hit", stdin: String(repeating: Self.hit, count: 3))
            let never = try await bus.run("query", "hits.window", "--site", "home")
            #expect(
                never.exit == 0
                    && never.err == """
                        millrace: hits.windows has never been folded, and hits.events has 3 events for it; start: millrace up, or \
                        millrace work hits.windows

                        """,
                "\(never)")
            let worker = try await bus.work("hits.windows")
            try await bus.settled("hits.windows")
            #expect(try await bus.run("query", "hits.window", "--site", "home").err == "")
            try await worker.stop()
            try await bus.run("produce", "Hit", stdin: Self.hit)
            let behind = try await bus.run("query", "hits.window", "--site", "home")
            #expect(
                behind.exit == 0 && behind.err.contains("hits.windows is 1 event behind hits.events")
                    && behind.err.contains("millrace work hits.windows"), "\(behind)")
            #expect(try JSON(behind.out)["rows"][0]["hits"] == 3)
        }
    }

    @Test func `an empty answer does not wait for a broker that is down`() async throws {
        try await onBus { bus in
            // Nobody listens at a port that was just free.
            let port = try FreePort.find()
            let began = ContinuousClock.now
            let ended = try await bus.plain([
                "query", "tickets.seats", "--event", "e1", "--log", "kafka://127.0.0.1:\(port)", "--views",
                "sqlite:\(bus.folder)/views",
            ])
            #expect(ended.exit == 0, "\(ended)")
            #expect(try JSON(ended.out)["rows"].array.isEmpty)
            #expect(ended.err.contains("how far tickets.seatmap is behind could not be looked up: "), "\(ended)")
            #expect(ended.err.contains("within 1 s"), "\(ended)")
            // To open a log takes a command that needs it ten seconds.
            #expect(ContinuousClock.now - began < .seconds(9), "\(ended)")
        }
    }

    @Test func `an empty answer says that a log that is damaged could not be asked`() async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: Self.hit)
            for file in try FileManager.default.contentsOfDirectory(atPath: bus.log) where file.hasPrefix("log.sqlite-")
            {
                try FileManager.default.removeItem(atPath: "\(bus.log)/\(file)")
            }
            try Data("no database".utf8).write(to: URL(fileURLWithPath: bus.log + "/log.sqlite"))
            let ended = try await bus.run("query", "tickets.seats", "--event", "e1")
            #expect(ended.exit == 0 && ended.err.contains("could not be looked up"), "\(ended)")
        }
    }

    @Test(arguments: [
        (
            ["query", "tickets.seats", "--event", "e", "--status", "fre"],
            "fre is not one of free, held, sold; did you mean free?"
        ),
        (["query", "tickets.seats", "--event", "e", "--status", "gone"], "gone is not one of free, held, sold"),
        (["import", "gps", "x.csv", "--format", "gpz"], "gpz is not one of table, gpx; did you mean gpx?"),
        (["replay", "hits.events", "--type", "Hot"], "there is no type Hot in hits.events"),
    ])
    func `a value that is none of those there are is refused with them`(_ words: [String], _ message: String)
        async throws
    {
        try await onBus { bus in
            let ended = try await bus.start(words).end()
            #expect(ended.exit == 64 && ended.err.contains(message), "\(ended)")
        }
    }

    @Test func `an event's value that is none of its enumeration is refused with them`() async throws {
        try await onBus { bus in
            let line = #"{"order":"o","customer":"c","status":"recieved","expectedAt":"2030-01-01T00:00:00Z"}"#
            let ended = try await bus.run("produce", "OrderStatusChanged", stdin: line)
            #expect(
                ended.exit == 65
                    && ended.err.contains(
                        "recieved is not one of received, assigned, picked_up, delivered, cancelled; did you mean received?"
                    ),
                "\(ended)")
        }
    }

    @Test func `names are found whatever their case`() async throws {
        try await onBus { bus in
            #expect(try await bus.run("produce", "hit", stdin: Self.hit).exit == 0)
            #expect(try await bus.run("query", "Hits.Window", "--SITE", "home").exit == 64, "an option is no name")
            #expect(try await bus.run("query", "Hits.Window", "--site", "home").exit == 0)
            #expect(try await bus.run("query", "tickets.seats", "--event", "e", "--status", "FREE").exit == 0)
            #expect(try await bus.run("replay", "hits.events", "--type", "hit").lines.count == 1)
            #expect(try await bus.run("verify", "HITS.WINDOWS").exit == 0)
            #expect(try await bus.run("quarantine", "list", "Tickets.Handler").exit == 0)
            #expect(try await bus.plain(["events", "holdseats"]).lines.count == 1)
            #expect(try await bus.run("work", "Tickets.SeatMap", "--list").lines.count == 1)
            _ = try await bus.work("Handler")
            let sent = try await bus.run("send", "placeorder", "--order", "o", "--customer", "c")
            #expect(sent.exit == 0, "\(sent)")
            let slip = try await bus.run("send", "placeordr", "--order", "o", "--customer", "c")
            #expect(slip.exit == 64 && slip.err.contains("did you mean PlaceOrder?"), "\(slip)")
        }
    }

    @Test func `a field is taken in the spelling of JSON, of SQL and of options`() async throws {
        try await onBus { bus in
            _ = try await bus.work("handler")
            for (i, name) in ["--expectedAt", "--expected_at", "--expected-at"].enumerated() {
                let sent = try await bus.run(
                    "send", "PlaceOrder", "--order", "o\(i)", "--customer", "c", name, "2030-01-01T00:00:00Z")
                #expect(sent.exit == 0 || sent.exit == 1, "\(sent)")
            }
            let file = try bus.file("f.csv", "a,b\n")
            for name in ["--skipHeader", "--skip_header", "--skip-header"] {
                #expect(try await bus.run("import", "follows", file, name).exit != 64)
            }
        }
    }

    @Test(arguments: [
        (
            ["Hit", "--site", "a"],
            #"produce reads JSON lines, from standard input or --file: echo '{"site":"a"}' | millrace produce Hit"#
        ),
        (
            ["orderstatuschanged", "--order", "o1"],
            #"echo '{"order":"o1","customer":"a","status":"received","expectedAt":"2030-01-01T00:00:00Z"}'"#
        ),
        (["Hit", "--sit", "a"], "--sit is not an option of produce; did you mean --site?"),
        (["Hit", "--on-eror", "skip"], "did you mean --on-error?"),
    ])
    func `produce shows the line that options should have been`(_ words: [String], _ message: String) async throws {
        try await onBus { bus in
            let ended = try await bus.start(["produce"] + words, stdin: []).end()
            #expect(ended.exit == 64 && ended.err.contains(message), "\(ended)")
        }
    }

    @Test func `every command and event has an example that its domain takes`() throws {
        for found in Self.catalogue.commands + Self.catalogue.events {
            let example = try #require(found.example, "\(found.kind.name)")
            _ = try found.key(found.schema.encode(found.kind, json: Bytes(example.least)))
        }
        for found in Self.catalogue.derived { #expect(found.example == nil) }
    }

    @Test(arguments: [
        ("HoldSeats", ["event", "section", "holder", "seats"]),
        ("ListEvent", ["event", "title", "venue", "startsAt", "sections"]),
        ("PostTweet", ["user", "text"]), ("TweetPosted", ["user", "tweet", "text"]), ("Hit", ["site"]),
        ("DriverLocation", ["driver", "lat", "lng"]), ("PlaceOrder", ["order", "customer"]),
        ("CancelOrder", ["order", "reason"]),
        ("OrderStatusChanged", ["order", "customer", "status", "expectedAt"]),
    ])
    func `a field is required where the domain refuses a message without it`(_ name: String, _ fields: [String])
        async throws
    {
        let found = try #require((Self.catalogue.commands + Self.catalogue.events).first { $0.kind.name == name })
        #expect(found.example?.required == Set(fields))
        try await onBus { bus in
            let shown = try JSON(try await bus.plain(["events", name]).out)["fields"].array
            #expect(shown.filter { $0["required"] == .bool(true) }.map { $0["name"].string } == fields)
            #expect(shown.allSatisfy { $0["required"] != .null })
            let help = try await bus.plain([found.topic.hasSuffix("commands") ? "send" : "produce", name, "--help"])
            let marked = help.lines.filter { $0.contains("(needed)") }.compactMap {
                $0.split(separator: " ").first.map(String.init)
            }
            #expect(marked == fields, "\(help)")
        }
    }

    @Test func `an import that was interrupted says that the same command goes on`() async throws {
        var summary = FileImport.Summary(file: "a.log")
        summary.stopped = "SIGTERM"
        let output = Output(gathering: true)
        let shape = try OutputOptions.parse([])
        let failure = #expect(throws: Failure.self) {
            try Output.$standard.withValue(output) { try summary.show(shape) }
        }
        #expect(failure?.exit == .tryAgain)
        #expect(failure?.message == "SIGTERM: what was read is imported; the same command goes on where it stopped")
    }
}

extension Bus {
    /// Waits until one worker has nothing left to read.
    fileprivate func settled(_ worker: String) async throws {
        try await eventually("\(worker) to have read all") {
            let lines = try await run("lag", "--sum").lines.map { try JSON($0) }
            return lines.first { $0["worker"].string == worker }?["lag"] == 0 ? true : nil
        }
    }
}
