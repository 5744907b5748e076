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
    /// 1: a purchase is paid by one token, seats are a set, holds have limits, and facts are what a decision would make.
    static let rules = 1

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

    struct State: Sendable {
        /// Set in an event's own aggregate.
        var listing: TicketsEventListed?
        /// Set in a section's aggregate.
        var section: TicketsSection?
        /// Each seat of the section, with the hold it is taken by.
        var seats: [String: String?] = [:]
        var holds: [String: Hold] = [:]
        /// When holds run out, soonest first. Those sold or released stay until they come to the front.
        var expiries: Heap<Expiry> = []
        /// The event that the section belongs to.
        var event = ""
        /// How much of the section one holder may hold; nil where there are no limits.
        var limits: HoldingLimits?
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

    static var initial: State { State() }

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
        case .listEvent(let c): try list(c, on: state)
        case .openSection(let c): try open(c, on: state)
        case .holdSeats(let c): try hold(c, id: id, on: state, at: now)
        case .confirmPurchase(let c): try confirm(c, on: state, at: now)
        case .releaseHold(let c): try release(c, on: state)
        case .expireHold(let c): expire(c, on: state, at: now)
        }
    }

    private static func list(_ c: TicketsListEvent, on state: State) throws(Rejection) -> [Event.Kind] {
        let listed = TicketsEventListed.with {
            $0.event = c.event
            $0.title = c.title
            $0.venue = c.venue
            $0.startsAt = c.startsAt
            $0.sections = c.sections
            if c.hasLimits { $0.limits = c.limits }
        }
        guard let known = state.listing else { return [.eventListed(listed)] }
        if known == listed || known.ordered == listed.ordered { return [] }
        throw .alreadyListed(event: c.event)
    }

    private static func open(_ c: TicketsOpenSection, on state: State) throws(Rejection) -> [Event.Kind] {
        guard let known = state.section else {
            return [
                .sectionOpened(
                    .with {
                        ($0.event, $0.section) = (c.event, c.section)
                        if c.hasLimits { $0.limits = c.limits }
                    })
            ]
        }
        let limits = c.hasLimits ? HoldingLimits(c.limits) : nil
        if limits == state.limits, known == c.section || known.ordered == c.section.ordered { return [] }
        throw .alreadyOpen(section: c.section.name)
    }

    private static func hold(
        _ c: TicketsHoldSeats, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        guard let section = state.section else { throw .unknownSection(event: c.event, section: c.section) }
        let name = c.hold.isEmpty ? id : c.hold
        if c.hold.isEmpty { try check(holdNamedByID: id) }
        var overdue: [String] = []
        if let known = state.holds[name] {
            if !known.sold, known.expiresAt <= now {
                overdue.append(name)
            } else if known.holder == c.holder, known.seats == c.seats || Set(known.seats) == Set(c.seats) {
                return []
            } else {
                throw .holdExists(hold: name)
            }
        }
        for seat in c.seats {
            guard let taken = state.seats[seat] else { throw .unknownSeat(seat: seat, section: c.section) }
            guard let taken, let hold = state.holds[taken] else { continue }
            if hold.sold { throw .seatSold(seat: seat) }
            if hold.expiresAt > now { throw .seatHeld(seat: seat, until: hold.expiresAt) }
            if !overdue.contains(taken) { overdue.append(taken) }
        }
        try checkLimits(c.seats, by: c.holder, ending: overdue, on: state, at: now)
        return overdue.map { expired(c.event, c.section, $0, state) } + [
            .seatHeld(
                .with {
                    ($0.event, $0.section, $0.hold, $0.holder) = (c.event, c.section, name, c.holder)
                    $0.seats = c.seats
                    $0.expiresAt = (now + holdTime).proto
                    $0.total = total(section, c.seats.count)
                })
        ]
    }

    private static func confirm(
        _ c: TicketsConfirmPurchase, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        guard let section = state.section else { throw .unknownSection(event: c.event, section: c.section) }
        guard let hold = state.holds[c.hold] else { throw .unknownHold(hold: c.hold) }
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
                    $0.total = total(section, hold.seats.count)
                })
        ]
    }

    private static func release(_ c: TicketsReleaseHold, on state: State) throws(Rejection) -> [Event.Kind] {
        guard state.section != nil else { throw .unknownSection(event: c.event, section: c.section) }
        guard let hold = state.holds[c.hold] else { throw .unknownHold(hold: c.hold) }
        if hold.holder != c.holder { throw .holderMismatch(hold: c.hold) }
        if hold.sold { throw .alreadySold(hold: c.hold) }
        return [
            .seatReleased(
                .with {
                    ($0.event, $0.section, $0.hold, $0.seats) = (c.event, c.section, c.hold, hold.seats)
                })
        ]
    }

    private static func expire(_ c: TicketsExpireHold, on state: State, at now: Timestamp) -> [Event.Kind] {
        guard let hold = state.holds[c.hold], !hold.sold, hold.expiresAt <= now else { return [] }
        return [expired(c.event, c.section, c.hold, state)]
    }

    private static func expired(_ event: String, _ section: String, _ hold: String, _ state: State) -> Event.Kind {
        .holdExpired(
            .with {
                ($0.event, $0.section, $0.hold) = (event, section, hold)
                $0.seats = state.holds[hold]?.seats ?? []
            })
    }

    /// What seats of a section cost together.
    static func total(_ section: TicketsSection, _ seats: Int) -> TicketsMoney {
        .with {
            $0.amount = section.price.amount * Int64(seats)
            $0.currency = section.price.currency
        }
    }

    static func evolve(_ state: inout State, with event: Event.Kind, at time: Timestamp) {
        switch event {
        case .eventListed(let e): state.listing = e
        case .sectionOpened(let e):
            state.section = e.section
            state.event = e.event
            state.limits = e.hasLimits ? HoldingLimits(e.limits) : nil
            for seat in e.section.seatNames { state.seats[seat] = .some(nil) }
        case .seatHeld(let e):
            let until = Timestamp(e.expiresAt)
            state.holds[e.hold] = Hold(holder: e.holder, seats: e.seats, expiresAt: until)
            for seat in e.seats { state.seats[seat] = e.hold }
            if state.limits?.seats != nil { state.holdsOf[e.holder, default: []].append(e.hold) }
            state.expiries.insert(Expiry(at: until, hold: e.hold))
        case .holdExpired(let e): state.free(e.hold, at: time)
        case .seatReleased(let e): state.free(e.hold, at: time)
        case .seatSold(let e):
            state.holds[e.hold]?.sale = Sale(token: e.paymentToken, at: time)
            // What is bought is held by nobody else any more.
            for seat in e.seats { state.heldTimes.forget(e.holder, seat) }
        }
        while let first = state.expiries.min, !state.isLive(first) { state.expiries.removeMin() }
    }

    static func nextDue(_ state: State) -> Timestamp? { state.expiries.min?.at }

    static func due(_ state: State, by now: Timestamp) -> [DueCommand<Command.Kind>] {
        state.expiries.unordered.filter { $0.at <= now && state.isLive($0) }.sorted().map { expiry in
            let (event, section) = (state.event, state.section?.name ?? "")
            return DueCommand(
                .expireHold(.with { ($0.event, $0.section, $0.hold) = (event, section, expiry.hold) }),
                id: "expire:\(event):\(section):\(expiry.hold):\(expiry.at.rawValue)", due: expiry.at)
        }
    }
}

extension Tickets.State {
    /// Whether a hold is still to run out at that moment: neither sold, nor released, nor held anew since.
    fileprivate func isLive(_ expiry: Tickets.Expiry) -> Bool {
        guard let hold = holds[expiry.hold] else { return false }
        return !hold.sold && hold.expiresAt == expiry.at
    }

    fileprivate mutating func free(_ name: String, at time: Timestamp) {
        guard let hold = holds.removeValue(forKey: name) else { return }
        for seat in hold.seats where seats[seat] == .some(name) { seats[seat] = .some(nil) }
        count(hold, named: name, endedAt: time)
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
    /// With its sections in one order.
    fileprivate var ordered: TicketsEventListed {
        var listed = self
        listed.sections = sections.map(\.ordered).sorted { $0.name < $1.name }
        return listed
    }
}
