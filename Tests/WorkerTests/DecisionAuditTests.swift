import Domains
import EventLog
import EventModel
import Foundation
import SwiftProtobuf
import TestSupport
import Testing

@testable import Handling
@testable import TicketsDomain

@Suite("Commands decided again", .timeLimit(.minutes(10)))
struct DecisionAuditTests {
    private static let partition = Domain.tickets.topics[0].partition(of: "e1:s")

    private func again(_ site: Site) async throws -> DecisionAudit {
        try await DecisionAudit(Self.partition, of: .tickets, Domain.tickets.decider!, on: site.log)
    }

    /// Commands of every sort: accepted, refused, sent again, sent under a used id, due by themselves, and nonsense.
    private func evening(_ site: Site) async throws {
        let nonsense = NewRecord(key: "e1:s", value: "?", timestamp: noon)
        _ = try await site.log.append([Append(TopicPartition("tickets.commands", Self.partition), [nonsense])])
        try await running(site.handler()) {
            try await site.talk { client async throws in
                let hold = site.command(.hold("h1", by: "ann", "A-1"), id: "hold")
                _ = try await client.send(
                    site.command(.open(.named("s", seats: 4)), id: "open"), hold,
                    site.command(.hold("h2", by: "bob", "A-1"), id: "taken"), hold,
                    site.command(.hold("h3", by: "bob", "A-2"), id: "hold"),
                    site.command(.hold("h4", by: "cy", "A-3", "A-4"), id: "other"))
                _ = try await client.ask(site.command(.release("h4", by: "cy"), id: "release"))
                site.clock.move(by: .seconds(400))
                try await eventually("the hold to expire") {
                    try await site.facts().contains { if case .holdExpired = $0 { true } else { false } } ? true : nil
                }
                _ = try await client.ask(site.command(.hold("h5", by: "bob", "A-1"), id: "later"))
            }
        }
    }

