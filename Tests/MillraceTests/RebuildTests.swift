import Foundation
import TestSupport
import Testing

@Suite("Rebuilding a view", .serialized, .timeLimit(.minutes(10)))
struct RebuildTests {
    private func hits(_ bus: Bus, _ range: Range<Int>) async throws {
        let lines = range.map {
            #"{"site":"s\#($0 % 3)","path":"/","visitor":"v","@time":\#(1_431_857_100 + $0 / 10)}"#
        }
        #expect(try await bus.run("produce", "Hit", stdin: lines.joined(separator: "\n")).exit == 0)
    }

    private func sum(_ bus: Bus) async throws -> Int {
        try await bus.query("hits.window", "--site", "*", "--window", "1h", "--at", "2015-05-17T10:30:00Z")["rows"][0][
            "hits"
        ].int
    }

    @Test func `goes on while the bus works, also after it was killed, and can be taken back`() async throws {
        try await onBus { bus in
            let up = try bus.start("up")
            try await hits(bus, 0..<3000)
            try await bus.settle()
            // So slow that it is caught in the middle.
            let slow = try bus.start("rebuild", "hits.windows", "--rate", "30")
            let beside = "\(bus.views)/hits.windows@1+1.sqlite"
            try await eventually("the build to begin: \(slow.err)") {
                (try? Tables(beside).folded) ?? 0 > 0 ? true : nil
            }
            #expect(try await sum(bus) == 3000, "the live one is what people see")
            try await slow.crash()
            #expect(try await sum(bus) == 3000)

            let rebuilt = try JSON(try await bus.run("rebuild", "hits.windows").out)
            #expect(rebuilt["state"] == "live" && rebuilt["build"].int == 2 && rebuilt["folded"].int == 3000)
            #expect(rebuilt["tables"].array.allSatisfy { $0["differences"].int == 0 } && rebuilt["first"] == [])
            #expect(!FileManager.default.fileExists(atPath: beside), "what the killed one left is gone")
            #expect(try await sum(bus) == 3000)
            try await hits(bus, 3000..<3600)
            try await bus.settle()
            #expect(try await sum(bus) == 3600)
            #expect(try await bus.run("verify", "hits.windows").exit == 0)

            let back = try JSON(try await bus.run("rebuild", "hits.windows", "--rollback").out)
            #expect(back["build"].int == 0 && back["folded"].int == 600)
            try await hits(bus, 3600..<3700)
            try await bus.settle()
            #expect(try await sum(bus) == 3700)
            #expect(try await bus.run("verify", "hits.windows").exit == 0)
            try await up.stop()
        }
    }

    @Test func `shows what differs, and with --dry-run leaves it`() async throws {
        try await onBus { bus in
            let projector = try await bus.work("projector")
            try await hits(bus, 0..<100)
            try await bus.settle()
            try await projector.stop()
            try Tables.change(
                "\(bus.views)/hits.windows@1.sqlite",
                "UPDATE hits_seconds SET hits = hits + 5 WHERE site = 's1' AND second = 1431857104")
            let dry = try await bus.run("rebuild", "hits.windows", "--dry-run", "--table")
            #expect(dry.exit == 65 && dry.out.contains("before, hits_seconds: the row of site \"s1\""), "\(dry)")
            #expect(dry.out.contains("build 1 of hits.windows was removed, 100 events folded"))
            #expect(try await bus.run("verify", "hits.windows").exit == 65)
            let real = try JSON(try await bus.run("rebuild", "hits.windows").out)
            #expect(real["state"] == "live" && real["first"].array.count > 0)
            #expect(try await bus.run("verify", "hits.windows").exit == 0)
            let equal = try await bus.run("rebuild", "hits.windows", "--dry-run")
            #expect(equal.exit == 0)
            // The second one after the first build removes it, and nobody makes it again.
            #expect(try await bus.run("rebuild", "hits.windows").exit == 0)
            let up = try bus.start("up")
            try await eventually("the workers to be up: \(up.err)") { up.err.contains("up after") ? true : nil }
            try await up.stop()
            #expect(!FileManager.default.fileExists(atPath: "\(bus.views)/hits.windows@1.sqlite"))
            #expect(try await sum(bus) == 100)
        }
    }

    @Test func `one at a time is let at a view, and another is told that it runs`() async throws {
        try await onBus { bus in
            let projector = try await bus.work("projector")
            try await hits(bus, 0..<300)
            try await bus.settle()
            let slow = try bus.start("rebuild", "hits.windows", "--rate", "100")
            try await eventually("the build to begin: \(slow.err)") {
                (try? Tables("\(bus.views)/hits.windows@1+1.sqlite").folded) ?? 0 > 0 ? true : nil
            }
            for arguments in [[], ["--dry-run"], ["--rollback"]] {
                let other = try await bus.start(["rebuild", "hits.windows"] + arguments).end()
                #expect(other.exit == 75, "\(arguments): \(other)")
                #expect(
                    other.err.contains(
                        "another rebuild of hits.windows is under way (process \(slow.pid)); wait for it"),
                    "\(arguments): \(other)")
            }
            #expect(try await bus.run("rebuild", "cache.ratios").exit == 0, "another view is another matter")
            let ended = try await slow.end()
            let rebuilt = try JSON(ended.out)
            #expect(ended.exit == 0 && rebuilt["build"].int == 1 && rebuilt["folded"].int == 300, "\(ended)")
            #expect(try await bus.run("rebuild", "hits.windows").exit == 0)
            #expect(try await bus.run("verify", "hits.windows").exit == 0)
            #expect(try await sum(bus) == 300)
            try await projector.stop()
        }
    }

    @Test(arguments: [
        (["tickets.seats"], Int32(64), "there is no projection tickets.seats"),
        (["hits.windows", "--rollback"], 66, "there is no build of hits.windows before the live one to go back to"),
        (["hits.windows", "--rate", "0"], 64, "--rate must be at least 1"),
        (["hits.windows", "--rollback", "--dry-run"], 64, "--rollback goes with neither --dry-run nor --rate"),
    ])
    func `of what cannot be is told`(arguments: [String], exit: Int32, message: String) async throws {
        try await onBus { bus in
            let ended = try await bus.start(["rebuild"] + arguments).end()
            #expect(ended.exit == exit && ended.err.contains(message), "\(ended)")
        }
    }
}
