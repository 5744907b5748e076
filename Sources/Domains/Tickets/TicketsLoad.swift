internal import EventModel
internal import SwiftProtobuf

/// One hold of seats of one section, from the hold to the purchase.
struct Booking: Sendable {
    var event: String
    var section: String
    var holder: String
    var hold: String

    func holding(_ seats: [String], age: Duration = .zero) -> LoadRequest {
        LoadRequest(
            TicketsHoldSeats.with {
                ($0.event, $0.section, $0.holder, $0.hold) = (event, section, holder, hold)
                $0.seats = seats
            }, age: age)
    }
    func confirming(_ paymentToken: String) -> LoadRequest {
        LoadRequest(
            TicketsConfirmPurchase.with {
                ($0.event, $0.section, $0.holder, $0.hold) = (event, section, holder, hold)
                $0.paymentToken = paymentToken
            })
    }
    func releasing(id: String? = nil) -> LoadRequest {
        LoadRequest(
            TicketsReleaseHold.with {
                ($0.event, $0.section, $0.holder, $0.hold) = (event, section, holder, hold)
            }, id: id)
    }
}

extension TicketsSection {
    /// Rows A, B and so on, with as many seats each.
    static func of(_ name: String, rows: Int, seats: Int, cents: Int64) -> TicketsSection {
        .with {
            $0.name = name
            $0.rows = (0..<rows).map { row in .with { ($0.label, $0.seats) = (label(row), Int32(seats)) } }
            $0.price = .with { ($0.amount, $0.currency) = (cents, "EUR") }
        }
    }
    static func label(_ row: Int) -> String { String(UnicodeScalar(UInt8(ascii: "A") + UInt8(row))) }
}

extension Tickets {
    /// Almost as long as a hold lasts: one that began so long ago runs out while one watches.
    static let almostOver = holdTime - .seconds(2)

    /// Two houses of four seats, five buyers who want the same ones.
    static func request(_ draw: inout LoadDraw) -> LoadRequest {
        let size = draw.keys.size
        // Whose hold it is, and of which house, follows from the request's number, so that most of what names a hold
        // names one that there is. Holds are named by a few numbers, so that they meet again.
        func booking(_ number: Int) -> Booking {
            Booking(
                event: draw.name("e", number: number % (2 * size) + 1), section: "s",
                holder: draw.name("p", number: number / 2 % (5 * size) + 1),
                hold: draw.name("h", number: number % (13 * size)))
        }
        let new = booking(draw.number)
        var old = booking(draw.number(max(0, draw.number - 8 * size)...draw.number))
        if draw.chance(10) { old.holder = new.holder }
        switch draw.number(0...99) {
        case _ where draw.number < 2 * size, 0..<6:
            return LoadRequest(
                TicketsListEvent.with {
                    ($0.event, $0.title, $0.venue) = (new.event, "T", "V")
                    $0.startsAt = (draw.now + .seconds(30 * 86_400)).proto
                    $0.sections = [.of(new.section, rows: 1, seats: 4 * size, cents: 4500)]
                })
        case 6..<56:
            let seats = Set([draw.number(1...4 * size), draw.number(1...4 * size)]).sorted().map { "A-\($0)" }
            return new.holding(seats, age: draw.chance(10) ? almostOver : .zero)
        case 56..<80: return old.confirming("tok_1")
        case 80..<96: return old.releasing()
        default:
            // An id that another command has already.
            return old.releasing(id: LoadRequest.id(of: draw.number(0...draw.number)))
        }
    }
}

/// Lists a gala, and waits until the seats of its sections can be held.
struct BoxOffice: LoadActor {
    static let event = "gala"
    static let sections: [(name: String, rows: Int, seats: Int)] = [("stalls", 8, 24), ("balcony", 4, 30)]

    private var isListed = false
    private var opened = 0
    private var isHeld = false

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        if !isListed {
            isListed = true
            return LoadStep(Self.listing(moment.now))
        }
        // A reaction opens the sections: one is open once a hold is not refused for that.
        if isHeld, moment.last != .refused(reason: "unknown-section") {
            isHeld = false
            defer { opened += 1 }
            return LoadStep(trial(opened).releasing())
        }
        if opened == Self.sections.count { return nil }
        let pause: Duration = isHeld ? .milliseconds(5) : .zero
        isHeld = true
        return LoadStep(trial(opened).holding(["A-1"]), pause: pause)
    }

    private func trial(_ section: Int) -> Booking {
        let name = Self.sections[section].name
        return Booking(event: Self.event, section: name, holder: "usher", hold: "opening-\(name)")
    }

    private static func listing(_ now: Timestamp) -> LoadRequest {
        LoadRequest(
            TicketsListEvent.with {
                ($0.event, $0.title, $0.venue) = (event, "The Gala", "Opera")
                $0.startsAt = (now + .seconds(30 * 86_400)).proto
                $0.sections = sections.enumerated().map { i, section in
                    .of(section.name, rows: section.rows, seats: section.seats, cents: Int64(9000 - 3000 * i))
                }
            })
    }
}

/// A fan who holds some seats beside each other, and buys them, gives them back, or forgets them.
struct Fan: LoadActor {
    /// Milliseconds between two of a fan's requests.
    private static let pause = 50...350

    private let number: Int
    private var random: SeededRandom
    private var turn = 0
    /// What is done once the seats are held.
    private var then: LoadRequest?

    init(_ number: Int, seed: UInt64) {
        self.number = number
        random = SeededRandom(seed, UInt64(number))
    }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        if let request = then.take(), moment.last == .accepted {
            return LoadStep(request, pause: random.pause(Self.pause))
        }
        turn += 1
        let section = random.one(of: BoxOffice.sections)
        let row = TicketsSection.label(random.number(0...section.rows - 1))
        let count = random.number(1...4)
        let first = random.number(1...section.seats - count + 1)
        let booking = Booking(
            event: BoxOffice.event, section: section.name, holder: "fan-\(number)", hold: "fan-\(number)-\(turn)")
        let seats = (first..<first + count).map { "\(row)-\($0)" }
        switch random.number(0...99) {
        case 0..<45: then = booking.confirming("tok_\(number)_\(turn)")
        case 45..<60: then = booking.releasing()
        case 60..<80: break
        default:
            // Some came almost five minutes ago and have forgotten: their holds run out while one watches.
            return LoadStep(booking.holding(seats, age: Tickets.almostOver), pause: random.pause(Self.pause))
        }
        return LoadStep(booking.holding(seats), pause: then == nil ? random.pause(Self.pause) : .zero)
    }
}
