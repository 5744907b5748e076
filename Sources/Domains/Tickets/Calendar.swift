internal import EventModel
internal import SwiftProtobuf

/// What is on, and when.
struct Calendar: Projection {
    typealias Event = Only<TicketsEvent>
    static let name = "calendar"
    static let version = 2
    static let about = "Events by the moment they begin."
    static let topics = ["tickets.events"]
    static let tables = [events]

    static let events = Table(
        "tickets_events", "One row an event.",
        key: [Column("event", .text)],
        columns: [
            Column("title", .text), Column("venue", .text), Column("starts_at", .timestamp), Column("seats", .integer),
            Column("sections", .text, "names, joined by commas"),
            Column("price_from", .integer, "minor units", currency: "currency"),
            Column("currency", .text, "of an event from before it had but one: all of them, and no price"),
        ],
        indexes: [Index("start", ["starts_at"])])

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        guard case .eventListed(let e) = event else { return }
        let seats = e.sections.flatMap(\.rows).reduce(Int64(0)) { $0 + Int64($1.seats) }
        // Amounts of several currencies cannot be compared.
        let currencies = Set(e.sections.map(\.price.currency)).sorted()
        let cheapest = currencies.count > 1 ? nil : e.sections.map(\.price.amount).min()
        view.put(
            Self.events,
            [
                .text(e.event), .text(e.title), .text(e.venue), Value(Timestamp(e.startsAt)), .integer(seats),
                .text(e.sections.map(\.name).joined(separator: ",")),
                currencies.count > 1 ? .null : .integer(cheapest ?? 0), .text(currencies.joined(separator: ",")),
            ])
    }
}
