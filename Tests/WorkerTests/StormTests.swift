import EventLog
import EventModel
import Handling
import SwiftProtobuf
import Testing

@testable import TicketsDomain

@Suite("Two thousand fans and five hundred seats", .timeLimit(.minutes(10)))
struct StormTests {
    private static let sections = ["s0", "s1", "s2", "s3", "s4"]

    /// What one fan was told.
    private struct Told: Sendable {
        var accepted: [(hold: String, seats: [String])] = []
        var bought: [String] = []
    }

    /// Tries for seats of one section some times, and buys every other hold.
    private func fan(_ n: Int, _ client: CommandClient, _ site: Site) async throws -> Told {
        var random = SeededRandom(UInt64(n))
        var told = Told()
        let section = Self.sections[n % Self.sections.count]
        for attempt in 0..<3 where told.accepted.isEmpty {
            let first = Int.random(in: 1...100, using: &random)
            let seats = Array(Set([first, min(100, first + Int.random(in: 0...1, using: &random))])).sorted().map {
                "A-\($0)"
            }
            let hold = "h\(n)-\(attempt)"
            let order = Order.holdSeats(
                .with { ($0.event, $0.section, $0.hold, $0.holder, $0.seats) = ("e1", section, hold, "fan\(n)", seats) }
            )
            let outcome = try await client.ask(site.command(order, id: "c\(n)-\(attempt)"))
            #expect(outcome.accepted || outcome.reason == "seat-not-free", "\(outcome.message)")
            if outcome.accepted { told.accepted.append((hold, seats.map { "\(section)/\($0)" })) }
        }
        for (hold, _) in told.accepted where n % 2 == 0 {
            let outcome = try await client.ask(site.command(.confirm(hold, by: "fan\(n)", in: section), id: "b\(n)"))
            #expect(outcome.accepted, "\(outcome.message)")
            told.bought.append(hold)
        }
        return told
    }

    @Test(arguments: Carrier.logs)
    func `every seat goes to one at most, and every accepted hold shows`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let told = try await running(site.handler(), site.projector) {
                try await site.talk { client async throws in
                    let opening = Self.sections.map { site.command(.open(.named($0, seats: 100)), id: "open-\($0)") }
                    #expect(
                        try await client.send(opening, to: .tickets, within: .seconds(300)).allSatisfy { $0.accepted })
                    let told = try await withThrowingTaskGroup(of: Told.self) { group in
                        for n in 0..<2000 { group.addTask { try await fan(n, client, site) } }
                        return try await group.reduce(into: [Told]()) { $0.append($1) }
                    }
                    try await site.folded(site.seatmap)
                    return told
                }
            }
            let accepted = told.flatMap(\.accepted)
            let seats = accepted.flatMap(\.seats)
            #expect(Set(seats).count == seats.count, "a seat went to two")
            #expect(seats.count > 400, "only \(seats.count) seats went")

            let bought = Set(told.flatMap(\.bought))
            let shown = try await site.rows(SeatMap.holds)
            #expect(Set(shown.compactMap { $0[0].text }) == Set(accepted.map(\.hold)))
            for row in shown { #expect(row[4] == (bought.contains(row[0].text ?? "") ? "sold" : "held")) }
            let taken = try await site.rows(SeatMap.seats).filter { $0[5] != "free" }
            #expect(Set(taken.map { "\($0[1].text ?? "")/\($0[4].text ?? "")" }) == Set(seats))
            let sections = try await site.rows(SeatMap.sections).map { $0[2...5].compactMap(\.integer) }
            #expect(sections.count == 5 && sections.allSatisfy { $0[0] == 100 && $0[1] + $0[2] + $0[3] == 100 })
            #expect(sections.reduce(0) { $0 + Int($1[2] + $1[3]) } == seats.count)
            #expect(try await site.facts().count == 5 + accepted.count + bought.count)
        }
    }
}
