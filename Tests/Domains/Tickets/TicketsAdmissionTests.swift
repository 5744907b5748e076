import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import TicketsDomain

/// A fact is admitted only if it is, wholly, what some command would make in that state at that time, and always if it is.
@Suite("A fact of tickets recorded elsewhere")
struct TicketsAdmissionTests {
    @Test(arguments: [1, 20_261_128, 0xadd] as [UInt64])
    func `is admitted where a command makes exactly it`(seed: UInt64) throws {
        try Recorded<Tickets>(domain: .tickets, seed: seed, draw: TicketsCommands.draw) { fact, state in
            switch fact {
            case .eventListed(let e):
                .listEvent(
                    .with {
                        ($0.event, $0.title, $0.venue, $0.startsAt) = (e.event, e.title, e.venue, e.startsAt)
                        $0.sections = e.sections
                        if e.hasLimits { $0.limits = e.limits }
                    })
            case .sectionOpened(let e):
                .openSection(
                    .with {
                        ($0.event, $0.section) = (e.event, e.section)
                        if e.hasLimits { $0.limits = e.limits }
                    })
            case .seatHeld(let e):
                .holdSeats(
                    .with {
                        ($0.event, $0.section, $0.holder, $0.seats) = (e.event, e.section, e.holder, e.seats)
                        $0.hold = e.hold
                    })
            case .holdExpired(let e):
                .expireHold(.with { ($0.event, $0.section, $0.hold) = (e.event, e.section, e.hold) })
            case .seatReleased(let e):
                .releaseHold(
                    .with {
                        ($0.event, $0.section, $0.hold) = (e.event, e.section, e.hold)
                        $0.holder = state.section?.holds[e.hold]?.holder ?? "nobody"
                    })
            case .seatSold(let e):
                .confirmPurchase(
                    .with {
                        ($0.event, $0.section, $0.hold, $0.holder) = (e.event, e.section, e.hold, e.holder)
                        $0.paymentToken = e.paymentToken
                    })
            }
        }.run()
    }
}

/// Commands at random, among few names.
enum TicketsCommands {
    static func draw(_ random: inout SeededRandom, _ step: Int) -> TicketsCommand.OneOf_Kind {
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        let (event, section) = ("e\(pick(1...3))", ["stalls", "balcony"][pick(0...1)])
        let (hold, holder) = ("h\(pick(0...9))", "p\(pick(1...3))")
        let limits = TicketsHoldLimits.with {
            if pick(0...1) == 0 { $0.seatsPerHolder = 3 }
            if pick(0...1) == 0 { $0.holdSeconds = 600 }
        }
        let sections = [TicketsSection.stalls, .balcony]
        switch pick(0...99) {
        case 0..<8:
            return .listEvent(
                .with {
                    ($0.event, $0.title, $0.venue, $0.startsAt) = (event, "t", "v", after(9000).proto)
                    $0.sections = sections
                    if pick(0...1) == 0 { $0.limits = limits }
                })
        case 8..<20:
            return .openSection(
                .with {
                    ($0.event, $0.section) = (event, sections[pick(0...1)])
                    if pick(0...1) == 0 { $0.limits = limits }
                })
        case 20..<60:
            let row = pick(0...1) == 0 ? "A" : "B"
            let seats = Set((0...pick(0...2)).map { _ in "\(row)-\(pick(1...4))" })
            return .holdSeats(
                .with {
                    ($0.event, $0.section, $0.hold, $0.holder) = (event, section, hold, holder)
                    $0.seats = seats.sorted()
                })
        case 60..<72:
            return .confirmPurchase(
                .with {
                    ($0.event, $0.section, $0.hold, $0.holder) = (event, section, hold, holder)
                    $0.paymentToken = "tok_\(pick(1...2))"
                })
        case 72..<86:
            return .releaseHold(
                .with { ($0.event, $0.section, $0.hold, $0.holder) = (event, section, hold, holder) })
        default: return .expireHold(.with { ($0.event, $0.section, $0.hold) = (event, section, hold) })
        }
    }
}
