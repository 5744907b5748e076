public import EventModel

extension Domain {
    /// Selling seats: list, hold for five minutes, confirm, release.
    public static let tickets = Domain(
        "tickets", "Seats: listed, held for five minutes, sold once.", descriptor: ticketsDescriptor
    )
    .deciding(Tickets.self, key: "event, or event:section")
    .naming(actor: "holder", of: "HoldSeats", "ConfirmPurchase", "ReleaseHold", "SeatHeld", "SeatSold")
    .reacting(OpenSections.self)
    .projecting(SeatMap.self)
    .projecting(Calendar.self)
    .answering(calendar, seats, sections, hold)
    .demonstrating(.tickets)
    .showing(DomainPage("Seats", files: PageFiles.all))
    .keeping(
        TicketsInvariants.noSeatHasTwoOwners, TicketsInvariants.sectionsCountTheirSeats,
        TicketsInvariants.moneyIsConserved, TicketsInvariants.nobodyHoldsOverTheLimits)

    /// How far the calendar looks ahead when it is not told: three months.
    private static let ahead = Duration.seconds(90 * 86_400)

    private static let from = OptionalParameter<Timestamp>("from", "the first moment (default: now)")
    private static let to = OptionalParameter<Timestamp>("to", "the last moment (default: 90 days after --from)")
    private static let event = RequiredParameter<String>("event", "the event's identifier")
    private static let section = OptionalParameter<String>("section", "only this section")
    private static let status = OptionalParameter<String>(
        "status", oneOf: ["free", "held", "sold"], "only seats that are so")
    private static let id = RequiredParameter<String>("id", "the hold's identifier")

    private static let calendar = Query(
        "tickets.calendar", "Events that begin in a range of time.", of: "tickets.calendar",
        [from, to]
    ) { arguments, reader in
        let first = arguments[from] ?? arguments.now
        let last = arguments[to] ?? first + ahead
        // Of one alone it is the clock that has gone past it, which may happen from one page to the next.
        if arguments[from] != nil, arguments[to] != nil, first > last {
            throw Malformed("from", "is \(first.rfc3339), which is after to, \(last.rfc3339)")
        }
        let events = Scan(Calendar.events, by: "start", from: Value(first), through: Value(last))
        return try Page(of: events.page(arguments), in: reader)
    }

    private static let seats = Query(
        "tickets.seats", "The seats of an event.", of: "tickets.seatmap",
        [event, section, status]
    ) { arguments, reader in
        let event = Value.text(try arguments[event])
        let section = arguments[section].map { [Value.text($0)] } ?? []
        let seats =
            if let status = arguments[status] {
                Scan(SeatMap.seats, by: "status", equal: [event, .text(status)] + section)
            } else {
                Scan(SeatMap.seats, equal: [event] + section)
            }
        return try Page(of: seats.page(arguments), in: reader)
    }

    private static let sections = Query(
        "tickets.sections", "How many seats of each section are free, held and sold.", of: "tickets.seatmap",
        [event]
    ) { arguments, reader in
        try Page(of: Scan(SeatMap.sections, equal: [.text(arguments[event])]).page(arguments), in: reader)
    }

    private static let hold = Query(
        "tickets.hold", "A hold: whose, which seats, until when, and what became of it.", of: "tickets.seatmap",
        [id]
    ) { arguments, reader in
        try Page(of: Scan(SeatMap.holds, equal: [.text(arguments[id])]).page(arguments), in: reader)
    }
}
