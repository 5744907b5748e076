import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import TicketsDomain

@Suite("A recorded fact is admitted only where it may come next")
struct TicketsAdmitTests {
    private let held = given(.opened, .held("h1", by: "ann", "A-1", "A-2"))
    private let sold = given(.opened, .held("h1", by: "ann", "A-1"), .sold("h1", to: "ann", "A-1"))

    @Test func `listing, once`() {
        #expect(given().admitting(.listed) == nil)
        #expect(given(.listed).admitting(.listed) == .alreadyListed(event: "e1"))
    }
    @Test func `opening, once`() {
        #expect(given().admitting(.opened) == nil)
        #expect(given(.opened).admitting(.opened) == .alreadyOpen(section: "stalls"))
    }
    @Test func `holding free seats, also long ago`() {
        #expect(given(.opened).admitting(.held("h1", by: "ann", "A-1")) == nil)
        #expect(given(.opened).admitting(.held("h1", by: "ann", "A-1", at: 9999), at: 9999) == nil)
        #expect(held.admitting(.held("h2", by: "bob", "A-3")) == nil)
    }
    @Test func `not holding a seat that is sold`() {
        #expect(sold.admitting(.held("h2", by: "bob", "A-1")) == .seatSold(seat: "A-1"))
    }
    @Test func `not holding a seat that is held, even past its time, before its expiry is recorded`() {
        let no = TicketsRefusal.seatHeld(seat: "A-2", until: after(300))
        #expect(held.admitting(.held("h2", by: "bob", "A-3", "A-2")) == no)
        #expect(held.admitting(.held("h2", by: "bob", "A-2"), at: 9999) == no)
    }
    @Test func `not holding under a name in use, in no section, or no seat`() {
        #expect(held.admitting(.held("h1", by: "ann", "A-1", "A-2")) == .holdExists(hold: "h1"))
        #expect(
            given().admitting(.held("h1", by: "ann", "A-1")) == .unknownSection(event: "e1", section: "stalls"))
        #expect(
            given(.opened).admitting(.held("h1", by: "ann", "A-9")) == .unknownSeat(seat: "A-9", section: "stalls"))
    }
    @Test func `running out, from its moment on, of all the seats`() {
        #expect(held.admitting(.expired("h1", "A-1", "A-2"), at: 300) == nil)
        #expect(held.admitting(.expired("h1", "A-1", "A-2"), at: 299) == .holdNotOver(hold: "h1", until: after(300)))
        #expect(held.admitting(.expired("h1", "A-1"), at: 300) == .otherSeats(hold: "h1"))
        #expect(held.admitting(.expired("h9", "A-1"), at: 300) == .unknownHold(hold: "h9"))
        #expect(sold.admitting(.expired("h1", "A-1"), at: 300) == .alreadySold(hold: "h1"))
    }
    @Test func `release of all the seats of a hold that is not sold`() {
        #expect(held.admitting(.released("h1", "A-1", "A-2")) == nil)
        #expect(held.admitting(.released("h1", "A-2", "A-1")) == .otherSeats(hold: "h1"))
        #expect(held.admitting(.released("h9", "A-1")) == .unknownHold(hold: "h9"))
        #expect(sold.admitting(.released("h1", "A-1")) == .alreadySold(hold: "h1"))
    }
    @Test func `sale of all the seats to the holder in time`() {
        #expect(held.admitting(.sold("h1", to: "ann", "A-1", "A-2"), at: 299) == nil)
        #expect(held.admitting(.sold("h1", to: "ann", "A-1", "A-2"), at: 300) == .holdExpired(hold: "h1"))
        #expect(held.admitting(.sold("h1", to: "bob", "A-1", "A-2")) == .holderMismatch(hold: "h1"))
        #expect(held.admitting(.sold("h1", to: "ann", "A-1")) == .otherSeats(hold: "h1"))
        #expect(given(.opened).admitting(.sold("h1", to: "ann", "A-1")) == .unknownHold(hold: "h1"))
        #expect(sold.admitting(.sold("h1", to: "ann", "A-1")) == .alreadySold(hold: "h1"))
    }

    @Test func `sale and hold at the price, in the currency, and for the time that a command would give`() {
        func sold(_ change: (inout TicketsSeatSold) -> Void) -> TicketsRefusal? {
            guard case .seatSold(var e) = Fact.sold("h1", to: "ann", "A-1", "A-2") else { return nil }
            change(&e)
            return held.admitting(.seatSold(e))
        }
        func hold(_ change: (inout TicketsSeatHeld) -> Void) -> TicketsRefusal? {
            guard case .seatHeld(var e) = Fact.held("h2", by: "bob", "A-3") else { return nil }
            change(&e)
            return held.admitting(.seatHeld(e))
        }
        let total = TicketsRefusal.otherTotal(
            hold: "h1", total: "90.00 EUR, which is amount 9000 of currency EUR,")
        #expect(sold { _ in } == nil && hold { _ in } == nil)
        #expect(sold { $0.total.amount = 1 } == total && sold { $0.total.currency = "USD" } == total)
        #expect(sold { $0.clearTotal() } == total)
        #expect(hold { $0.total.amount += 1 }?.reason == "other-total" && hold { $0.clearTotal() } != nil)
        let expiry = TicketsRefusal.otherExpiry(hold: "h2", until: after(300))
        #expect(hold { $0.expiresAt.seconds += 1 } == expiry && hold { $0.expiresAt.seconds -= 1 } == expiry)
        #expect(hold { $0.expiresAt.nanos = 1 } == expiry)
        // What only a newer program knows of is its own to judge.
        #expect(hold { try? $0.total.merge(serializedBytes: [0x9a, 0x06, 0x01, 0x61]) } == nil)
    }

    @Test func `through its bytes a fact is admitted and folded, and the next one is judged by it`() throws {
        let decider = try #require(Domain.tickets.decider)
        let aggregates = decider.aggregates()
        func admit(_ fact: Fact, key: Bytes = "e1:stalls", at seconds: Int64 = 0) -> Decision {
            aggregates.admit(key: key, fact: TicketsEvent.bytes(fact), at: after(seconds))
        }
        let held = Fact.held("h1", by: "ann", "A-1")
        guard case .accepted(let opened) = admit(.opened) else {
            Issue.record("the section was not opened")
            return
        }
        #expect(opened == [EncodedEvent(type: "SectionOpened", key: "e1:stalls", value: TicketsEvent.bytes(.opened))])
        #expect(
            admit(held)
                == .accepted([EncodedEvent(type: "SeatHeld", key: "e1:stalls", value: TicketsEvent.bytes(held))]))
        #expect(aggregates.nextDue == after(300))
        #expect(
            admit(.held("h2", by: "bob", "A-1"))
                == .refused(Refused(TicketsRefusal.seatHeld(seat: "A-1", until: after(300)))))
        #expect(aggregates.count == 1)
    }
    @Test func `facts that are malformed, of another key, of no known kind or no message are refused`() throws {
        let aggregates = try #require(Domain.tickets.decider).aggregates()
        func reason(_ fact: Bytes, key: Bytes = "e1:stalls") -> String {
            guard case .refused(let no) = aggregates.admit(key: key, fact: fact, at: noon) else { return "accepted" }
            return "\(no.reason): \(no.message)"
        }
        #expect(reason(TicketsEvent.bytes(.opened), key: "e1:boxes").hasPrefix("malformed: key: is e1:boxes"))
        #expect(reason(TicketsEvent.bytes(.expired("", "A-1"))).hasPrefix("malformed: hold: is missing"))
        #expect(reason("garbage").hasPrefix("malformed: the value is not a millrace.tickets.Event"))
        #expect(reason("").hasPrefix("malformed: event: is of no kind"))
        #expect(reason(Bytes([0x9a, 0x06, 0x00])).hasPrefix("malformed: event: is of no kind"))
        #expect(aggregates.count == 0)
    }
}
