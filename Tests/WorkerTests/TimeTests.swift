import EventLog
import EventModel
import Foundation
import Handling
import Testing

@testable import TicketsDomain

@Suite("What time and reactions bring about", .timeLimit(.minutes(10)))
struct TimeTests {
    /// The events of tickets as they come, until one of that type has come so many times.
    private func wait(for type: String, _ count: Int = 1, at site: Site) async throws {
        let reader = try await site.log.reader(
            from: Dictionary(uniqueKeysWithValues: (0..<4).map { (TopicPartition("tickets.events", Partition($0)), 0) })
        )
        var seen = 0
        while seen < count {
            try Task.checkCancellation()
            for batch in try await reader.next(max: 1000, wait: .milliseconds(500)) {
                seen += batch.records.count { $0[header: "type"] == type }
            }
        }
        await reader.close()
    }

    @Test(arguments: Carrier.logs)
    func `a hold runs out when the clock says so, and its seats are free again`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await running(site.handler(), site.projector) {
                try await site.talk { client async throws in
                    let outcomes = try await client.send(
                        site.command(.open(.named("s", seats: 4)), id: "c1"),
                        site.command(.hold("h1", by: "ann", "A-1"), id: "c2"),
                        site.command(.hold("h2", by: "bob", "A-2"), id: "c3"),
                        site.command(.confirm("h2", by: "bob"), id: "c4"),
                        site.command(.hold("h3", by: "cy", "A-3"), id: "c5", at: noon + .seconds(200)))
                    #expect(outcomes.allSatisfy { $0.accepted })
                    site.clock.move(by: .seconds(300))
                    try await wait(for: "HoldExpired", at: site)
                    let late = try await client.ask(site.command(.confirm("h1", by: "ann"), id: "c6"))
                    #expect(late.reason == "unknown-hold")
                    #expect(try await client.ask(site.command(.hold("h4", by: "dee", "A-1"), id: "c7")).accepted)
                    site.clock.move(by: .seconds(200))
                    try await wait(for: "HoldExpired", 2, at: site)
                }
                try await site.folded(site.seatmap)
            }
            let expired = try await site.records("tickets.events").values.flatMap { $0 }.filter {
                $0[header: "type"] == "HoldExpired"
            }
            #expect(
                expired.map(\.timestamp) == [noon + .seconds(300), noon + .seconds(500)], "stamped when they were due")
            #expect(
                expired.first?[header: "cause"] == "expire:e1:s:h1:\((noon + .seconds(300)).rawValue)")
            #expect(try await site.rows(SeatMap.seats).map { $0[5] } == ["held", "sold", "free", "free"])
            #expect(try await site.rows(SeatMap.holds).map { $0[4] } == ["expired", "sold", "expired", "held"])
        }
    }
    @Test(arguments: Carrier.logs)
    func `a hold that ran out while no handler was there runs out once there is one`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    _ = try await client.send(
                        site.command(.open(.named("s", seats: 4)), id: "c1"),
                        site.command(.hold("h1", by: "ann", "A-1"), id: "c2"))
                }
            }
            site.clock.move(by: .seconds(3600))
            for _ in 0..<2 {
                try await running(site.handler()) { try await wait(for: "HoldExpired", at: site) }
            }
            #expect(try await site.facts().count == 3, "it ran out once")
        }
    }
    @Test(arguments: Carrier.logs)
    func `a hold named by an id with a colon does not stop its section's timers`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    let outcomes = try await client.send(
                        site.command(.open(.named("s", seats: 4)), id: "c1"),
                        site.command(.hold(by: "ann", "A-1"), id: "c 2"),
                        site.command(.hold("h2", by: "bob", "A-2"), id: "c3", at: noon + .seconds(1)))
                    #expect(outcomes.map(\.reason) == ["", "malformed", ""])
                    site.clock.move(by: .seconds(400))
                    try await wait(for: "HoldExpired", at: site)
                }
            }
        }
    }

    @Test(arguments: Carrier.logs)
    func `a listed event's sections are opened, each once`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let list = site.command(.list(.named("s", seats: 4), .named("boxes", seats: 2)), id: "c1")
            try await running(site.handler(), site.reactor) {
                try await site.talk { client async throws in
                    #expect(try await client.ask(list).events.map(\.type) == ["EventListed"])
                    try await wait(for: "SectionOpened", 2, at: site)
                    #expect(
                        try await client.ask(site.command(.hold("h1", by: "ann", in: "boxes", "A-2"), id: "c2"))
                            .accepted)
                }
            }
            // The same again, with all of them started anew.
            try await running(site.handler(), site.reactor) {
                try await site.talk { client async throws in
                    #expect(try await client.ask(list).accepted)
                    let more = site.command(.list(.named("t", seats: 1), event: "e2"), id: "c3")
                    #expect(try await client.ask(more).accepted)
                    try await wait(for: "SectionOpened", 3, at: site)
                }
            }
            let commands = try await site.records("tickets.commands").values.flatMap { $0 }
            let opening = commands.filter { $0[header: "type"] == "OpenSection" }.map { $0[header: "id"] ?? "" }
            #expect(opening.sorted() == ["open:e1:boxes", "open:e1:s", "open:e2:t"])
        }
    }

    @Test(arguments: Carrier.logs)
    func `a client is told when nobody answers, and may ask again`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await site.talk { client async throws in
                let open = site.command(.open(.named("s", seats: 4)), id: "c1")
                let error = await #expect(throws: CommandClient.NoAnswer.self) {
                    try await client.send(open, within: .milliseconds(100))
                }
                #expect(error?.id == "c1" && error?.waited == .milliseconds(100))
                try await running(site.handler()) {
                    let outcome = try await client.ask(open)
                    #expect(outcome.accepted && outcome.events.count == 1)
                }
            }
            #expect(try await site.facts().count == 1)
        }
    }
    @Test(arguments: Carrier.all)
    func `a command whose outcome is past its retention is decided anew`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await running(site.handler()) {
                try await site.talk { client in
                    let open = site.command(.open(.named("s", seats: 4)), id: "c1")
                    let first = try await client.ask(open)
                    // Outcomes have the log's own time, so their age is counted from this machine's clock.
                    let taken = Timestamp(Int64(Date().timeIntervalSince1970 * 1000))
                    try await (site.log as? any Maintained)?.maintain(at: taken + .seconds(8 * 86_400))
                    let again = try await client.send(open, within: .seconds(300))
                    #expect(first.events.count == 1 && again[0].accepted && again[0].events == [])
                }
            }
        }
    }
}