    @Test(arguments: Carrier.logs)
    func `give the outcomes and events that are on the log`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await evening(site)
            let again = try await again(site)
            #expect(again.problem == nil)
            #expect(again.commands == 10 && again.assumed == 0, "\(again)")
            #expect(try await again.events == site.facts().count)
        }
    }

    @Test(arguments: Carrier.all)
    func `take the state from the events where the first commands are gone`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await evening(site)
            let before = try await site.facts().count
            // The log's own clock stamps commands and outcomes; events stay.
            let end = Timestamp(Int64(Date.now.timeIntervalSince1970 * 1000)) + .seconds(8 * 86_400)
            try await (site.log as? any Maintained)?.maintain(at: end)
            #expect(try await site.records("tickets.commands").values.allSatisfy(\.isEmpty))
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    let no = try await client.ask(site.command(.hold("h6", by: "cy", "A-1"), id: "no"))
                    #expect(no.reason == "seat-not-free")
                    #expect(try await client.ask(site.command(.hold("h7", by: "cy", "A-2"), id: "yes")).accepted)
                }
            }
            let again = try await again(site)
            #expect(again.problem == nil)
            #expect(again.assumed == before && again.commands == 2 && again.events == 1, "\(again)")
        }
    }

    @Test(arguments: Carrier.logs)
    func `miss the command of an event that somebody else wrote`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await evening(site)
            let rogue = try await site.records("tickets.events")[TopicPartition("tickets.events", Self.partition)]?.last
            let copy = NewRecord(
                key: try #require(rogue).key, value: try #require(rogue).value, timestamp: noon, headers: [])
            let place = TopicPartition("tickets.events", Self.partition)
            let offset = try await site.log.append([Append(place, [copy])])[0][0]
            #expect(
                try await again(site).problem == "\(place)@\(offset) is the event of no command that is on the log")
        }
    }

    /// The log with one record another than it is.
    private func forged(
        _ site: Site, _ topic: String, _ forge: (inout NewRecord, Int) -> Bool
    ) async throws -> Site {
        let copy = MemoryLog()
        try copy.create(Domains.all.flatMap(\.topics))
        for name in ["tickets.commands", "tickets.events", "tickets.outcomes"] {
            for (partition, records) in try await site.records(name) {
                var forged: [NewRecord] = []
                for (i, record) in records.enumerated() {
                    var new = NewRecord(
                        key: record.key, value: record.value, timestamp: record.timestamp, headers: record.headers)
                    if name != topic || forge(&new, i) { forged.append(new) }
                }
                _ = try copy.append([Append(partition, forged)])
            }
        }
        return Site(log: copy, views: site.views)
    }

    @Test func `name the first event, command or outcome that is another`() async throws {
        try await site(.memory) { site in
            try await evening(site)
            let value = try await forged(site, "tickets.events") { record, i in
                if i == 1 { record.value = TicketsEvent.bytes(.seatReleased(.with { $0.event = "e1" })) }
                return true
            }
            let events = TopicPartition("tickets.events", Self.partition)
            let commands = TopicPartition("tickets.commands", Self.partition)
            #expect(
                try await again(value).problem
                    == "\(events)@1, of \(commands)@2 (hold): its value is another than the command makes when decided again"
            )
            let late = try await forged(site, "tickets.events") { record, i in
                if i == 1 { record.timestamp = noon + .seconds(1) }
                return true
            }
            #expect(try await again(late).problem?.contains("its time is 2026-11-01T12:00:01Z, but should be") == true)
            let unanswered = try await forged(site, "tickets.outcomes") { _, i in i != 1 }
            #expect(try await again(unanswered).problem == "\(commands)@1 (open): its outcome is that of hold")
            let other = try await forged(site, "tickets.commands") { record, i in
                if i == 2 { record.value = TicketsCommand.bytes(.hold("h1", by: "ann", "B-9")) }
                return true
            }
            #expect(
                try await again(other).problem?.hasPrefix(
                    "\(commands)@2 (hold): was accepted, but is refused as unknown-seat when decided again") == true)
        }
    }

    /// An evening as a program with other rules had answered it: it took what is refused today.
    @Test func `take the events of outcomes of other rules as they are`() async throws {
        try await site(.memory) { site in
            try await evening(site)
            let rules = try #require(Domain.tickets.decider).rules
            let events = try await site.facts().count
            func outcomes(_ site: Site) async throws -> [Outcome] {
                let place = TopicPartition("tickets.outcomes", Self.partition)
                return try await (site.records("tickets.outcomes")[place] ?? []).map { try Outcome($0.value) }
            }
            #expect(try await outcomes(site).allSatisfy { $0.rules == rules })
            // Before, a hold was another command: today's rules would refuse it, for there is no such seat.
            func before(_ rules: Int) async throws -> Site {
                let other = try await forged(site, "tickets.commands") { record, i in
                    if i == 2 { record.value = TicketsCommand.bytes(.hold("h1", by: "ann", "B-9")) }
                    return true
                }
                return try await forged(other, "tickets.outcomes") { record, _ in
                    guard var outcome = try? Outcome(record.value) else { return false }
                    outcome.rules = rules
                    record.value = outcome.record(key: record.key, at: record.timestamp).value
                    return true
                }
            }
            let old = try await again(before(rules - 1))
            #expect(old.problem == nil && old.assumed == events && old.events == 0, "\(old)")
            #expect(try await again(before(rules)).problem?.contains("unknown-seat") == true)
            // Those of before the rules of all domains are decided again: it changes nothing of what is in its place.
            let former = rules - AnyDecider.ownRulesLimit
            #expect(try await again(before(former)).problem?.contains("unknown-seat") == true)
            // What should be there still must be.
            let torn = try await forged(before(rules - 1), "tickets.events") { _, i in i != 1 }
            #expect(try await again(torn).problem?.contains("its event should be") == true)
        }
    }
}
