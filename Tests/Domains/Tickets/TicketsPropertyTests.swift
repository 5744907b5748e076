import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import TicketsDomain

@Suite("Random commands")
struct TicketsPropertyTests {
    /// Who owns what, told from the events alone and in another way than the decider's own fold.
    private struct Ledger {
        var held: [String: String] = [:]
        var sold: [String: String] = [:]

        mutating func take(_ fact: Fact) {
            switch fact {
            case .seatHeld(let e):
                for seat in e.seats {
                    #expect(held[seat] == nil && sold[seat] == nil, "\(seat) went to \(e.hold) while taken")
                    held[seat] = e.hold
                }
            case .holdExpired(let e): free(e.seats, e.hold)
            case .seatReleased(let e): free(e.seats, e.hold)
            case .seatSold(let e):
                free(e.seats, e.hold)
                for seat in e.seats {
                    #expect(sold.updateValue(e.holder, forKey: seat) == nil, "\(seat) was sold twice")
                }
            case .eventListed, .sectionOpened: break
            }
        }
        private mutating func free(_ seats: [String], _ hold: String) {
            for seat in seats { #expect(held.removeValue(forKey: seat) == hold, "\(seat) was not \(hold)'s") }
        }
    }

    private typealias Hold = (name: String, holder: String)

    private func command(_ random: inout SeededRandom, _ seats: [String], _ holds: [Hold]) -> Order {
        let fan = "fan\(Int.random(in: 0..<40, using: &random))"
        let (hold, holder) = holds.suffix(30).randomElement(using: &random) ?? ("none", fan)
        let owner = Int.random(in: 0..<4, using: &random) > 0 ? holder : fan
        switch Int.random(in: 0..<100, using: &random) {
        case ..<50:
            let count = Int.random(in: 1...4, using: &random)
            let first = Int.random(in: 0..<seats.count, using: &random)
            let chosen = (first..<first + count).map { seats[$0 % seats.count] }
            let name = Int.random(in: 0..<10, using: &random) == 0 ? hold : ""
            return .holdSeats(
                .with { ($0.event, $0.section, $0.holder, $0.seats, $0.hold) = ("e1", "stalls", fan, chosen, name) })
        case ..<60: return .confirm(hold, by: owner)
        case ..<85: return .release(hold, by: owner)
        case ..<97: return .expire(hold)
        case 97: return .open
        case 98: return .hold("h\(fan)", by: fan, "Z-1")
        default: return .confirm(hold, by: owner, token: "4111111111111111")
        }
    }

    @Test(arguments: [1, 20_261_101, 0xfeed] as [UInt64])
    func `never give one seat to two, lose a seat, or show what was not decided`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let section = TicketsSection.named("stalls", rows: [("A", 150), ("B", 150), ("C", 100)])
        let seats = section.seatNames
        var aggregates = try #require(Domain.tickets.decider).aggregates()
        aggregates.states.keepInCheckpoint()
        try aggregates.states.load("e1:stalls", nil)
        let view = Fold(projection: Domain.tickets.projection("tickets.seatmap"))
        var (state, ledger) = (Tickets.initial, Ledger())
        var (now, holds, facts): (Timestamp, [Hold], [Fact]) = (noon, [], [])

        /// Decides both by the decider itself and through its bytes.
        func decide(_ command: Order, id: String, at time: Timestamp) {
            var expected: Decision
            var events: [Fact] = []
            do {
                try Tickets.check(command)
                events = try Tickets.decide(command, id: id, on: state, at: time)
                expected = .accepted(
                    events.map { fact in
                        let value = TicketsEvent.bytes(fact)
                        return EncodedEvent(
                            type: Domain.tickets.decider?.events.kindName(in: value) ?? "", key: "e1:stalls",
                            value: value)
                    })
            } catch {
                expected = .refused((error as? any Refusal).map { Refused($0) } ?? Refused(reason: "", message: ""))
            }
            let decision = aggregates.decide(
                key: "e1:stalls", command: TicketsCommand.bytes(command), id: id, at: time)
            #expect(decision == expected, "seed \(seed), \(id)")
            for event in events {
                Tickets.evolve(&state, with: event, at: time)
                ledger.take(event)
                if case .seatHeld(let e) = event { holds.append((e.hold, e.holder)) }
            }
            facts += events
        }

        decide(.open(section), id: "open", at: now)
        for step in 0..<6000 {
            now = now + .milliseconds(Int64.random(in: 0...4000, using: &random))
            for timer in aggregates.due(by: now) where Int.random(in: 0..<4, using: &random) > 0 {
                guard let command = try TicketsCommand.kind(in: timer.value) else { continue }
                decide(command, id: timer.id, at: timer.time ?? now)
            }
            if step % 500 == 499 {
                // As after a restart from a checkpoint.
                let kept = try aggregates.states.changes()[0].json()
                aggregates = try #require(Domain.tickets.decider).aggregates()
                aggregates.states.keepInCheckpoint()
                try aggregates.states.load("e1:stalls", kept)
            }
            let command = command(&random, seats, holds)
            decide(command, id: "fan\(Int.random(in: 0..<40, using: &random))-\(step)", at: now)
        }

        try view.take(records(facts))
        let rows = try view.rows(SeatMap.seats)
        #expect(rows.count == seats.count, "seed \(seed)")
        for row in rows {
            let seat = row[4].text ?? ""
            let hold = (state.section?.seats[seat] ?? nil).flatMap { state.section?.holds[$0] }
            let status = hold.map { $0.sold ? "sold" : "held" } ?? "free"
            #expect(row[5] == .text(status), "\(seat), seed \(seed)")
            #expect(row[6].text == (state.section?.seats[seat] ?? nil), "\(seat), seed \(seed)")
            #expect(row[7].text == hold?.holder, "\(seat), seed \(seed)")
            #expect(ledger.sold[seat] == (hold?.sold == true ? hold?.holder : nil), "\(seat), seed \(seed)")
        }
        let counts = try view.rows(SeatMap.sections)[0][2...5].compactMap(\.integer)
        #expect(counts[0] == 400 && counts[1] + counts[2] + counts[3] == 400, "\(counts), seed \(seed)")
        #expect(counts[2] == Int64(ledger.held.count) && counts[3] == Int64(ledger.sold.count), "seed \(seed)")
        #expect(counts[3] > 50 && facts.count > 1000, "too little happened: \(counts), \(facts.count), seed \(seed)")
    }
}
