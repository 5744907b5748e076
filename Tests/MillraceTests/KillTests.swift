import Foundation
import TestSupport
import Testing

/// Workers are killed without a word while there is work, and others take their place: nothing is lost or done twice.
@Suite("Workers killed in the middle", .serialized, .timeLimit(.minutes(10)))
struct KillTests {
    @Test(.enabled(if: Weblogs.areHere, Weblogs.absent))
    func `a projector killed during an import leaves the view of an undisturbed run`() async throws {
        try await onBus { bus in
            let once = try await Weblogs.nasa(bus)
            let file = bus.folder + "/long.log"
            #expect(try await bus.sh("cat \(once) \(once) \(once) > \(file)").exit == 0)
            let view = "\(bus.log)/views/hits.windows@1.sqlite"
            let importing = try bus.start("import", "access-log", file, "--site", "nasa")
            try await bus.killProjectors(duringImportOf: 29_997, into: view)
            #expect(try await importing.end().exit == 0)
            _ = try await bus.work("projector")
            try await bus.settle()

            let undisturbed = try Bus()
            let ended = try await undisturbed.run("import", "access-log", file, "--site", "nasa")
            #expect(ended.exit == 0)
            let worker = try await undisturbed.work("projector")
            try await undisturbed.settle()
            try await worker.stop()
            let (rows, expected) = (try Tables(view), try Tables("\(undisturbed.log)/views/hits.windows@1.sqlite"))
            #expect(rows.folded == 29_997 && expected.folded == 29_997)
            #expect(rows.hash == expected.hash)
            await undisturbed.clear()
        }
    }

    private static let houses = 240
    /// A minute ago, as every run is told.
    private static let time = Date.now.addingTimeInterval(-60).formatted(.iso8601)
    /// Ten minutes ago, and when a hold of then ran out.
    private static let past = Date.now.addingTimeInterval(-600)
    private static let (then, over) = (past.formatted(.iso8601), past.addingTimeInterval(300).formatted(.iso8601))

    /// Houses of two sections each, listed; then seats held in each, which run out. All times are given.
    private static let listings = (0..<houses).map { i in
        """
        {"event":"e\(i)","title":"t","venue":"v","startsAt":"2027-01-01T19:30:00Z","@time":"\(time)","sections":\
        [{"name":"a","rows":[{"label":"A","seats":3}],"price":{"amount":100,"currency":"EUR"}},\
        {"name":"b","rows":[{"label":"B","seats":2}],"price":{"amount":200,"currency":"EUR"}}]}
        """
    }
    private static let holds = (0..<houses).map { i in
        """
        {"event":"e\(i)","section":"a","hold":"h\(i)","holder":"ann","seats":["A-1","A-3"],"@time":"\(then)",\
        "expiresAt":"\(over)","total":{"amount":200,"currency":"EUR"}}
        """
    }

    /// Produces lines in portions; once a portion's first events are there, one of the workers is killed, each in its turn,
    /// and another takes its place.
    private func disturb(_ bus: Bus, _ kinds: [String], producing event: String, _ lines: [String]) async throws {
        var workers: [Running] = []
        for kind in kinds { workers.append(try await bus.work(kind)) }
        let size = (lines.count + 2 * kinds.count - 1) / (2 * kinds.count)
        for (kill, start) in stride(from: 0, to: lines.count, by: size).enumerated() {
            let before = try await bus.count("tickets.events")
            let portion = lines[start..<min(start + size, lines.count)].joined(separator: "\n")
            let producer = try bus.start(["produce", event, "--timeout", "60s"], stdin: Array(portion.utf8))
            try await eventually("events of the portion: \(producer.err)") {
                try await bus.count("tickets.events") > before ? true : nil
            }
            let victim = kill % kinds.count
            try await workers[victim].crash()
            // What comes in does not wait until the next one works.
            workers[victim] = try bus.start(["work", kinds[victim]])
            #expect(try await producer.end(within: .seconds(300)).exit == 0, "\(producer.err)")
        }
        for worker in workers { try await worker.stop() }
    }

    /// Every house is listed, its two sections are opened, and its hold has come and gone.
    private func runOut(_ bus: Bus) async throws {
        try await eventually("all holds to run out", within: .seconds(300)) {
            try await bus.count("tickets.events") == 5 * Self.houses ? true : nil
        }
        try await bus.settle()
    }

    private func views(_ bus: Bus) throws -> [Tables] {
        try ["seatmap@1", "calendar@2"].map { try Tables("\(bus.log)/views/tickets.\($0).sqlite") }
    }

    @Test func `handler, reactor and projector killed while facts come in leave the views of an undisturbed run`()
        async throws
    {
        try await onBus { bus in
            try await disturb(bus, ["handler", "reactor", "projector"], producing: "EventListed", Self.listings)
            let rest = try await bus.work()
            try await bus.settle()
            try await rest.stop()
            #expect(try await bus.count("tickets.events") == 3 * Self.houses)
            try await disturb(bus, ["handler", "projector"], producing: "SeatHeld", Self.holds)
            _ = try await bus.work()
            try await runOut(bus)

            let undisturbed = try Bus()
            _ = try await undisturbed.work()
            for (event, lines) in [("EventListed", Self.listings), ("SeatHeld", Self.holds)] {
                let ended = try await undisturbed.run(
                    "produce", event, "--on-error", "skip", "--timeout", "60s", stdin: lines.joined(separator: "\n"))
                #expect(try JSON(ended.out)["produced"].int == Self.houses, "\(ended)")
                try await undisturbed.settle()
            }
            try await runOut(undisturbed)
            let (rows, expected) = (try views(bus), try views(undisturbed))
            #expect(rows.map(\.hash) == expected.map(\.hash))
            #expect(
                rows[0].rows["tickets_seats"]?.count == 5 * Self.houses
                    && rows[0].rows["tickets_holds"]?.count == Self.houses)
            #expect(rows[0].folded == 5 * Self.houses)
            await undisturbed.clear()
        }
    }

    @Test func `a command client killed while it waits leaves its command to be decided once`() async throws {
        try await onBus { bus in
            let list = [
                "send", "ListEvent", "--event", "e1", "--title", "t", "--venue", "v", "--starts-at",
                "2027-01-01T19:30:00Z",
                "--id", "one", "--timeout", "40s", "--sections",
                #"[{"name":"stalls","rows":[{"label":"A","seats":2}],"price":{"amount":1,"currency":"EUR"}}]"#,
            ]
            let client = try bus.start(list)
            try await eventually("the command to be on the log") {
                try await bus.count("tickets.commands") == 1 ? true : nil
            }
            try await client.crash()
            _ = try await bus.work("handler")
            let again = try await bus.start(list).end()
            #expect(again.exit == 0)
            #expect(try await bus.count("tickets.events") == 1)
        }
    }
}
