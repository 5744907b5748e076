import EventModel

@testable import TicketsDomain

/// Tickets but for what a test breaks.
protocol BrokenTickets: Decider
where Command == TicketsCommand, Event == TicketsEvent, State == Tickets.State, Rejection == TicketsRefusal {}

extension BrokenTickets {
    static var initial: State { Tickets.initial }
    static func key(of command: Command.Kind) -> String { Tickets.key(of: command) }
    static func key(of event: Event.Kind) -> String { Tickets.key(of: event) }
    static func check(_ command: Command.Kind) throws(Malformed) { try Tickets.check(command) }
    static func check(_ event: Event.Kind) throws(Malformed) { try Tickets.check(event) }
    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] { try Tickets.decide(command, id: id, on: state, at: now) }
    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(Rejection) {
        try Tickets.admit(event, on: state, at: now)
    }
    static func evolve(_ state: inout State, with event: Event.Kind, at time: Timestamp) {
        Tickets.evolve(&state, with: event, at: time)
    }
    static func nextDue(_ state: State) -> Timestamp? { Tickets.nextDue(state) }
    static func due(_ state: State, by now: Timestamp) -> [DueCommand<Command.Kind>] { Tickets.due(state, by: now) }

    static var domain: Domain {
        Domain("tickets", "Broken.", descriptor: ticketsDescriptor)
            .deciding(Self.self, key: "event, or event:section")
            .reacting(OpenSections.self)
            .projecting(SeatMap.self)
            .demonstrating(.tickets)
            .keeping(
                TicketsInvariants.noSeatHasTwoOwners, TicketsInvariants.sectionsCountTheirSeats,
                TicketsInvariants.moneyIsConserved)
    }
}

/// Holds a seat that is sold.
enum SellsTwice: BrokenTickets {
    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        var state = state
        if case .holdSeats(let c) = command, case .open(var section) = state {
            for seat in c.seats where section.seats[seat] != nil { section.seats[seat] = .some(nil) }
            state = .open(section)
        }
        return try Tickets.decide(command, id: id, on: state, at: now)
    }
}

/// Names a timer by when it was looked at, not by what it is about.
enum TimesByTheClock: BrokenTickets {
    static func due(_ state: State, by now: Timestamp) -> [DueCommand<Command.Kind>] {
        Tickets.due(state, by: now).map { DueCommand($0.command, id: "expire:\(now.rawValue)", due: $0.due) }
    }
}
