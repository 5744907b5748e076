import TestSupport
import Testing

@Suite("A file of commands", .serialized, .timeLimit(.minutes(10)))
struct SendFileTests {
    private static let orders = (0..<1200).map { #"{"@id":"o-\#($0)","order":"o\#($0 % 400)","customer":"ann"}"# }

    @Test func `is sent in its order, and again gives the same outcomes`() async throws {
        try await onBus { bus in
            _ = try await bus.work("handler")
            let file = try bus.file("orders.ndjson", Self.orders.joined(separator: "\n") + "\n\n")
            let first = try await bus.run("send", "PlaceOrder", "--file", file, "--timeout", "40s")
            let outcomes = try first.lines.map { try JSON($0) }
            #expect(first.exit == 0 && outcomes.map { $0["id"].string } == (0..<1200).map { "o-\($0)" }, "\(first)")
            let events = try await bus.count("orders.events")
            #expect(events == 400)
            let again = try await bus.run("send", "PlaceOrder", "--file", file, "--timeout", "40s")
            #expect(again.out == first.out)
            #expect(try await bus.count("orders.events") == events)
        }
    }

    @Test func `may have commands of several domains, with their times`() async throws {
        try await onBus { bus in
            _ = try await bus.work("handler")
            let lines = """
                {"@command":"PlaceOrder","@id":"a","@time":"2026-11-01T20:00:00Z","order":"o1","customer":"ann"}
                {"@command":"social.PostTweet","@id":"b","user":"ann","text":"hi","tweet":"t1"}
                {"@command":"MarkDelivered","@id":"c","order":"o1"}
                """
            let ended = try await bus.run("send", "--file", "-", "--timeout", "40s", stdin: lines)
            let outcomes = try ended.lines.map { try JSON($0) }
            #expect(ended.exit == 1 && outcomes.map { $0["id"].string } == ["a", "b", "c"], "\(ended)")
            #expect(outcomes.map { $0["outcome"].string } == ["accepted", "accepted", "refused"])
            #expect(try await bus.replay("orders.events")[0]["timestamp"].string.hasPrefix("2026-11-01T20:00:00"))
        }
    }

    @Test(arguments: [
        ("{", "is no JSON object"), (#"{"order":"o2"}"#, "@command: is missing"),
        (#"{"@command":"Place"}"#, "@command: there is no command Place"),
        (#"{"@command":"PlaceOrder","@id":"a:b","order":"o2","customer":"c"}"#, "@id: must be 1 to 128 characters"),
        (#"{"@command":"PlaceOrder","@time":"9999-01-01T00:00:00Z","order":"o2","customer":"c"}"#, "@time: "),
        (#"{"@command":"PlaceOrder","order":""}"#, "order"),
    ])
    func `stops at a bad line and names it`(_ line: String, _ why: String) async throws {
        try await onBus { bus in
            _ = try await bus.work("handler")
            let good = #"{"@command":"PlaceOrder","@id":"a","order":"o1","customer":"ann"}"#
            let ended = try await bus.run("send", "--file", "-", "--timeout", "40s", stdin: good + "\n" + line)
            #expect(ended.exit == 65 && ended.err.contains("line 2: ") && ended.err.contains(why), "\(ended)")
            #expect(ended.err.contains("before it that were decided: 1") && ended.lines.count == 1)
            #expect(try await bus.count("orders.commands") == 1)
        }
    }

    @Test func `goes on behind bad lines where it is told to, and sums up`() async throws {
        try await onBus { bus in
            _ = try await bus.work("handler")
            let file = try bus.file(
                "orders.ndjson",
                """
                {"@id":"a","order":"o1","customer":"ann"}
                {"@id":"b","order":
                {"@id":"c","order":"o1","customer":"ben"}
                {"@id":"d","order":"","customer":"ben"}
                {"@id":"e","order":"o2","customer":"ben"}
                """)
            let ended = try await bus.run(
                "send", "PlaceOrder", "--file", file, "--on-error", "skip", "--timeout", "40s")
            let outcomes = try ended.lines.map { try JSON($0) }
            #expect(outcomes.map { $0["id"].string } == ["a", "c", "e"], "\(ended)")
            #expect(
                ended.exit == 1 && ended.err.contains("line 2: ") && ended.err.contains("line 4: order: is missing"))
            #expect(ended.err.contains("2 accepted, 1 refused (1 order-exists), 2 bad lines skipped"), "\(ended)")
            let none = try await bus.run("send", "PlaceOrder", "--file", "-", "--on-error", "skip", stdin: "{\n[]\n")
            #expect(none.exit == 65 && none.err.contains("no line was a command"), "\(none)")
            let alone = try await bus.run("send", "PlaceOrder", "{}", "--on-error", "skip")
            #expect(alone.exit == 64 && alone.err.contains("--on-error goes with --file"), "\(alone)")
        }
    }

    @Test func `excludes what is given for one command`() async throws {
        try await onBus { bus in
            for rest in [["--id", "a"], ["{}"], ["--order", "o1"]] {
                let ended = try await bus.start(["send", "PlaceOrder", "--file", "-"] + rest).end()
                #expect(ended.exit == 64 && ended.err.contains("--file has the commands"), "\(ended)")
            }
            let ended = try await bus.run("send")
            #expect(ended.exit == 64 && ended.err.contains("say which command"), "\(ended)")
        }
    }
}
