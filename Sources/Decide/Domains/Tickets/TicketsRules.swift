internal import EventModel
internal import SwiftProtobuf

/// What tickets allows at most.
enum TicketsLimits {
    static let sections = 100
    static let rows = 200
    static let seatsPerRow = 500
    static let seatsPerSection = 20_000
    static let seatsPerHold = 10
    static let text = 200
    static let token = 200
    static let price: Int64 = 100_000_000
}

extension Tickets {
    static func check(_ command: Command.Kind) throws(Malformed) {
        switch command {
        case .listEvent(let c): try check(c.event, c.title, c.venue, c.hasStartsAt ? c.startsAt : nil, c.sections)
        case .openSection(let c):
            try Check.identifier(c.event, "event")
            try check(c.section)
        case .holdSeats(let c):
            try place(c.event, c.section)
            try Check.text(c.holder, "holder", atMost: 100)
            try Check.composition(c.holder, "holder")
            if !c.hold.isEmpty { try Check.identifier(c.hold, "hold", atMost: Limits.commandID) }
            try check(seats: c.seats)
        case .confirmPurchase(let c):
            try place(c.event, c.section, hold: c.hold)
            try Check.text(c.holder, "holder", atMost: 100)
            try Check.composition(c.holder, "holder")
            try check(token: c.paymentToken)
        case .releaseHold(let c):
            try place(c.event, c.section, hold: c.hold)
            try Check.text(c.holder, "holder", atMost: 100)
            try Check.composition(c.holder, "holder")
        case .expireHold(let c): try place(c.event, c.section, hold: c.hold)
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .eventListed(let e): try check(e.event, e.title, e.venue, e.hasStartsAt ? e.startsAt : nil, e.sections)
        case .sectionOpened(let e):
            try Check.identifier(e.event, "event")
            try check(e.section)
        case .seatHeld(let e):
            try place(e.event, e.section, hold: e.hold)
            try Check.text(e.holder, "holder", atMost: 100)
            try Check.composition(e.holder, "holder")
            try check(seats: e.seats)
            if !e.hasExpiresAt { throw Malformed("expiresAt", "is missing") }
            try Check.moment(e.expiresAt, "expiresAt")
        case .holdExpired(let e): try place(e.event, e.section, hold: e.hold)
        case .seatReleased(let e): try place(e.event, e.section, hold: e.hold)
        case .seatSold(let e):
            try place(e.event, e.section, hold: e.hold)
            try Check.text(e.holder, "holder", atMost: 100)
            try Check.composition(e.holder, "holder")
            try check(seats: e.seats)
            try check(token: e.paymentToken)
        }
    }

    /// A hold that takes its command's id must be one that later commands can name.
    static func check(holdNamedByID id: String) throws(No) {
        do {
            try Check.identifier(id, "the command's id, which names the hold", atMost: Limits.commandID)
        } catch {
            throw .idNamesNoHold(why: error.message)
        }
    }

    private static func place(_ event: String, _ section: String, hold: String? = nil) throws(Malformed) {
        try Check.identifier(event, "event")
        try Check.identifier(section, "section")
        if let hold { try Check.identifier(hold, "hold", atMost: Limits.commandID) }
    }

    private static func check(
        _ event: String, _ title: String, _ venue: String, _ start: Google_Protobuf_Timestamp?,
        _ sections: [TicketsSection]
    ) throws(Malformed) {
        try Check.identifier(event, "event")
        try Check.text(title, "title", atMost: TicketsLimits.text)
        try Check.text(venue, "venue", atMost: TicketsLimits.text)
        guard let start else { throw Malformed("startsAt", "is missing, for example 2026-12-24T19:30:00Z") }
        try Check.moment(start, "startsAt")
        try Check.range(sections.count, "the number of sections", 1...TicketsLimits.sections)
        for section in sections { try check(section) }
        if Set(sections.map(\.name)).count != sections.count { throw Malformed("sections", "two have the same name") }
    }

