import EventModel
import Testing

@testable import Domains

@Suite("A refusal")
struct TicketsRefusalTests {
    /// What is published is never changed: programs go by the reason.
    private static let all: [(no: TicketsRefusal, reason: String, message: String)] = [
        (.alreadyListed(event: "e1"), "already-listed", "event e1 is listed already, with other details"),
        (.alreadyOpen(section: "s"), "already-open", "section s is open already, with other seats"),
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
