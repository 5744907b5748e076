internal import EventModel
internal import SwiftProtobuf

/// What holds of tickets, whatever happens.
enum TicketsInvariants {
    /// A seat of a section of an event.
    private struct Seat: Hashable, Sendable {
        var event: String
        var section: String
        var seat: String
        var words: String { "seat \(seat) of \(event):\(section)" }
    }

    static let noSeatHasTwoOwners = Invariant(
        "no seat has two owners at once", over: "tickets.events", TicketsEvent.self, from: [Seat: String](),
        fold: { owners, event, place in
            func of(_ event: String, _ section: String, _ seats: [String]) -> [Seat] {
                seats.map { Seat(event: event, section: section, seat: $0) }
            }
            /// Only who has a seat can sell it, or give it back.
            func has(_ hold: String, _ seats: [Seat]) throws {
                for seat in seats where owners[seat] != hold {
                    throw Violation("\(seat.words) is \(owners[seat] ?? "nobody")'s, not \(hold)'s, at \(place.words)")
                }
            }
            switch event {
            case .eventListed, .sectionOpened: break
            case .seatHeld(let e):
                for seat in of(e.event, e.section, e.seats) {
                    if let owner = owners.updateValue(e.hold, forKey: seat) {
                        throw Violation("\(seat.words) is \(owner)'s and is held by \(e.hold) at \(place.words)")
                    }
                }
            case .seatSold(let e):
                let seats = of(e.event, e.section, e.seats)
                try has(e.hold, seats)
                // A sold seat is nobody's to give back, or to sell again.
                for seat in seats { owners[seat] = "\(e.hold) (sold)" }
            case .holdExpired(let e):
                try has(e.hold, of(e.event, e.section, e.seats))
                for seat in of(e.event, e.section, e.seats) { owners[seat] = nil }
            case .seatReleased(let e):
                try has(e.hold, of(e.event, e.section, e.seats))
                for seat in of(e.event, e.section, e.seats) { owners[seat] = nil }
            }
        })

    static let sectionsCountTheirSeats = Invariant(
        "a section counts the free, held and sold of its seats", of: "tickets.seatmap",
        rows: { reader in
            typealias Section = SeatMap.Section
            var counts: [String: [String: Int64]] = [:]
            try reader.everyRow(Scan(SeatMap.seats)) { row in
                let section = "\(row[SeatMap.Seat.event] ?? ""):\(row[SeatMap.Seat.section] ?? "")"
                counts[section, default: [:]][row[SeatMap.Seat.status] ?? "", default: 0] += 1
            }
            try reader.everyRow(Scan(SeatMap.sections)) { row in
                let section = "\(row[Section.event] ?? ""):\(row[Section.section] ?? "")"
                let count = counts.removeValue(forKey: section) ?? [:]
                let expected = [count.values.reduce(0, +)] + ["free", "held", "sold"].map { count[$0] ?? 0 }
                let found = [Section.seats, Section.free, Section.held, Section.sold].map { row[$0] ?? -1 }
                if found != expected {
                    throw Violation(
                        "\(section) says seats, free, held, sold are \(found), counted they are \(expected)")
                }
            }
            if let section = counts.keys.min() { throw Violation("\(section) has seats and no section") }
        })

    static let moneyIsConserved = Invariant(
        "what was paid is the price of the sold seats", over: ["tickets.events"], of: "tickets.seatmap",
        from: [String: Int64](),
        fold: { paid, record, _ in
            guard case .seatSold(let e)? = try TicketsEvent.kind(in: record.value) else { return }
            paid[e.total.currency, default: 0] += e.total.amount
        },
        rows: { paid, reader in
            var prices: [String: Int64] = [:]
            try reader.everyRow(Scan(SeatMap.seats)) { row in
                typealias Seat = SeatMap.Seat
                guard row[Seat.status] == "sold" else { return }
                prices[row[Seat.currency] ?? "", default: 0] &+= row[Seat.price] ?? 0
            }
            for currency in Set(paid.keys).union(prices.keys).sorted() where paid[currency] != prices[currency] {
                throw Violation(
                    "\(paid[currency] ?? 0) \(currency) was paid, the sold seats cost \(prices[currency] ?? 0)")
            }
        })
}
