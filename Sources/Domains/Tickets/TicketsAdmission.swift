internal import EventModel
internal import Money
internal import SwiftProtobuf

/// A fact recorded elsewhere is admitted where a command could have made it here, as it is and at its time.
extension Tickets {
    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(Rejection) {
        switch event {
        case .eventListed(let e): if state.listing != nil { throw .alreadyListed(event: e.event) }
        case .sectionOpened(let e): if state.section != nil { throw .alreadyOpen(section: e.section.name) }
        case .seatHeld(let e): try admit(e, in: state.section(e.section, of: e.event), at: now)
        case .holdExpired(let e):
            let hold = try liveHold(e.hold, e.seats, state.section)
            if hold.expiresAt > now { throw .holdNotOver(hold: e.hold, until: hold.expiresAt) }
        case .seatReleased(let e): _ = try liveHold(e.hold, e.seats, state.section)
        case .seatSold(let e):
            let section = state.section
            let hold = try liveHold(e.hold, e.seats, section)
            if hold.holder != e.holder { throw .holderMismatch(hold: e.hold) }
            if hold.expiresAt <= now { throw .holdExpired(hold: e.hold) }
            if let section { try admit(e.total, of: e.hold, e.seats, in: section) }
        }
    }

    private static func admit(_ e: TicketsSeatHeld, in section: Section, at now: Timestamp) throws(Rejection) {
        if section.holds[e.hold] != nil { throw .holdExists(hold: e.hold) }
        for seat in e.seats {
            guard let taken = section.seats[seat] else { throw .unknownSeat(seat: seat, section: e.section) }
            guard let taken, let hold = section.holds[taken] else { continue }
            throw hold.sold ? .seatSold(seat: seat) : .seatHeld(seat: seat, until: hold.expiresAt)
        }
        try checkLimits(e.seats, by: e.holder, ending: [], in: section, at: now)
        try admit(e.total, of: e.hold, e.seats, in: section)
        let until = now + holdTime
        // To the nanosecond: what is written is what is read.
        if e.expiresAt.seconds != until.proto.seconds || e.expiresAt.nanos != until.proto.nanos {
            throw .otherExpiry(hold: e.hold, until: until)
        }
    }

    private static func admit(
        _ total: TicketsMoney, of hold: String, _ seats: [String], in section: Section
    ) throws(Rejection) {
        let price = section.price(of: seats.count)
        if total.amount == price.amount, total.currency == price.currency { return }
        let major = Currency.major(price.amount, price.currency).map { "\($0) \(price.currency), " } ?? ""
        throw .otherTotal(hold: hold, total: "\(major)which is amount \(price.amount) of currency \(price.currency),")
    }

    private static func liveHold(_ name: String, _ seats: [String], _ section: Section?) throws(Rejection) -> Hold {
        guard let hold = section?.holds[name] else { throw .unknownHold(hold: name) }
        if hold.sold { throw .alreadySold(hold: name) }
        if hold.seats != seats { throw .otherSeats(hold: name) }
        return hold
    }
}
