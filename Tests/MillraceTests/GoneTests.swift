import Foundation
import TestSupport
import Testing

@Suite("A log that has lost its beginning, or its end", .serialized, .timeLimit(.minutes(10)))
struct GoneTests {
    /// Hits of 2015, folded, of which those before the newest batch of a partition are dropped.
    private func shortLog(_ bus: Bus) async throws {
        for second in [100, 200, 300] {
            let hit = #"{"site":"s","path":"/","visitor":"v","@time":\#(1_431_857_000 + second)}"#
            #expect(try await bus.run("produce", "Hit", stdin: hit).exit == 0)
        }
        let projector = try await bus.work("projector")
        try await bus.settle()
        try await projector.stop()
        let declared = try await bus.plain(["topics", "declare"]).out
        let topics = try bus.file(
            "topics.yaml",
            declared.replacing(
                #/(hits\.events:\n    partitions: 8\n(?: .*\n)*?    retention: )forever/#
            ) { "\($0.1)1d" })
        let applied = try await bus.run("topics", "apply", "--topics", topics, "--table")
        #expect(applied.exit == 0 && applied.out.contains("changed  hits.events"), "\(applied)")
        #expect(
            applied.err.contains("warning: hits.events keeps records for 1d only")
                && applied.err.contains("hits.windows can be neither verified nor rebuilt"), "\(applied)")
        // Whoever works looks after retention first.
        let worker = try await bus.work("projector")
        try await eventually("hits to be dropped") {
            try await bus.count("hits.events") == 0 ? true : nil
        }
        try await worker.stop()
    }

    @Test func `views are not called wrong then, nor replaced by less without a word`() async throws {
        try await onBus { bus in
            try await shortLog(bus)
            let verified = try await bus.run("verify", "hits.windows")
            #expect(verified.exit == 0, "\(verified)")
            let finding = try JSON(verified.out)
            #expect(finding["problem"] == nil)
            #expect(finding["unchecked"].string.contains("cannot be checked before offset 3"), "\(verified)")
            #expect(verified.err.contains("not checked: hits.windows"), "\(verified)")
            let table = try await bus.run("verify", "--table")
            #expect(table.exit == 0 && !table.out.contains("WRONG") && table.out.contains("not checked"), "\(table)")

            func sum() async throws -> Int {
                try await bus.query("hits.window", "--site", "s", "--window", "1h", "--at", "2015-05-17T10:30:00Z")[
                    "rows"][0]["hits"].int
            }
            for refused in [
                ["rebuild", "hits.windows"], ["rebuild", "hits.windows", "--dry-run"],
                ["snapshot", "hits.windows", "--every", "1"],
                ["replay", "hits.events", "--into", "hits.windows", "--views", "sqlite:\(bus.folder)/fresh"],
            ] {
                let ended = try await bus.start(refused).end()
                #expect(ended.exit == 65 && ended.out.isEmpty, "\(ended)")
                #expect(
                    ended.err.contains("begins at 3: what was before is past its retention")
                        && ended.err.contains("--without-what-is-gone"), "\(ended)")
            }
            #expect(try await sum() == 3, "the live view has what it had")
            let kept = try await bus.run("snapshot", "hits.windows")
            #expect(kept.exit == 0, "a view is kept as it is: \(kept)")
            let replayed = try await bus.run(
                "replay", "hits.events", "--into", "hits.windows", "--views", "sqlite:\(bus.folder)/fresh",
                "--without-what-is-gone")
            #expect(replayed.exit == 0 && replayed.out.contains(#""folded":0"#), "\(replayed)")
            let rebuilt = try await bus.run("rebuild", "hits.windows", "--without-what-is-gone")
            #expect(rebuilt.exit == 0, "\(rebuilt)")
            #expect(try await sum() == 0)
            let back = try await bus.run("rebuild", "hits.windows", "--rollback")
            #expect(back.exit == 0, "\(back)")
            #expect(try await sum() == 3)
            let (no, without) = (
                try await bus.run("snapshot", "--without-what-is-gone"),
                try await bus.run("replay", "hits.events", "--without-what-is-gone")
            )
            #expect(no.exit == 64 && without.exit == 64)
        }
    }

    @Test
    func `events that were gone before they were folded are told of, counted, and no reason to call a view wrong`()
        async throws
    {
        try await onBus { bus in
            func produce(_ second: Int) async throws {
                let hit = #"{"site":"s","path":"/","visitor":"v","@time":\#(1_431_857_000 + second)}"#
                #expect(try await bus.run("produce", "Hit", stdin: hit).exit == 0)
            }
            try await produce(1)
            let first = try await bus.work("hits.windows")
            try await eventually("a hit to be folded") {
                (try? Tables("\(bus.log)/views/hits.windows@1.sqlite"))?.folded == 1 ? true : nil
            }
            try await first.stop()
            for second in 2...4 { try await produce(second) }
            let declared = try await bus.plain(["topics", "declare"]).out
            let topics = try bus.file(
                "topics.yaml",
                declared.replacing(
                    #/(hits\.events:\n    partitions: 8\n(?: .*\n)*?    retention: )forever/#
                ) { "\($0.1)1d" })
            #expect(try await bus.run("topics", "apply", "--topics", topics).exit == 0)
            // Another worker's process looks after retention.
            let other = try await bus.work("orders.handler")
            try await eventually("hits to be dropped") { try await bus.count("hits.events") == 0 ? true : nil }
            try await other.stop()

            func gone() async throws -> JSON {
                let lag = try await bus.run("lag", "--sum", "--json")
                return try #require(try lag.lines.map { try JSON($0) }.first { $0["worker"] == "hits.windows" })
            }
            #expect(try await gone()["gone"].int == 3, "before its projector runs")
            let second = try await bus.work("hits.windows")
            try await eventually("the projector to say so: \(second.err)") {
                second.err.contains("hits.windows has missed 3 records of hits.events/") ? true : nil
            }
            try await second.stop()
            for _ in 0..<2 {
                let now = try await gone()
                #expect(now["gone"].int == 3 && now["lag"].int == 0, "\(now)")
                let third = try await bus.work("hits.windows")
                try await third.stop()
            }
            let table = try await bus.run("lag", "--table")
            #expect(table.out.contains(#/hits\.windows +hits\.events\/\d +1 +4 +0 +3\n/#), "\(table)")
            let verified = try await bus.run("verify", "--table")
            #expect(verified.exit == 0 && !verified.out.contains("WRONG"), "\(verified)")
            #expect(
                verified.err.contains("not checked: hits.windows: cannot be checked before offset 4"), "\(verified)")
        }
    }

    @Test func `a retention of nothing is warned of wherever topics are shown`() async throws {
        try await onBus { bus in
            let declared = try await bus.plain(["topics", "declare"]).out
            let topics = try bus.file(
                "topics.yaml",
                declared.replacing("retention: forever", with: "retention: 0").replacing(
                    "retention: 7d", with: "retention: 1m"))
            for command in ["apply", "check", "list"] {
                let ended = try await bus.run("topics", command, "--topics", topics)
                #expect(ended.exit == 0, "\(ended)")
                #expect(ended.err.contains("warning: tickets.events has a retention of 0: every record"), "\(ended)")
                #expect(!ended.err.contains("millrace.imports"), "\(ended)")
                if command == "list" { continue }
                for words in [
                    "tickets.handler decides by all of them", "tickets.seatmap, tickets.calendar can be neither",
                    "warning: tickets.commands keeps records for 1m only. commands that tickets.handler has not read",
                    "tickets.handler forgets ids with them", "cannot fold again what it remembers",
                    "workers forget which records wait",
                ] { #expect(ended.err.contains(words), "\(words): \(ended)") }
            }
            let described = try await bus.run("topics", "describe", "hits.events", "--topics", topics)
            #expect(described.err.contains("warning: hits.events has a retention of 0"), "\(described)")
            let kept = try await bus.run("topics", "check", "--topics", bus.file("kept.yaml", declared))
            #expect(!kept.err.contains("warning"), "\(kept)")
        }
    }

    /// The log is set back to what it was before its newest hits.
    private func olderLog(_ bus: Bus) async throws {
        let hit = #"{"site":"s","path":"/","visitor":"v"}"#
        #expect(try await bus.run("produce", "Hit", stdin: hit).exit == 0)
        let copy = bus.folder + "/copy"
        func files() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: bus.log).filter { $0.hasPrefix("log.sqlite") }
        }
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        for file in try files() {
            try FileManager.default.copyItem(atPath: "\(bus.log)/\(file)", toPath: "\(copy)/\(file)")
        }
        let more = (0..<50).map { _ in hit }.joined(separator: "\n")
        #expect(try await bus.run("produce", "Hit", stdin: more).exit == 0)
        let projector = try await bus.work("projector")
        try await bus.settle()
        try await projector.stop()
        for file in try files() { try FileManager.default.removeItem(atPath: "\(bus.log)/\(file)") }
        for file in try FileManager.default.contentsOfDirectory(atPath: copy) {
            try FileManager.default.copyItem(atPath: "\(copy)/\(file)", toPath: "\(bus.log)/\(file)")
        }
    }

    @Test func `views ahead of a log that was restored are told of at once by all who look`() async throws {
        try await onBus { bus in
            try await olderLog(bus)
            for command in [
                ["verify"], ["verify", "hits.windows"], ["verify", "--invariants"],
                ["verify", "--invariants", "--at-rest"], ["snapshot"], ["snapshot", "hits.windows"], ["lag"],
                ["lag", "--sum"], ["lag", "--sum", "--wait", "60s"], ["rebuild", "hits.windows"], ["up"],
                ["work", "projector"],
            ] {
                let began = ContinuousClock.now
                let ended = try await bus.start(command).end(within: .seconds(300))
                #expect(ended.exit == 65, "\(command): \(ended)")
                #expect(
                    ended.err.contains("past the log's end") || ended.err.contains("is ahead of the log"),
                    "\(command): \(ended)")
                #expect(ContinuousClock.now - began < .seconds(30), "\(command)")
            }
            let lag = try await bus.run("lag", "--sum", "--json")
            let line = try #require(try lag.lines.map { try JSON($0) }.first { $0["worker"] == "hits.windows" })
            #expect(line["lag"].int == 0 && line["ahead"].int == 50, "\(lag)")
            let table = try await bus.run("lag", "--table")
            #expect(table.out.contains("50 ahead"), "\(table)")
            let snapshots = try await bus.run("snapshot", "--list")
            #expect(snapshots.exit == 0 && snapshots.out.isEmpty, "none is kept of such a view: \(snapshots)")
        }
    }

    @Test func `a view whose database is damaged stops its worker, and no other of the process`() async throws {
        try await onBus { bus in
            let hit = #"{"site":"s","path":"/","visitor":"v"}"#
            #expect(try await bus.run("produce", "Hit", stdin: hit).exit == 0)
            let projector = try await bus.work("projector")
            try await bus.settle()
            try await projector.stop()
            try Tables.change(
                bus.views + "/hits.windows@1.sqlite", "UPDATE _checkpoints SET next = -5 WHERE next > 0")
            let up = try bus.start("up")
            try await eventually("hits.windows to stop: \(up.err)") {
                up.err.contains("hits.windows has stopped, and the other workers go on") ? true : nil
            }
            try await bus.list("e1")
            up.send(SIGTERM)
            let ended = try await up.end()
            #expect(ended.exit == 65 && ended.err.contains("is damaged"), "\(ended)")
        }
    }

    @Test func `a view whose database is damaged is told of with its place`() async throws {
        try await onBus { bus in
            let hit = #"{"site":"s","path":"/","visitor":"v"}"#
            #expect(try await bus.run("produce", "Hit", stdin: hit).exit == 0)
            let projector = try await bus.work("projector")
            try await bus.settle()
            try await projector.stop()
            let place = bus.views + "/hits.windows@1.sqlite"
            // Nothing else can write these: they are pages that were overwritten.
            for sql in [
                "UPDATE _checkpoints SET next = -5 WHERE next > 0",
                "UPDATE _checkpoints SET partition = 99999999999 WHERE next = -5",
            ] {
                try Tables.change(place, sql)
                for command in [
                    ["query", "hits.window"], ["verify", "hits.windows"], ["lag"], ["work", "hits.windows"],
                ] {
                    let ended = try await bus.start(command).end()
                    #expect(ended.exit == 65 && ended.err.contains(place), "\(command): \(ended)")
                    #expect(ended.err.contains("delete it, and its worker will build it again"), "\(ended)")
                }
            }
        }
    }
}