    private static func check(_ section: TicketsSection) throws(Malformed) {
        try Check.identifier(section.name, "a section's name")
        try Check.range(section.rows.count, "the number of rows of \(section.name)", 1...TicketsLimits.rows)
        for row in section.rows {
            try Check.identifier(row.label, "a row's label", atMost: 10)
            try Check.range(Int(row.seats), "the seats of row \(row.label)", 1...TicketsLimits.seatsPerRow)
        }
        if Set(section.rows.map(\.label)).count != section.rows.count {
            throw Malformed("rows", "two rows of \(section.name) have the same label")
        }
        let seats = section.rows.reduce(0) { $0 + Int($1.seats) }
        try Check.range(seats, "the seats of \(section.name)", 1...TicketsLimits.seatsPerSection)
        try Check.range(section.price.amount, "the price of \(section.name)", 0...TicketsLimits.price)
        let currency = section.price.currency
        if currency.utf8.count != 3 || !currency.utf8.allSatisfy({ (65...90).contains($0) }) {
            throw Malformed("the currency of \(section.name)", "must be an ISO 4217 code such as EUR")
        }
    }

    private static func check(seats: [String]) throws(Malformed) {
        try Check.range(seats.count, "the number of seats", 1...TicketsLimits.seatsPerHold)
        for seat in seats { try Check.identifier(seat, "a seat", atMost: 20) }
        if Set(seats).count != seats.count { throw Malformed("seats", "one is named twice") }
    }

    /// A card number must never reach the log, which never forgets: it is refused before anything is written, and the
    /// message does not repeat it.
    private static func check(token: String) throws(Malformed) {
        try Check.text(token, "paymentToken", atMost: TicketsLimits.token)
        let digits = token.filter { !" -.".contains($0) }
        if (12...19).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }), luhn(digits) {
            throw Malformed("paymentToken", "looks like a card number; give the token of your payment provider")
        }
    }

    /// The check digit of card numbers (ISO/IEC 7812-1).
    private static func luhn(_ digits: String) -> Bool {
        let sum = digits.utf8.reversed().enumerated().reduce(0) { sum, digit in
            let value = Int(digit.element) - 48
            if digit.offset % 2 == 0 { return sum + value }
            return sum + (value > 4 ? 2 * value - 9 : 2 * value)
        }
        return sum % 10 == 0
    }

    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(No) {
        switch event {
        case .eventListed(let e): if state.listing != nil { throw .alreadyListed(event: e.event) }
        case .sectionOpened(let e): if state.section != nil { throw .alreadyOpen(section: e.section.name) }
        case .seatHeld(let e):
            if state.section == nil { throw .unknownSection(event: e.event, section: e.section) }
            if state.holds[e.hold] != nil { throw .holdExists(hold: e.hold) }
            for seat in e.seats {
                guard let taken = state.seats[seat] else { throw .unknownSeat(seat: seat, section: e.section) }
                guard let taken, let hold = state.holds[taken] else { continue }
                throw hold.sold ? .seatSold(seat: seat) : .seatHeld(seat: seat, until: hold.expiresAt)
            }
        case .holdExpired(let e):
            let hold = try liveHold(e.hold, e.seats, state)
            if hold.expiresAt > now { throw .holdNotOver(hold: e.hold, until: hold.expiresAt) }
        case .seatReleased(let e): _ = try liveHold(e.hold, e.seats, state)
        case .seatSold(let e):
            let hold = try liveHold(e.hold, e.seats, state)
            if hold.holder != e.holder { throw .holderMismatch(hold: e.hold) }
            if hold.expiresAt <= now { throw .holdExpired(hold: e.hold) }
        }
    }

    private static func liveHold(_ name: String, _ seats: [String], _ state: State) throws(No) -> Hold {
        guard let hold = state.holds[name] else { throw .unknownHold(hold: name) }
        if hold.sold { throw .alreadySold(hold: name) }
        if hold.seats != seats { throw .otherSeats(hold: name) }
        return hold
    }
}
