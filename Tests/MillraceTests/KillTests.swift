import Foundation
import Testing

/// Workers are killed without a word while there is work, and others take their place: nothing is lost or done twice.
@Suite("Workers killed in the middle", .serialized, .timeLimit(.minutes(3)))
struct KillTests {
    @Test(.enabled(if: Weblogs.areHere, Weblogs.absent))
    func `a projector killed during an import leaves the view of an undisturbed run`() async throws {
        try await onBus { bus in
            let once = try await Weblogs.nasa(bus)
            let file = bus.folder + "/long.log"
            #expect(try await bus.sh("cat \(once) \(once) \(once) > \(file)").exit == 0)
            let view = "\(bus.log)/views/hits.windows@1.sqlite"
            let importing = try bus.start("import", "access-log", file, "--site", "nasa")
            try await bus.killProjectors(during: importing, of: 29_997, into: view)
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

    /// Houses of two sections each, listed; then seats held in each. All times are given.
    private static let listings = (0..<houses).map { i in
        """
        {"event":"e\(i)","title":"t","venue":"v","startsAt":"2027-01-01T19:30:00Z","@time":"\(time)","sections":\
        [{"name":"a","rows":[{"label":"A","seats":3}],"price":{"amount":100,"currency":"EUR"}},\
        {"name":"b","rows":[{"label":"B","seats":2}],"price":{"amount":200,"currency":"EUR"}}]}
        """
    }.joined(separator: "\n")
    private static let holds = (0..<houses).map { i in
        """
        {"event":"e\(i)","section":"a","hold":"h\(i)","holder":"ann","seats":["A-1","A-3"],"@time":"\(time)",\
        "expiresAt":"2099-01-01T00:00:00Z","total":{"amount":200,"currency":"EUR"}}
        """
    }.joined(separator: "\n")

    /// Kills the worker whenever so many more events are there, and starts another, until the producer has ended.
    private func disturb(_ bus: Bus, _ kinds: [String], while producer: Running, every step: Int) async throws -> Int {
        var workers: [Running] = []
        for kind in kinds { workers.append(try await bus.work(kind)) }
        var kills = 0
        while !producer.hasEnded && kills < 2 * kinds.count {
            let before = try await bus.count("tickets.events")
            try await eventually("more events") {
                if producer.hasEnded { return true }
                return try await bus.count("tickets.events") >= before + step ? true : nil
            }
            if producer.hasEnded { break }
            let victim = kills % kinds.count
            try await workers[victim].crash()
            kills += 1
            // What comes in does not wait until the next one works.
            workers[victim] = try bus.start(["work", kinds[victim]])
        }
        try await producer.end(within: .seconds(100))
        for worker in workers { try await worker.stop() }
        return kills
    }

    private func views(_ bus: Bus) throws -> [Tables] {
        try ["seatmap", "calendar"].map { try Tables("\(bus.log)/views/tickets.\($0)@1.sqlite") }
    }

    @Test func `handler, reactor and projector killed while facts come in leave the views of an undisturbed run`()
        async throws
    {
        try await onBus { bus in
            let listing = try bus.start(
                ["produce", "EventListed", "--timeout", "60s"], stdin: Array(Self.listings.utf8))
            #expect(try await disturb(bus, ["handler", "reactor", "projector"], while: listing, every: 20) >= 3)
            #expect(try await listing.end().exit == 0, "\(listing.err)")
            let rest = try await bus.work()
            try await bus.settle()
            try await rest.stop()
            #expect(try await bus.count("tickets.events") == 3 * Self.houses)
            let holding = try bus.start(["produce", "SeatHeld", "--timeout", "60s"], stdin: Array(Self.holds.utf8))
            #expect(try await disturb(bus, ["handler", "projector"], while: holding, every: 20) >= 2)
            #expect(try await holding.end().exit == 0, "\(holding.err)")
            _ = try await bus.work()
            try await bus.settle()

            let undisturbed = try Bus()
            _ = try await undisturbed.work()
            for (event, lines) in [("EventListed", Self.listings), ("SeatHeld", Self.holds)] {
                let ended = try await undisturbed.run(
                    "produce", event, "--on-error", "skip", "--timeout", "60s", stdin: lines)
                #expect(try JSON(ended.out)["produced"].int == Self.houses, "\(ended)")
                try await undisturbed.settle()
            }
            let (rows, expected) = (try views(bus), try views(undisturbed))
            #expect(rows.map(\.hash) == expected.map(\.hash))
            #expect(
                rows[0].rows["tickets_seats"]?.count == 5 * Self.houses
                    && rows[0].rows["tickets_holds"]?.count == Self.houses)
            #expect(rows[0].folded == 4 * Self.houses)
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
