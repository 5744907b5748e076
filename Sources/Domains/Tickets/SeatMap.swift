internal import EventModel
internal import SwiftProtobuf

/// Every seat of every section, who has it and until when; every hold; and how many seats are free, held and sold.
struct SeatMap: Projection {
    typealias Event = Only<TicketsEvent>
    static let name = "seatmap"
    static let version = 1
    static let about = "Seats, holds and what is left of each section."
    static let topics = ["tickets.events"]
    static let tables = [seats, holds, sections]

    static let seats = Table(
        "tickets_seats", "One row a seat.",
        key: [
            Column("event", .text), Column("section", .text), Column("row_label", .text), Column("number", .integer),
        ],
        columns: [
            Column("seat", .text, "ROW-NUMBER, as holds name it"), Column("status", .text, "free, held or sold"),
            Column("hold", .text), Column("holder", .text), Column("held_until", .timestamp),
            Column("price", .integer, "minor units", currency: "currency"), Column("currency", .text),
        ],
        indexes: [Index("status", ["event", "status"])])
    static let holds = Table(
        "tickets_holds", "One row a hold.",
        key: [Column("hold", .text), Column("event", .text), Column("section", .text)],
        columns: [
            Column("holder", .text), Column("status", .text, "held, sold, expired or released"),
            Column("seats", .text, "names, joined by commas"), Column("expires_at", .timestamp),
            Column("total", .integer, "minor units", currency: "currency"), Column("currency", .text),
            Column("changed_at", .timestamp),
        ])
    static let sections = Table(
        "tickets_sections", "One row a section.",
        key: [Column("event", .text), Column("section", .text)],
        columns: [
            Column("seats", .integer), Column("free", .integer), Column("held", .integer), Column("sold", .integer),
            Column("price", .integer, "minor units", currency: "currency"), Column("currency", .text),
        ])

    enum Seat {
        static let event = seats.text("event")
        static let section = seats.text("section")
        static let status = seats.text("status")
        static let hold = seats.text("hold")
        static let holder = seats.text("holder")
        static let heldUntil = seats.timestamp("held_until")
        static let price = seats.integer("price")
        static let currency = seats.text("currency")
    }
    private enum Hold {
        static let status = holds.text("status")
        static let changedAt = holds.timestamp("changed_at")
    }
    enum Section {
        static let event = sections.text("event")
        static let section = sections.text("section")
        static let seats = sections.integer("seats")
        static let free = sections.integer("free")
        static let held = sections.integer("held")
        static let sold = sections.integer("sold")
    }

    /// Whose a seat is, and until when where it is held.
    private struct Owner {
        var hold: String
        var holder: String
        var until: Timestamp?
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .eventListed: break
        case .sectionOpened(let e): open(e, view)
        case .seatHeld(let e):
            for seat in e.seats {
                let owner = Owner(hold: e.hold, holder: e.holder, until: Timestamp(e.expiresAt))
                try set(e.event, e.section, seat, "held", owner, view)
            }
            view.put(
                Self.holds,
                [
                    .text(e.hold), .text(e.event), .text(e.section), .text(e.holder), "held",
                    .text(e.seats.joined(separator: ",")), Value(Timestamp(e.expiresAt)), .integer(e.total.amount),
                    .text(e.total.currency), Value(place.timestamp),
                ])
            try count(e.event, e.section, free: -e.seats.count, held: e.seats.count, view)
        case .holdExpired(let e): try free(e.event, e.section, e.hold, e.seats, "expired", place, view)
        case .seatReleased(let e): try free(e.event, e.section, e.hold, e.seats, "released", place, view)
        case .seatSold(let e):
            for seat in e.seats {
                try set(e.event, e.section, seat, "sold", Owner(hold: e.hold, holder: e.holder), view)
            }
            try end(e.event, e.section, e.hold, "sold", place, view)
            try count(e.event, e.section, held: -e.seats.count, sold: e.seats.count, view)
        }
    }

    private func open(_ e: TicketsSectionOpened, _ view: ViewBatch) {
        let price: Row = [.integer(e.section.price.amount), .text(e.section.price.currency)]
        var count: Int64 = 0
        for row in e.section.rows {
            for number in 1...max(1, row.seats) {
                view.put(
                    Self.seats,
                    [
                        .text(e.event), .text(e.section.name), .text(row.label), Value(number),
                        .text("\(row.label)-\(number)"), "free", .null, .null, .null,
                    ] + price)
                count += 1
            }
        }
        view.put(
            Self.sections,
            [.text(e.event), .text(e.section.name), .integer(count), .integer(count), 0, 0] + price)
    }

    private func set(
        _ event: String, _ section: String, _ seat: String, _ status: String, _ owner: Owner?, _ view: ViewBatch
    ) throws {
        guard let dash = seat.lastIndex(of: "-"), let number = Int64(seat[seat.index(after: dash)...]) else { return }
        try view.update(Self.seats, [.text(event), .text(section), .text(String(seat[..<dash])), .integer(number)]) {
            row in
            row[Seat.status] = status
            row[Seat.hold] = owner?.hold
            row[Seat.holder] = owner?.holder
            row[Seat.heldUntil] = owner?.until
        }
    }

    private func free(
        _ event: String, _ section: String, _ hold: String, _ seats: [String], _ status: String, _ place: EventPosition,
        _ view: ViewBatch
    ) throws {
        for seat in seats { try set(event, section, seat, "free", nil, view) }
        try end(event, section, hold, status, place, view)
        try count(event, section, free: seats.count, held: -seats.count, view)
    }

    private func end(
        _ event: String, _ section: String, _ hold: String, _ status: String, _ place: EventPosition, _ view: ViewBatch
    ) throws {
        try view.update(Self.holds, [.text(hold), .text(event), .text(section)]) { row in
            row[Hold.status] = status
            row[Hold.changedAt] = place.timestamp
        }
    }

    private func count(
        _ event: String, _ section: String, free: Int = 0, held: Int = 0, sold: Int = 0, _ view: ViewBatch
    ) throws {
        try view.update(Self.sections, [.text(event), .text(section)]) { row in
            row[Section.free] = (row[Section.free] ?? 0) &+ Int64(free)
            row[Section.held] = (row[Section.held] ?? 0) &+ Int64(held)
            row[Section.sold] = (row[Section.sold] ?? 0) &+ Int64(sold)
        }
    }
}
