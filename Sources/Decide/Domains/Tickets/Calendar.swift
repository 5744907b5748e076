internal import EventModel
internal import SwiftProtobuf

/// What is on, and when.
struct Calendar: Projection {
    typealias Event = Only<TicketsEvent>
    static let name = "calendar"
    static let version = 1
    static let about = "Events by the moment they begin."
    static let topics = ["tickets.events"]
    static let tables = [events]

    static let events = Table(
        "tickets_events", "One row an event.",
        key: [Column("event", .text)],
        columns: [
            Column("title", .text), Column("venue", .text), Column("starts_at", .timestamp), Column("seats", .integer),
            Column("sections", .text, "names, joined by commas"), Column("price_from", .integer, "minor units"),
            Column("currency", .text),
        ],
        indexes: [Index("start", [3])])

    init() {}

    func apply(_ event: Event.Content, at place: Place, to view: ViewBatch) {
        guard case .eventListed(let e) = event else { return }
        let seats = e.sections.flatMap(\.rows).reduce(Int64(0)) { $0 + Int64($1.seats) }
        let cheapest = e.sections.map(\.price).min { $0.amount < $1.amount }
        view.put(
            Self.events,
            [
                .text(e.event), .text(e.title), .text(e.venue), Value(Timestamp(e.startsAt)), .integer(seats),
                .text(e.sections.map(\.name).joined(separator: ",")), .integer(cheapest?.amount ?? 0),
                .text(cheapest?.currency ?? ""),
            ])
    }
}
