import DomainTesting
import EventModel
import Testing

@testable import TicketsDomain

/// A decider's test: given what happened, when a command comes, then these events, or this refusal.
///
///     given(.opened).when(.hold("h1", by: "ann", "A-1")).then(.held("h1", by: "ann", "A-1"))
func given(_ events: Fact...) -> Given { Given(events) }

struct Given {
    let state: Tickets.State

    init(_ events: [Fact]) {
        state = events.reduce(into: Tickets.initial) { Tickets.evolve(&$0, with: $1, at: noon) }
    }

    func when(_ command: Order, id: String = "c1", at seconds: Int64 = 0) -> When {
        When(state: state, command: command, id: id, now: after(seconds))
    }
    /// What admitting a fact recorded elsewhere comes to.
    func admitting(_ fact: Fact, at seconds: Int64 = 0) -> TicketsRefusal? {
        do {
            try Tickets.admit(fact, on: state, at: after(seconds))
            return nil
        } catch {
            return error
        }
    }
    /// Who has a seat, and whether for good: `ann`, `ann!` once it is sold, empty where it is free.
    func owner(_ seat: String) -> String? {
        guard let taken = state.section?.seats[seat] else { return nil }
        guard let taken, let hold = state.section?.holds[taken] else { return "" }
        return hold.holder + (hold.sold ? "!" : "")
    }
}

struct When {
    let state: Tickets.State
    let command: Order
    let id: String
    let now: Timestamp

    private func decided(on state: Tickets.State) -> Result<[Fact], TicketsRefusal> {
        Result { () throws(TicketsRefusal) in try Tickets.decide(command, id: id, on: state, at: now) }
    }

    /// Expects these events, and that the same command again makes no more.
    func then(_ events: Fact..., sourceLocation: SourceLocation = #_sourceLocation) {
        let decided = decided(on: state)
        #expect(decided == .success(events), sourceLocation: sourceLocation)
        guard case .success(let events) = decided else { return }
        let next = events.reduce(into: state) { Tickets.evolve(&$0, with: $1, at: now) }
        if case .success(let more) = self.decided(on: next) {
            #expect(more == [], "the same command again", sourceLocation: sourceLocation)
        }
    }

    func refused(_ no: TicketsRefusal, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(decided(on: state) == .failure(no), sourceLocation: sourceLocation)
    }
}
