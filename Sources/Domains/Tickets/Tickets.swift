internal import EventModel
internal import HeapModule
internal import SwiftProtobuf

extension TicketsCommand: Envelope {}
extension TicketsEvent: Envelope {}

/// Seats of a house: listed, held for five minutes, sold once.
///
/// An aggregate is either an event's listing (key `event`) or one section of it (key `event:section`), whose one writer
/// decides all its seats together; so adjacent seats are held all or none, and no seat is sold twice.
enum Tickets: Decider {
    typealias Command = TicketsCommand
    typealias Event = TicketsEvent
    typealias Rejection = TicketsRefusal

    /// How long a hold lasts.
    static let holdTime = Duration.seconds(300)
    /// 2: a hold keeps by what it was sold; a section its limits, and for how long seats were held.
    static let stateVersion = 2
    /// 1: a purchase is paid by one token, seats are a set, holds have limits, and facts are what a decision would make. 2: titles and
    /// venues differ by bytes.
    static let rules = 2

    struct Hold: Codable, Sendable, Equatable {
        var holder: String
        var seats: [String]
        var expiresAt: Timestamp
        /// Nil until it is sold.
        var sale: Sale?
        var sold: Bool { sale != nil }
    }

    /// By what a hold was sold.
    struct Sale: Codable, Sendable, Equatable {
        /// The payment provider's token, as the event has it.
        var token: String
        var at: Timestamp
    }

    /// What an aggregate came to be, by its first event.
    enum State: Sendable {
        case unknown
        case listed(TicketsEventListed)
        case open(Section)
    }

    /// A section whose seats are for sale.
    struct Section: Sendable {
        let layout: TicketsSection
        /// The event that it belongs to.
        let event: String
        /// How much of it one holder may hold; nil where there are no limits.
        let limits: HoldingLimits?
        /// Each seat, with the hold it is taken by.
        var seats: [String: String?]
        var holds: [String: Hold] = [:]
        /// When holds run out, soonest first. Those sold or released stay until they come to the front.
        var expiries: Heap<Expiry> = []
        /// For how long seats were held that were not bought, where that is limited.
        var heldTimes = HeldTimes()
        /// The holds of each holder, where seats are limited.
        var holdsOf: [String: [String]] = [:]
    }

    struct Expiry: Comparable, Codable, Sendable {
        var at: Timestamp
        var hold: String
        static func < (a: Expiry, b: Expiry) -> Bool { (a.at, a.hold) < (b.at, b.hold) }
    }

    static var initial: State { .unknown }

    static func sectionKey(_ event: String, _ section: String) -> String { "\(event):\(section)" }

