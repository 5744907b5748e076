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
        case .otherSeats: "other-seats"
        case .idNamesNoHold: "malformed"
        }
    }

    var message: String {
        switch self {
        case .alreadyListed(let event): "event \(event) is listed already, with other details"
        case .alreadyOpen(let section): "section \(section) is open already, with other seats"
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
        case .otherSeats(let hold): "hold \(hold) is for other seats"
        case .idNamesNoHold(let why): why
        }
    }
}
