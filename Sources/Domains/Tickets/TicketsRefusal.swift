internal import EventModel

/// Why tickets says no.
enum TicketsRefusal: Refusal, Hashable {
    case alreadyListed(event: String)
    case alreadyOpen(section: String)
    case unknownSection(event: String, section: String)
    case unknownSeat(seat: String, section: String)
    case seatSold(seat: String)
    case seatHeld(seat: String, until: Timestamp)
    case holdExists(hold: String)
    case unknownHold(hold: String)
    case holderMismatch(hold: String)
    case holdExpired(hold: String)
    case holdNotOver(hold: String, until: Timestamp)
    case alreadySold(hold: String)
    case paidOtherwise(hold: String, at: Timestamp)
    case holdLimit(seat: String, until: Timestamp, wait: Duration, limit: Tickets.HoldingLimits)
    case seatLimit(section: String, has: Int, most: Int, until: Timestamp?)
    case otherTotal(hold: String, total: String)
    case otherExpiry(hold: String, until: Timestamp)
    case otherSeats(hold: String)
    case idNamesNoHold(why: String)

    var reason: String {
        switch self {
        case .alreadyListed: "already-listed"
        case .alreadyOpen: "already-open"
        case .unknownSection: "unknown-section"
        case .unknownSeat: "unknown-seat"
        case .seatSold, .seatHeld: "seat-not-free"
        case .holdExists: "hold-exists"
        case .unknownHold: "unknown-hold"
        case .holderMismatch: "holder-mismatch"
        case .holdExpired: "hold-expired"
        case .holdNotOver: "hold-not-over"
        case .alreadySold: "already-sold"
        case .paidOtherwise: "paid-otherwise"
        case .holdLimit: "hold-limit"
        case .seatLimit: "seat-limit"
        case .otherTotal: "other-total"
        case .otherExpiry: "other-expiry"
        case .otherSeats: "other-seats"
        case .idNamesNoHold: "malformed"
        }
    }

    var message: String {
        switch self {
        case .alreadyListed(let event): "event \(event) is listed already, with other details"
        case .alreadyOpen(let section):
            "section \(section) is open already, with other seats, another price or other limits"
        case .unknownSection(let event, let section): "event \(event) has no section \(section) on sale"
        case .unknownSeat(let seat, let section): "section \(section) has no seat \(seat)"
        case .seatSold(let seat): "seat \(seat) is sold"
        case .seatHeld(let seat, let until): "seat \(seat) is held until \(until.rfc3339)"
        case .holdExists(let hold): "hold \(hold) exists already, for another holder or other seats"
        case .unknownHold(let hold): "there is no hold \(hold); it may have run out or been released"
        case .holderMismatch(let hold): "hold \(hold) belongs to another holder"
        case .holdExpired(let hold): "hold \(hold) has run out; hold the seats again"
        case .holdNotOver(let hold, let until): "hold \(hold) lasts until \(until.rfc3339)"
        case .alreadySold(let hold): "the seats of hold \(hold) are sold"
        case .paidOtherwise(let hold, let at):
            "hold \(hold) is sold already: it was bought at \(at.rfc3339) with another payment token; this payment buys nothing, give it back"
        case .holdLimit(let seat, let until, let wait, let limit):
            "seat \(seat) may be held by one holder for \(limit.time?.seconds ?? 0) s in all within \(limit.window.seconds) s; buy it while you hold it, or hold it again in \(wait.seconds) s, at \(until.rfc3339)"
        case .seatLimit(let section, let has, let most, let until):
            "one holder may have \(most) seats of section \(section), held and bought, and this one has \(has); "
                + (until.map { "release some, or hold more at \($0.rfc3339), when others have run out" }
                    ?? "hold fewer")
        case .otherTotal(let hold, let total): "the seats of hold \(hold) cost \(total) together"
        case .otherExpiry(let hold, let until):
            "hold \(hold) lasts until \(until.rfc3339): five minutes from the time of the fact, which @time gives"
        case .otherSeats(let hold): "hold \(hold) is for other seats"
        case .idNamesNoHold(let why): why
        }
    }
}

extension Duration {
    /// Whole seconds, rounded up.
    fileprivate var seconds: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }
}