    static func key(of command: Command.Kind) -> String {
        switch command {
        case .listEvent(let c): c.event
        case .openSection(let c): sectionKey(c.event, c.section.name)
        case .holdSeats(let c): sectionKey(c.event, c.section)
        case .confirmPurchase(let c): sectionKey(c.event, c.section)
        case .releaseHold(let c): sectionKey(c.event, c.section)
        case .expireHold(let c): sectionKey(c.event, c.section)
        }
    }

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .eventListed(let e): e.event
        case .sectionOpened(let e): sectionKey(e.event, e.section.name)
        case .seatHeld(let e): sectionKey(e.event, e.section)
        case .holdExpired(let e): sectionKey(e.event, e.section)
        case .seatReleased(let e): sectionKey(e.event, e.section)
        case .seatSold(let e): sectionKey(e.event, e.section)
        }
    }

    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        switch command {
        case .listEvent(let c): try list(c, known: state.listing)
        case .openSection(let c): try open(c, known: state.section)
        case .holdSeats(let c): try hold(c, id: id, in: state.section(c.section, of: c.event), at: now)
        case .confirmPurchase(let c): try confirm(c, in: state.section(c.section, of: c.event), at: now)
        case .releaseHold(let c): try release(c, in: state.section(c.section, of: c.event))
        case .expireHold(let c): expire(c, in: state.section, at: now)
        }
    }

    private static func list(_ c: TicketsListEvent, known: TicketsEventListed?) throws(Rejection) -> [Event.Kind] {
        let listed = TicketsEventListed.with {
            $0.event = c.event
            $0.title = c.title
            $0.venue = c.venue
            $0.startsAt = c.startsAt
            $0.sections = c.sections
            if c.hasLimits { $0.limits = c.limits }
        }
        guard let known else { return [.eventListed(listed)] }
        if known.written == listed.written { return [] }
        throw .alreadyListed(event: c.event)
    }

    private static func open(_ c: TicketsOpenSection, known: Section?) throws(Rejection) -> [Event.Kind] {
        guard let known else {
            return [
                .sectionOpened(
                    .with {
                        ($0.event, $0.section) = (c.event, c.section)
                        if c.hasLimits { $0.limits = c.limits }
                    })
            ]
        }
        let limits = c.hasLimits ? HoldingLimits(c.limits) : nil
        if limits == known.limits, known.layout == c.section || known.layout.ordered == c.section.ordered { return [] }
        throw .alreadyOpen(section: c.section.name)
    }

    private static func hold(
        _ c: TicketsHoldSeats, id: String, in section: Section, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let name = c.hold.isEmpty ? id : c.hold
        if c.hold.isEmpty { try check(holdNamedByID: id) }
        var overdue: [String] = []
        if let known = section.holds[name] {
            if !known.sold, known.expiresAt <= now {
                overdue.append(name)
            } else if known.holder == c.holder, known.seats == c.seats || Set(known.seats) == Set(c.seats) {
                return []
            } else {
                throw .holdExists(hold: name)
            }
        }
        for seat in c.seats {
            guard let taken = section.seats[seat] else { throw .unknownSeat(seat: seat, section: c.section) }
            guard let taken, let hold = section.holds[taken] else { continue }
            if hold.sold { throw .seatSold(seat: seat) }
            if hold.expiresAt > now { throw .seatHeld(seat: seat, until: hold.expiresAt) }
            if !overdue.contains(taken) { overdue.append(taken) }
        }
        try checkLimits(c.seats, by: c.holder, ending: overdue, in: section, at: now)
        return overdue.map { expired($0, in: section) } + [
            .seatHeld(
                .with {
                    ($0.event, $0.section, $0.hold, $0.holder) = (c.event, c.section, name, c.holder)
                    $0.seats = c.seats
                    $0.expiresAt = (now + holdTime).proto
                    $0.total = section.price(of: c.seats.count)
                })
        ]
    }

    private static func confirm(
        _ c: TicketsConfirmPurchase, in section: Section, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        guard let hold = section.holds[c.hold] else { throw .unknownHold(hold: c.hold) }
        if hold.holder != c.holder { throw .holderMismatch(hold: c.hold) }
        if let sale = hold.sale {
            // Whoever was given another token was paid another time.
            if sale.token.utf8.elementsEqual(c.paymentToken.utf8) { return [] }
            throw .paidOtherwise(hold: c.hold, at: sale.at)
        }
        if hold.expiresAt <= now { throw .holdExpired(hold: c.hold) }
        return [
            .seatSold(
                .with {
                    ($0.event, $0.section, $0.hold, $0.holder) = (c.event, c.section, c.hold, c.holder)
                    $0.seats = hold.seats
                    $0.paymentToken = c.paymentToken
                    $0.total = section.price(of: hold.seats.count)
                })
        ]
    }

    private static func release(_ c: TicketsReleaseHold, in section: Section) throws(Rejection) -> [Event.Kind] {
        guard let hold = section.holds[c.hold] else { throw .unknownHold(hold: c.hold) }
        if hold.holder != c.holder { throw .holderMismatch(hold: c.hold) }
        if hold.sold { throw .alreadySold(hold: c.hold) }
        return [
            .seatReleased(
                .with {
                    ($0.event, $0.section, $0.hold, $0.seats) = (c.event, c.section, c.hold, hold.seats)
                })
        ]
    }

    private static func expire(_ c: TicketsExpireHold, in section: Section?, at now: Timestamp) -> [Event.Kind] {
        guard let section, let hold = section.holds[c.hold], !hold.sold, hold.expiresAt <= now else { return [] }
        return [expired(c.hold, in: section)]
    }

    private static func expired(_ hold: String, in section: Section) -> Event.Kind {
        .holdExpired(
            .with {
                ($0.event, $0.section, $0.hold) = (section.event, section.layout.name, hold)
                $0.seats = section.holds[hold]?.seats ?? []
            })
    }

    static func evolve(_ state: inout State, with event: Event.Kind, at time: Timestamp) {
        switch event {
        case .eventListed(let e): state = .listed(e)
        case .sectionOpened(let e): state = .open(Section(e))
        case .seatHeld(let e): state.change { $0.hold(e) }
        case .holdExpired(let e): state.change { $0.free(e.hold, at: time) }
        case .seatReleased(let e): state.change { $0.free(e.hold, at: time) }
        case .seatSold(let e): state.change { $0.sell(e, at: time) }
        }
    }

    static func nextDue(_ state: State) -> Timestamp? {
        guard case .open(let section) = state else { return nil }
        return section.expiries.min?.at
    }

    static func due(_ state: State, by now: Timestamp) -> [DueCommand<Command.Kind>] {
        guard case .open(let section) = state else { return [] }
        let (event, name) = (section.event, section.layout.name)
        return section.expiries.unordered.filter { $0.at <= now && section.isLive($0) }.sorted().map { expiry in
            DueCommand(
                .expireHold(.with { ($0.event, $0.section, $0.hold) = (event, name, expiry.hold) }),
                id: "expire:\(event):\(name):\(expiry.hold):\(expiry.at.rawValue)", due: expiry.at)
        }
    }
}

