public import EventModel

extension Domain {
    /// Selling seats: list, hold for five minutes, confirm, release.
    public static let tickets = Domain(
        "tickets", "Seats: listed, held for five minutes, sold once.", descriptor: ticketsDescriptor
    )
    .deciding(Tickets.self, key: "event, or event:section")
    .reacting(OpenSections.self)
    .projecting(SeatMap.self)
    .projecting(Calendar.self)
    .answering(calendar, seats, sections, hold)
    .demonstrating(.tickets)
    .keeping(
        TicketsInvariants.noSeatHasTwoOwners, TicketsInvariants.sectionsCountTheirSeats,
        TicketsInvariants.moneyIsConserved, TicketsInvariants.nobodyHoldsOverTheLimits)

    /// How far the calendar looks ahead when it is not told: three months.
    private static let ahead = Duration.seconds(90 * 86_400)

    private static let calendar = Query(
        "tickets.calendar", "Events that begin in a range of time.", of: "tickets.calendar",
        [
            Parameter("from", .timestamp, "the first moment (default: now)"),
            Parameter("to", .timestamp, "the last moment (default: 90 days after --from)"),
        ]
    ) { arguments, reader in
        let from = arguments.timestamp("from") ?? arguments.now
        let to = arguments.timestamp("to") ?? from + ahead
        return try Page(
            of: Scan(
                Calendar.events, by: "start", from: Value(from), through: Value(to), after: arguments.cursor,
                limit: arguments.limit),
            in: reader)
    }

    private static let seats = Query(
        "tickets.seats", "The seats of an event.", of: "tickets.seatmap",
        [
            Parameter("event", .text, required: true, "the event's identifier"),
            Parameter("section", .text, "only this section"),
            Parameter("status", .text, oneOf: ["free", "held", "sold"], "only seats that are so"),
        ]
    ) { arguments, reader in
        let event = Value.text(arguments.required("event"))
        let section = arguments.text("section").map(Value.text)
        if let status = arguments.text("status") {
            return try Page(
                of: Scan(
                    SeatMap.seats, by: "status", equal: [event, .text(status)] + (section.map { [$0] } ?? []),
                    after: arguments.cursor, limit: arguments.limit), in: reader)
        }
        return try Page(
            of: Scan(
                SeatMap.seats, equal: [event] + (section.map { [$0] } ?? []), after: arguments.cursor,
                limit: arguments.limit), in: reader)
    }

    private static let sections = Query(
        "tickets.sections", "How many seats of each section are free, held and sold.", of: "tickets.seatmap",
        [Parameter("event", .text, required: true, "the event's identifier")]
    ) { arguments, reader in
        try Page(
            of: Scan(
                SeatMap.sections, equal: [.text(arguments.required("event"))], after: arguments.cursor,
                limit: arguments.limit), in: reader)
    }

    private static let hold = Query(
        "tickets.hold", "A hold: whose, which seats, until when, and what became of it.", of: "tickets.seatmap",
        [Parameter("id", .text, required: true, "the hold's identifier")]
    ) { arguments, reader in
        try Page(
            of: Scan(
                SeatMap.holds, equal: [.text(arguments.required("id"))], after: arguments.cursor, limit: arguments.limit
            ),
            in: reader)
    }
}
