import Foundation
import TestSupport
import Testing

@Suite("Starting and stopping in order", .serialized, .timeLimit(.minutes(10)))
struct StopTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func `workers that are told to stop commit and leave with 0`(_ signal: Int32) async throws {
        try await onBus { bus in
            try await bus.run(
                "produce", "Hit", stdin: String(repeating: #"{"site":"home","visitor":"v"}"# + "\n", count: 2000))
            let worker = try await bus.work()
            try await eventually("the view to begin") {
                (try? Tables("\(bus.log)/views/hits.windows@1.sqlite"))?.folded ?? 0 > 0 ? true : nil
            }
            let ended = try await worker.stop(signal)
            #expect(ended.exit == 0 && ended.err.hasSuffix("millrace: stopped\n"), "\(ended)")
            // Nobody has to wait for one that left in order to be missed.
            let next = try await bus.work()
            try await bus.settle(within: .seconds(300))
            #expect(try await next.stop(signal).exit == 0)
            #expect(try Tables("\(bus.log)/views/hits.windows@1.sqlite").folded == 2000)
        }
    }

    @Test func `up runs everything in one process, is ready at once and stops in order`() async throws {
        try await onBus { bus in
            let up = try bus.start("up")
            try await eventually("up to be ready: \(up.err)") { up.err.contains("the views are sqlite:") ? true : nil }
            let ready = try #require(
                up.err.firstMatch(
                    of:
                        /up after (\d+) ms: \d+ handlers, \d+ reactors, \d+ projectors of \d+ domains; --verbose names them\n/
                ))
            #expect(Int(ready.1) ?? .max < 5000)
            #expect(up.err.contains("the log is local:\(bus.log)"))
            try await bus.list()
            let hit = try JSON(try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#).out)
            let place = try #require(hit["last"].members.first)
            let window = try await bus.query(
                "hits.window", "--site", "home", "--window", "1h", "--after", "\(place.key)@\(place.value.int)")
            #expect(window["rows"][0]["hits"] == 1)
            let ended = try await up.stop()
            #expect(ended.exit == 0 && ended.err.hasSuffix("millrace: stopped\n"), "\(ended)")
        }
    }

    @Test func `a worker that was stopped and goes on loses and doubles nothing`() async throws {
        try await onBus { bus in
            let frozen = try await bus.work("projector")
            frozen.send(SIGSTOP)
            let line = #"{"site":"home","visitor":"v"}"# + "\n"
            try await bus.run("produce", "Hit", stdin: String(repeating: line, count: 500))
            let other = try await bus.work("projector")
            frozen.send(SIGCONT)
            try await bus.run("produce", "Hit", stdin: String(repeating: line, count: 500))
            try await bus.settle()
            #expect(try await frozen.stop().exit == 0)
            #expect(try await other.stop().exit == 0)
            #expect(try await bus.query("hits.window", "--site", "home", "--window", "1h")["rows"][0]["hits"] == 1000)
        }
    }

    @Test func `several processes of one worker share its partitions`() async throws {
        try await onBus { bus in
            let first = try await bus.work("projector")
            _ = try await bus.work("projector")
            let line = (0..<64).map { #"{"site":"home","visitor":"v\#($0)"}"# }.joined(separator: "\n")
            for _ in 0..<3 { try await bus.run("produce", "Hit", stdin: line) }
            try await first.crash()
            for _ in 0..<3 { try await bus.run("produce", "Hit", stdin: line) }
            try await bus.settle()
            #expect(try await bus.query("hits.window", "--site", "home", "--window", "1h")["rows"][0]["hits"] == 384)
        }
    }
}
