import EventLog
import EventModel
import Handling
import SwiftProtobuf
import Testing

@testable import TicketsDomain

@Suite("A handler", .timeLimit(.minutes(10)))
struct HandlerTests {
    @Test(arguments: Carrier.logs)
    func `answers with the events that it wrote and their places`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    let opened = try await client.ask(site.command(.open(.named("s", seats: 4)), id: "c1"))
                    let held = try await client.ask(site.command(.hold("h1", by: "ann", "A-1", "A-2"), id: "c2"))
                    let again = try await client.ask(site.command(.hold("h1", by: "ann", "A-1", "A-2"), id: "c3"))
                    #expect((opened.id, opened.accepted, opened.reason) == ("c1", true, ""))
                    #expect(opened.events.map(\.type) == ["SectionOpened"] && held.events.map(\.type) == ["SeatHeld"])
                    #expect(again.accepted && again.events == [])
                    let place = Domain.tickets.topics[1].partition(of: "e1:s")
                    #expect(held.events[0].place == TopicPartition("tickets.events", place))
                    let records = try await site.records("tickets.events")[held.events[0].place] ?? []
                    #expect(records.map(\.offset) == [opened.events[0].offset, held.events[0].offset])
                    #expect(records[1][header: "cause"] == "c2" && records[1][header: "type"] == "SeatHeld")
                    #expect(records[1].timestamp == noon && records[1].key == "e1:s")
                }
            }
        }
    }
    @Test(arguments: Carrier.logs)
    func `answers with every event of one command, in order`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    let outcomes = try await client.send(
                        site.command(.open(.named("s", seats: 4)), id: "c1"),
                        site.command(.hold("h1", by: "ann", "A-1"), id: "c2"),
                        site.command(.hold("h2", by: "bob", "A-1"), id: "c3", at: noon + .seconds(300)))
                    #expect(outcomes.map(\.id) == ["c1", "c2", "c3"])
                    #expect(
                        outcomes.map { $0.events.map(\.type) } == [
                            ["SectionOpened"], ["SeatHeld"], ["HoldExpired", "SeatHeld"],
                        ])
                    let offsets = outcomes.flatMap(\.events).map(\.offset)
                    #expect(offsets == offsets.sorted() && Set(offsets).count == 4)
                }
            }
        }
    }
    @Test(arguments: Carrier.logs)
    func `refuses with the domain's reason, and writes no event`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    _ = try await client.ask(site.command(.open(.named("s", seats: 4)), id: "c1"))
                    _ = try await client.ask(site.command(.hold("h1", by: "ann", "A-1"), id: "c2"))
                    let outcomes = try await client.send(
                        site.command(.hold("h2", by: "bob", "A-1"), id: "c3"),
                        site.command(.hold("h2", by: "bob", "B-1"), id: "c4"),
                        site.command(.confirm("h1", by: "bob"), id: "c5"),
                        site.command(.hold("h2", by: "bob", in: "boxes", "A-1"), id: "c6"),
                        site.command(.hold("h2", by: "bob"), id: "c7"))
                    #expect(
                        outcomes.map(\.reason)
                            == ["seat-not-free", "unknown-seat", "holder-mismatch", "unknown-section", "malformed"])
                    #expect(outcomes.allSatisfy { !$0.accepted && $0.events == [] && !$0.message.isEmpty })
                    #expect(try await site.facts().count == 2)
                }
            }
        }
    }

    @Test(arguments: Carrier.logs)
    func `gives one id one outcome, also after it was started anew`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let open = site.command(.open(.named("s", seats: 4)), id: "open")
            let hold = site.command(.hold("h1", by: "ann", "A-1"), id: "hold")
            let taken = site.command(.hold("h2", by: "bob", "A-1"), id: "taken")
            let first = try await running(site.handler("first")) {
                try await site.talk { client async throws in
                    let outcomes = try await client.send(open, hold, taken, hold)
                    #expect(outcomes[1] == outcomes[3])
                    #expect(try await client.send(hold, taken) == [outcomes[1], outcomes[2]])
                    // What it would be told if it were decided now.
                    _ = try await client.ask(site.command(.release("h1", by: "ann"), id: "release"))
                    #expect(try await client.send(hold, taken) == [outcomes[1], outcomes[2]])
                    return outcomes
                }
            }
            #expect(first.map(\.accepted) == [true, true, false, true])
            let facts = try await site.facts()
            #expect(facts.count == 3)
            try await running(site.handler("second")) {
                try await site.talk { client async throws in
                    #expect(try await client.send(open, hold, taken) == Array(first.prefix(3)))
                    let anew = try await client.ask(site.command(.hold("h2", by: "bob", "A-1"), id: "now"))
                    #expect(anew.accepted, "it knows what the first handler did")
                }
            }
            #expect(try await site.facts().count == 4)
        }
    }
    @Test(arguments: Carrier.logs)
    func `refuses an id that was used for another command`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let hold = site.command(.hold("h1", by: "ann", "A-1"), id: "x")
            let other = site.command(.hold("h1", by: "ann", "A-2"), id: "x")
            func reused(_ outcome: Outcome) -> Bool {
                !outcome.accepted && outcome.reason == "id-reused" && outcome.events == []
            }
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    _ = try await client.ask(site.command(.open(.named("s", seats: 4)), id: "open"))
                    let both = try await client.send(hold, other)
                    #expect(both[0].accepted && reused(both[1]))
                    #expect(try await reused(client.ask(other)))
                    #expect(try await client.ask(hold) == both[0])
                    let fact = try await client.send([hold], to: .tickets, asFacts: true, within: .seconds(300))
                    #expect(reused(fact[0]), "as a fact it is another command")
                }
            }
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    let outcomes = try await client.send(other, hold)
                    #expect(reused(outcomes[0]) && outcomes[1].accepted)
                }
            }
            #expect(try await site.facts().count == 2)
        }
    }

    @Test(arguments: Carrier.logs)
    func `answers garbage with a refusal, and goes on`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let place = Domain.tickets.topics[0].partition(of: "e1:s")
            let target = TopicPartition("tickets.commands", place)
            func raw(_ key: Bytes, _ value: Bytes, _ id: String?, at time: Timestamp = noon) -> NewRecord {
                NewRecord(
                    key: key, value: value, timestamp: noon,
                    headers: [Header("time", Bytes(String(time.rawValue)))]
                        + (id.map { [Header("id", Bytes($0))] } ?? []))
            }
            let open = TicketsCommand.bytes(.open(.named("s", seats: 4)))
            let nonsense = [
                raw("e1:s", Bytes([0xff, 0xff, 0xff, 0xff]), "g1"), raw("e1:s", "", "g2"), raw("", "", nil),
                raw("e1:s", Bytes([0x9a, 0x06, 0x00]), "g3"), raw("wrong", open, "g4"),
                raw("e1:s", open, "g5", at: Timestamp(.max)),
                raw("e1:s", open, "g6", at: Timestamp(.min)), raw("e1:s", Bytes(repeating: 0x0a, count: 100_000), nil),
                NewRecord(
                    key: "e1:s", value: "?", timestamp: noon, headers: [Header("kind", "fact"), Header("id", "g7")]),
            ]
            _ = try await site.log.append([Append(target, nonsense)])
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    let outcomes = try await client.send(
                        site.command(.open(.named("s", seats: 4)), id: "c1"),
                        site.command(.hold("h1", by: "ann", "A-1"), id: "c2"))
                    #expect(outcomes.map(\.accepted) == [true, true])
                }
            }
            let outcomes = try await site.records("tickets.outcomes").values.flatMap { $0 }.map {
                try Outcome($0.value)
            }
            let refused = outcomes.filter { !$0.accepted }
            // The key of one of them belongs into another partition, and nothing else of it is looked at.
            let reasons = ["g4": "wrong-partition", "g5": "ahead-of-time"]
            #expect(refused.count == nonsense.count)
            for outcome in refused { #expect(outcome.reason == reasons[outcome.id] ?? "malformed", "\(outcome)") }
            #expect(
                refused.contains { $0.id == "tickets.commands/\(place)@2" }, "a command without an id has its place")
            #expect(try await site.facts().count == 2)
        }
    }

    @Test(arguments: Carrier.logs)
    func `admits recorded facts, and refuses those that cannot be`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            func fact(_ fact: Fact, _ id: String) -> EncodedCommand {
                EncodedCommand(
                    type: "fact", key: Bytes(Tickets.key(of: fact)), value: TicketsEvent.bytes(fact), id: id, time: noon
                )
            }
            func held(_ hold: String) -> Fact {
                .seatHeld(
                    .with {
                        ($0.event, $0.section, $0.hold, $0.holder, $0.seats) = ("e1", "s", hold, "ann", ["A-1"])
                        $0.expiresAt = (noon + .seconds(300)).proto
                        $0.total = .with { ($0.amount, $0.currency) = (4500, "EUR") }
                    })
            }
            let opened = Fact.sectionOpened(.with { ($0.event, $0.section) = ("e1", .named("s", seats: 2)) })
            let facts = [fact(opened, "f1"), fact(held("h1"), "f2"), fact(held("h2"), "f3"), fact(opened, "f4")]
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    let outcomes = try await client.send(facts, to: .tickets, asFacts: true, within: .seconds(300))
                    #expect(outcomes.map(\.reason) == ["", "", "seat-not-free", "already-open"])
                    #expect(
                        try await client.send(facts, to: .tickets, asFacts: true, within: .seconds(300)) == outcomes)
                }
            }
            #expect(try await site.facts() == [opened, held("h1")])
        }
    }
}
