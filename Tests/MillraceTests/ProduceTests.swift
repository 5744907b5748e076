import Foundation
import TestSupport
import Testing

@Suite("Producing events", .serialized, .timeLimit(.minutes(10)))
struct ProduceTests {
    private static let hit = #"{"site":"home","path":"/","visitor":"v"}"#

    @Test func `hits come from standard input, a file and a compressed file`() async throws {
        try await onBus { bus in
            let first = try await bus.run("produce", "Hit", stdin: "\(Self.hit)\n\n\(Self.hit)")
            #expect(first.exit == 0 && first.err.isEmpty)
            let last = try JSON(first.out)
            #expect(
                first.out == #"{"produced":2,"refused":0,"bad":0,"last":{"\#(last["last"].names.first ?? "")":1}}"#
                    + "\n")
            let file = try bus.file("hits.ndjson", "\(Self.hit)\r\n\(Self.hit)\r\n")
            #expect(try JSON(try await bus.run("produce", "hits.Hit", "--file", file).out)["produced"] == 2)
            #expect(try await bus.sh("gzip -k \(file)").exit == 0)
            #expect(try JSON(try await bus.run("produce", "Hit", "--file", file + ".gz").out)["produced"] == 2)
            let lines = try await bus.replay("hits.events")
            #expect(lines.map { $0["offset"].int } == Array(0..<6))
            #expect(lines.allSatisfy { $0["event"] == .object(["site": "home", "path": "/", "visitor": "v"]) })
        }
    }

    @Test func `an event's time is now, or what the line says`() async throws {
        try await onBus { bus in
            let before = Date.now.addingTimeInterval(-1)
            try await bus.run("produce", "Hit", stdin: Self.hit)
            let times = [
                #""2026-11-01T10:00:00.250Z""#, #""2026-11-01T12:00:00+02:00""#, "1793527200", "1793527200500",
                #""1793527200""#,
            ]
            let lines = times.map { #"{"site":"home","visitor":"v","when":\#($0)}"# }.joined(separator: "\n")
            let named = try await bus.run("produce", "Hit", "--time-field", "when", stdin: lines)
            #expect(named.exit == 0, "\(named)")
            try await bus.run("produce", "Hit", stdin: #"{"@time":"2026-11-02T00:00:00Z","site":"home","visitor":"v"}"#)
            let said = try await bus.replay("hits.events").map { $0["timestamp"].string }
            let now = try Date(said[0], strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
            #expect((before...Date.now).contains(now))
            #expect(
                said.dropFirst() == [
                    "2026-11-01T10:00:00.250Z", "2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z",
                    "2026-11-01T10:00:00.500Z",
                    "2026-11-01T10:00:00Z", "2026-11-02T00:00:00Z",
                ])
        }
    }

    @Test func `what replay prints can be produced again elsewhere`() async throws {
        try await onBus { bus in
            let lines = (0..<50).map {
                #"{"site":"s\#($0 % 3)","visitor":"v\#($0)","@time":\#(1_793_527_200 + $0),"bytes":9007199254740993}"#
            }
            try await bus.run("produce", "Hit", stdin: lines.joined(separator: "\n"))
            let printed = try await bus.run("replay", "hits.events")
            let copy = "local:\(bus.folder)/copy"
            let again = try await bus.run("produce", "Hit", "--log", copy, stdin: printed.out)
            #expect(try JSON(again.out)["produced"] == 50)
            let copied = try await bus.run("replay", "hits.events", "--log", copy)
            #expect(Set(copied.lines) == Set(printed.lines) && copied.lines.count == 50)
        }
    }

    @Test(arguments: [
        (#"{"site":"home""#, "Hit: is not JSON"), ("hello", "Hit: is not JSON"), ("[1]", "Hit: must be a JSON object"),
        (#"{"site":"home","status":"many"}"#, "status: must be int32"), (#"{"site":5}"#, "site: must be string"),
        (#"{"site":"home","colour":"red"}"#, "colour: is not a field of Hit, which has site, path"),
        (#"{"path":"/"}"#, "site: is missing"),
        (#"{"site":"home","status":99}"#, "status: is 99, it must be 100 to 599"),
        (#"{"site":"home","@time":"2999-01-01T00:00:00Z"}"#, "is over 1m ahead of this machine's clock"),
        (#"{"site":"home","@time":"yesterday"}"#, "@time: must be RFC 3339"),
        (#"{"site":"home","path":"LONG9000"}"#, "path: has 9000 bytes, at most 8192 are allowed"),
        (#"{"site":"home","path":"LONG1100001"}"#, "Hit: has 1100015 bytes, at most 1100000 are allowed"),
        (#"{"site":"home","path":"LONG6800000"}"#, "is over 6700000 bytes"),
        (#"{"site":"home","path":"/","site":"home"}"#, "site: is there twice; give it once"),
        (#"{"site":"\ud840"}"#, #"site: has \ud840, half of a surrogate pair"#),
        (
            #"{"site":"Zoe\u0308"}"#,
            #"site: is "Zoe\u{308}", which is not Unicode's composed form (NFC); write "Zo\u{eb}""#
        ),
        (#"{"site":"a\u202eb"}"#, #"site: has \u{202e}, which shows nothing"#),
        (#"{"site":"INVALID"}"#, "is not UTF-8"), (#"{"site":"a\u0000b"}"#, "site: has a control character"),
    ])
    func `a bad line is told with its number, and stops or is skipped`(_ line: String, _ reason: String) async throws {
        try await onBus { bus in
            var text = line
            if let long = line.firstMatch(of: /LONG(\d+)/) {
                text = line.replacing(long.0, with: String(repeating: "x", count: Int(long.1) ?? 0))
            }
            var bytes = Array("\(Self.hit)\n\(text)\n\(Self.hit)\n".utf8)
            if line.contains("INVALID") {
                bytes =
                    Array(Self.hit.utf8) + [0x0a] + Array(#"{"site":""#.utf8) + [0xff, 0xfe] + Array(#""}"#.utf8) + [
                        0x0a
                    ]
                    + Array(Self.hit.utf8) + [0x0a]
            }
            let stopped = try await bus.start(["produce", "Hit"], stdin: bytes).end()
            #expect(stopped.exit == 65)
            #expect(stopped.err.contains("line 2: ") && stopped.err.contains(reason), "\(stopped)")
            #expect(
                stopped.err.contains("stopped at line 2; the 1 events before it were produced. --on-error skip goes on")
            )
            #expect(try await bus.count("hits.events") == 1)
            let skipped = try await bus.start(["produce", "Hit", "--on-error", "skip"], stdin: bytes).end()
            #expect(skipped.exit == 0 && skipped.err.contains("line 2: "))
            let tally = try JSON(skipped.out)
            #expect(tally["produced"] == 2 && tally["bad"] == 1 && tally["refused"] == 0)
            #expect(try await bus.count("hits.events") == 3)
        }
    }

    @Test func `an event that nobody knows and a file that is not there are told apart`() async throws {
        try await onBus { bus in
            let event = try await bus.run("produce", "Hot", stdin: Self.hit)
            #expect(
                event.exit == 64
                    && event.err.contains("there is no event Hot; did you mean Hit? All are shown by: millrace events"))
            let file = try await bus.run("produce", "Hit", "--file", "\(bus.folder)/none")
            #expect(file.exit == 66 && file.err.contains("cannot be read: No such file"))
            let folder = try await bus.run("produce", "Hit", "--file", bus.folder)
            #expect(folder.exit == 66 && folder.err.contains("is a folder"))
            let torn = try bus.file("torn.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff])
            let damaged = try await bus.run("produce", "Hit", "--file", torn)
            #expect(damaged.exit == 65 && damaged.err.contains("is damaged"), "\(damaged)")
        }
    }

    @Test func `a recorded fact is admitted where it is legal, and refused on a sold seat`() async throws {
        try await onBus { bus in
            _ = try await bus.work()
            try await bus.list()
            let now = Date.now
            let (time, expiry) = (now.formatted(.iso8601), now.addingTimeInterval(300).formatted(.iso8601))
            let total = #""total":{"amount":4500,"currency":"EUR"}"#
            func held(_ hold: String, _ seat: String) -> String {
                #"{"event":"e1","section":"stalls","hold":"\#(hold)","holder":"ann","seats":["\#(seat)"],"expiresAt":"\#(expiry)",\#(total),"@time":"\#(time)"}"#
            }
            let first = try await bus.run("produce", "SeatHeld", "--timeout", "40s", stdin: held("h1", "A-1"))
            #expect(first.exit == 0, "\(first)")
            #expect(try JSON(first.out)["produced"] == 1)
            let sale =
                #""event":"e1","section":"stalls","hold":"h1","holder":"ann","seats":["A-1"],"paymentToken":"tok""#
            let dollar = #"{\#(sale),"total":{"amount":100,"currency":"USD"}}"#
            let other = try await bus.run("produce", "SeatSold", "--timeout", "40s", stdin: dollar)
            #expect(other.exit == 1 && other.err.contains("refused: other-total: the seats of hold h1 cost 45.00 EUR"))
            let sold = "{\(sale),\(total)}"
            #expect(try await bus.run("produce", "SeatSold", "--timeout", "40s", stdin: sold).exit == 0)
            let events = try await bus.count("tickets.events")

            let facts = "\(held("h2", "A-1"))\n\(held("h3", "A-2"))"
            let stopped = try await bus.run("produce", "SeatHeld", "--timeout", "40s", stdin: facts)
            #expect(stopped.exit == 1 && stopped.err.contains("line 1: refused: seat-not-free: seat A-1 is sold"))
            #expect(try await bus.count("tickets.events") == events)
            // A line that was produced before it needs no more words: the tally says it.
            let second = "\(held("h4", "A-3"))\n\(held("h2", "A-1"))"
            let after = try await bus.run("produce", "SeatHeld", "--timeout", "40s", stdin: second)
            #expect(after.exit == 1 && after.err.split(separator: "\n").count == 1, "\(after)")
            #expect(after.err.hasPrefix("line 2: refused: seat-not-free"), "\(after)")
            let skipped = try await bus.run(
                "produce", "SeatHeld", "--on-error", "skip", "--timeout", "40s", stdin: facts)
            #expect(skipped.exit == 1)
            let tally = try JSON(skipped.out)
            #expect(tally["produced"] == 1 && tally["refused"] == 1 && tally["bad"] == 0)
            try await bus.settle()
            let seats = try await bus.query("tickets.seats", "--event", "e1")["rows"].array.prefix(2)
            #expect(
                seats.map { $0["hold"].string } == ["h1", "h3"]
                    && seats.map { $0["status"].string } == ["sold", "held"])
        }
    }
}
