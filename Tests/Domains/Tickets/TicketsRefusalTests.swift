import DomainTesting
import EventModel
import Testing

@testable import TicketsDomain

@Suite("A refusal")
struct TicketsRefusalTests {
    /// What is published is never changed: programs go by the reason.
    private static let all: [(no: TicketsRefusal, reason: String, message: String)] = [
        (.alreadyListed(event: "e1"), "already-listed", "event e1 is listed already, with other details"),
        (
            .alreadyOpen(section: "s"), "already-open",
            "section s is open already, with other seats, another price or other limits"
        ),
        (.unknownSection(event: "e1", section: "s"), "unknown-section", "event e1 has no section s on sale"),
        (.unknownSeat(seat: "A-1", section: "s"), "unknown-seat", "section s has no seat A-1"),
        (.seatSold(seat: "A-1"), "seat-not-free", "seat A-1 is sold"),
        (.seatHeld(seat: "A-1", until: noon), "seat-not-free", "seat A-1 is held until 2026-11-01T12:00:00Z"),
        (.holdExists(hold: "h"), "hold-exists", "hold h exists already, for another holder or other seats"),
        (.unknownHold(hold: "h"), "unknown-hold", "there is no hold h; it may have run out or been released"),
        (.holderMismatch(hold: "h"), "holder-mismatch", "hold h belongs to another holder"),
        (.holdExpired(hold: "h"), "hold-expired", "hold h has run out; hold the seats again"),
        (.holdNotOver(hold: "h", until: noon), "hold-not-over", "hold h lasts until 2026-11-01T12:00:00Z"),
        (.alreadySold(hold: "h"), "already-sold", "the seats of hold h are sold"),
        (
            .paidOtherwise(hold: "h", at: noon), "paid-otherwise",
            "hold h is sold already: it was bought at 2026-11-01T12:00:00Z with another payment token; this payment buys nothing, give it back"
        ),
        (
            .holdLimit(seat: "A-1", until: after(60), wait: .milliseconds(59_001), limit: .init(.init())), "hold-limit",
            "seat A-1 may be held by one holder for 900 s in all within 3600 s; buy it while you hold it, or hold it again in 60 s, at 2026-11-01T12:01:00Z"
        ),
        (
            .seatLimit(section: "s", has: 3, most: 4, until: noon), "seat-limit",
            "one holder may have 4 seats of section s, held and bought, and this one has 3; release some, or hold more at 2026-11-01T12:00:00Z, when others have run out"
        ),
        (
            .seatLimit(section: "s", has: 4, most: 4, until: nil), "seat-limit",
            "one holder may have 4 seats of section s, held and bought, and this one has 4; hold fewer"
        ),
        (.otherTotal(hold: "h", total: "1 EUR"), "other-total", "the seats of hold h cost 1 EUR together"),
        (
            .otherExpiry(hold: "h", until: noon), "other-expiry",
            "hold h lasts until 2026-11-01T12:00:00Z: five minutes from the time of the fact, which @time gives"
        ),
        (.otherSeats(hold: "h"), "other-seats", "hold h is for other seats"),
        (.idNamesNoHold(why: "id: has a space"), "malformed", "id: has a space"),
    ]

    @Test(arguments: 0..<Self.all.count)
    func `has its published reason and a message that names what it is about`(_ i: Int) {
        let (no, reason, message) = Self.all[i]
        #expect(no.reason == reason)
        #expect(no.message == message)
    }
}