extension Tickets.State {
    var listing: TicketsEventListed? { if case .listed(let listing) = self { listing } else { nil } }
    var section: Tickets.Section? { if case .open(let section) = self { section } else { nil } }

    /// - Throws: `unknownSection` where it is not open.
    func section(_ name: String, of event: String) throws(TicketsRefusal) -> Tickets.Section {
        guard case .open(let section) = self else { throw .unknownSection(event: event, section: name) }
        return section
    }

    /// Changes an open section where it is, without a copy of its seats.
    fileprivate mutating func change(_ body: (inout Tickets.Section) -> Void) {
        guard case .open(var section) = self else { return }
        self = .unknown
        body(&section)
        self = .open(section)
    }
}

extension Tickets.Section {
    init(_ opened: TicketsSectionOpened) {
        self.init(
            layout: opened.section, event: opened.event,
            limits: opened.hasLimits ? Tickets.HoldingLimits(opened.limits) : nil)
    }

    /// With all its seats free.
    init(layout: TicketsSection, event: String, limits: Tickets.HoldingLimits?) {
        (self.layout, self.event, self.limits) = (layout, event, limits)
        seats = [:]
        for seat in layout.seatNames { seats[seat] = .some(nil) }
    }

    /// What some of its seats cost together.
    func price(of seats: Int) -> TicketsMoney {
        .with {
            $0.amount = layout.price.amount * Int64(seats)
            $0.currency = layout.price.currency
        }
    }

    /// Whether a hold is still to run out at that moment: neither sold, nor released, nor held anew since.
    fileprivate func isLive(_ expiry: Tickets.Expiry) -> Bool {
        guard let hold = holds[expiry.hold] else { return false }
        return !hold.sold && hold.expiresAt == expiry.at
    }

    fileprivate mutating func hold(_ e: TicketsSeatHeld) {
        let until = Timestamp(e.expiresAt)
        holds[e.hold] = Tickets.Hold(holder: e.holder, seats: e.seats, expiresAt: until)
        for seat in e.seats { seats[seat] = e.hold }
        if limits?.seats != nil { holdsOf[e.holder, default: []].append(e.hold) }
        expiries.insert(Tickets.Expiry(at: until, hold: e.hold))
        dropEndedExpiries()
    }

    fileprivate mutating func sell(_ e: TicketsSeatSold, at time: Timestamp) {
        holds[e.hold]?.sale = Tickets.Sale(token: e.paymentToken, at: time)
        // What is bought is held by nobody else any more.
        for seat in e.seats { heldTimes.forget(e.holder, seat) }
        dropEndedExpiries()
    }

    fileprivate mutating func free(_ name: String, at time: Timestamp) {
        if let hold = holds.removeValue(forKey: name) {
            for seat in hold.seats where seats[seat] == .some(name) { seats[seat] = .some(nil) }
            count(hold, named: name, endedAt: time)
        }
        dropEndedExpiries()
    }

    private mutating func dropEndedExpiries() {
        while let first = expiries.min, !isLive(first) { expiries.removeMin() }
    }
}

extension TicketsSection {
    /// Every seat as ROW-NUMBER.
    var seatNames: [String] { rows.flatMap { row in (1...max(1, row.seats)).map { "\(row.label)-\($0)" } } }

    /// With its rows in one order: which comes first makes no other section.
    var ordered: TicketsSection {
        var section = self
        section.rows.sort { $0.label < $1.label }
        return section
    }
}

extension TicketsEventListed {
    /// What tells listings apart: their bytes, with the sections in one order. Swift takes texts as equal that are composed otherwise.
    fileprivate var written: [UInt8]? {
        var listed = self
        listed.sections = sections.map(\.ordered).sorted { $0.name < $1.name }
        return try? listed.serializedBytes()
    }
}
