internal import EventModel
internal import Money
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
    /// The most seconds that a holder's time with a seat may be counted over.
    static let windowSeconds: Int32 = 7 * 86_400
    static let price: Int64 = 100_000_000
}

extension Tickets {
    static func check(_ command: Command.Kind) throws(Malformed) {
        switch command {
        case .listEvent(let c):
            try check(c.event, c.title, c.venue, c.hasStartsAt ? c.startsAt : nil, c.sections)
            if c.hasLimits { try check(c.limits) }
        case .openSection(let c):
            try Check.identifier(c.event, "event")
            try check(c.section)
            if c.hasLimits { try check(c.limits) }
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
            try PaymentToken.check(c.paymentToken)
        case .releaseHold(let c):
            try place(c.event, c.section, hold: c.hold)
            try Check.text(c.holder, "holder", atMost: 100)
            try Check.composition(c.holder, "holder")
        case .expireHold(let c): try place(c.event, c.section, hold: c.hold)
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .eventListed(let e):
            try check(e.event, e.title, e.venue, e.hasStartsAt ? e.startsAt : nil, e.sections)
            if e.hasLimits { try check(e.limits) }
        case .sectionOpened(let e):
            try Check.identifier(e.event, "event")
            try check(e.section)
            if e.hasLimits { try check(e.limits) }
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
            try PaymentToken.check(e.paymentToken)
        }
    }

    static func spellings(of name: String, in state: State) -> [String] {
        switch state {
        case .unknown: []
        case .listed(let listing):
            Check.isComposed(name) ? [] : listing.sections.flatMap(names).filter { $0 == name }
        case .open(let section): spellings(of: name, in: section)
        }
    }

    private static func spellings(of name: String, in section: Section) -> [String] {
        let (hold, seat) = (section.holds.index(forKey: name), section.seats.index(forKey: name))
        let known = [hold.map { section.holds[$0].key }, seat.map { section.seats[$0].key }].compactMap { $0 }
        // Each of these is compared, so it is asked only of what is to be refused else.
        if Check.isComposed(name) { return known }
        return known + (names(section.layout) + section.holds.values.map(\.holder)).filter { $0 == name }
    }

    private static func names(_ section: TicketsSection) -> [String] { [section.name] + section.rows.map(\.label) }

    /// A hold that takes its command's id must be one that later commands can name.
    static func check(holdNamedByID id: String) throws(Rejection) {
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
        try check(oneCurrency: sections)
    }

    /// What an event costs can be compared and added up.
    private static func check(oneCurrency sections: [TicketsSection]) throws(Malformed) {
        var names: [String: [String]] = [:]
        for section in sections { names[section.price.currency, default: []].append(section.name) }
        if names.count < 2 { return }
        let prices = names.sorted { $0.key < $1.key }.map { "\($0.value.joined(separator: ", ")) in \($0.key)" }
        throw Malformed(
            "sections", "have prices in several currencies, an event has one: \(prices.joined(separator: "; "))")
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
        if Currency.exponent(of: section.price.currency) == nil {
            throw Malformed(
                "the currency of \(section.name)",
                "must be a code of ISO 4217 such as EUR, of a currency with a minor unit")
        }
    }

    private static func check(seats: [String]) throws(Malformed) {
        try Check.range(seats.count, "the number of seats", 1...TicketsLimits.seatsPerHold)
        for seat in seats { try Check.identifier(seat, "a seat", atMost: 20) }
        if Set(seats).count != seats.count { throw Malformed("seats", "one is named twice") }
    }
}
