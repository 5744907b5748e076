import Domains
import EventModel
import Foundation
import TestSupport
import Testing

@Suite("Verifying", .serialized, .timeLimit(.minutes(10)))
struct VerifyTests {
    private func verify(_ bus: Bus, _ arguments: String...) async throws -> (Ended, [JSON]) {
        let ended = try await bus.start(["verify"] + arguments).end()
        return (ended, try ended.lines.map { try JSON($0) })
    }

    /// A log with something of every domain in it, and its views.
    private func city(_ bus: Bus) async throws {
        let ended = try await bus.run("demo", "--seconds", "1", "--fans", "8")
        try #require(ended.exit == 0, "\(ended)")
    }

    @Test func `what workers made is found to be whole, and the least change in it is found`() async throws {
        try await onBus { bus in
            try await city(bus)
            let (whole, findings) = try await verify(bus)
            #expect(whole.exit == 0 && whole.err.isEmpty, "\(whole)")
            #expect(findings.allSatisfy { $0["problem"] == "null" || $0["problem"] == nil })
            let topics = findings.filter { $0["check"] == "topic" }
            let kept = try await bus.count("tickets.events")
            #expect(
                topics.filter { $0["what"].string.hasPrefix("tickets.events/") }.reduce(0) { $0 + $1["count"].int }
                    == kept
            )
            #expect(Set(findings.map { $0["check"].string }) == ["topic", "view", "invariant"])
            // The same log gives the same hashes.
            #expect(try await verify(bus).0.out == whole.out)
            let (again, decided) = try await verify(bus, "--decisions")
            let commands = Domains.all.filter { $0.decider != nil }.flatMap { domain in
                domain.topics.filter { $0.name == domain.commandsTopic }
            }
            #expect(again.exit == 0 && decided.count == commands.reduce(0) { $0 + $1.partitions }, "\(again)")
            #expect(decided.reduce(0) { $0 + $1["count"].int } > 30)
            let named = try await verify(bus, "tickets.seatmap", "--topic", "tickets.events")
            #expect(named.0.exit == 0 && Set(named.1.map { $0["check"].string }) == ["topic", "view"])
            #expect(named.1.count == 4 + 3)

            let view = "\(bus.views)/tickets.seatmap@1.sqlite"
            let changes = [
                ("UPDATE tickets_sections SET sold = sold + 1 WHERE section = 'stalls'", "has sold"),
                ("DELETE FROM tickets_seats WHERE section = 'stalls' AND row_label = 'A' AND number = 3", "is missing"),
                (
                    "INSERT INTO tickets_holds(hold, event, section) VALUES ('ghost', 'gala', 'stalls')",
                    "should not be there"
                ),
            ]
            for (i, (sql, words)) in changes.enumerated() {
                try Tables.change(view, sql)
                let (ended, findings) = try await verify(bus, "tickets.seatmap")
                #expect(ended.exit == 65 && ended.err.contains("tickets.seatmap tickets_"), "\(ended)")
                #expect(findings.contains { $0["problem"].string.contains(words) }, "\(ended)")
                #expect(findings.reduce(0) { $0 + $1["differences"].int } == i + 1)
            }
            let unknown = try await verify(bus, "tickets.seats")
            #expect(unknown.0.exit == 64 && unknown.0.err.contains("there is no projection tickets.seats"))
            #expect(try await verify(bus, "--topic", "nothing").0.exit == 64)
        }
    }

    @Test func `a log with a batch less, or a byte another, is not whole`() async throws {
        try await onBus { bus in
            let hits = (0..<3).map { #"{"site":"s","path":"/\#($0)","visitor":"v"}"# }
            for hit in hits { #expect(try await bus.run("produce", "Hit", stdin: hit).exit == 0) }
            let (whole, findings) = try await verify(bus, "--topic", "hits.events")
            #expect(whole.exit == 0)
            let partition = try #require(findings.first { $0["count"].int == 3 })["what"].string
            let database = bus.log + "/log.sqlite"
            // One hit each in batches of their own, for they have one key.
            try Tables.change(
                database, "DELETE FROM batches WHERE id = (SELECT id FROM batches ORDER BY id LIMIT 1 OFFSET 1)")
            let gap = try await verify(bus, "--topic", "hits.events")
            #expect(gap.0.exit == 65)
            #expect(gap.0.err.contains("\(partition)@1 is missing; the next record is at 2"), "\(gap.0)")
            try Tables.change(
                database,
                """
                UPDATE batches SET frame = CAST(substr(frame, 1, length(frame) - 1) || x'00' AS BLOB)
                WHERE id = (SELECT max(id) FROM batches)
                """)
            let torn = try await bus.run("verify", "--topic", "hits.events", "--table")
            #expect(torn.exit == 65 && torn.out.contains("WRONG"), "\(torn)")
            // A view of another log, or of this one before it was set back.
            _ = try await bus.query("hits.window", "--site", "s")
            try Tables.change(
                "\(bus.views)/hits.windows@1.sqlite",
                "INSERT INTO _checkpoints VALUES ('hits.events', 0, 99, 1, 'x') ON CONFLICT DO UPDATE SET next = 99")
            let ahead = try await bus.run("verify", "hits.windows")
            #expect(ahead.exit == 65 && ahead.err.contains("hits.events/0 up to 99, past the log's end"), "\(ahead)")
        }
    }

    @Test func `views are verified while projectors go on`() async throws {
        try await onBus { bus in
            let up = try bus.start("up")
            let hits = (0..<30_000).map { #"{"site":"s\#($0 % 5)","path":"/\#($0 % 7)","visitor":"v\#($0 % 91)"}"# }
            let producing = try bus.start(["produce", "Hit"], stdin: Array(hits.joined(separator: "\n").utf8))
            var seen: Set<Int> = []
            repeat {
                let (ended, findings) = try await verify(bus, "hits.windows")
                #expect(ended.exit == 0, "\(ended)")
                seen.insert(findings.first?["events"].int ?? 0)
            } while !producing.hasEnded
            try await bus.settle()
            let (ended, findings) = try await verify(bus, "hits.windows")
            #expect(ended.exit == 0 && findings[0]["events"].int == hits.count, "\(ended)")
            #expect(!seen.isEmpty)
            try await up.stop()
        }
    }
}
