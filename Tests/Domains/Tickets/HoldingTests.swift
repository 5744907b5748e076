import DomainTesting
import EventModel
import Testing

@testable import TicketsDomain

@Suite("Listing, opening and holding")
struct HoldingTests {
    @Test func `an event is listed with all that it was given`() {
        given().when(.list).then(.listed)
    }
    @Test func `listing the same event again does nothing`() {
        given(.listed).when(.list).then()
    }
    @Test func `listing an event with other details is refused`() {
        given(.listed).when(.list("Swan Lake")).refused(.alreadyListed(event: "e1"))
        // The same letters written in two ways are two titles.
        given(.listed(title: "Caf\u{e9}")).when(.list("Cafe\u{301}")).refused(.alreadyListed(event: "e1"))
        given(.listed).when(.list("Nutcracker", sections: [.stalls])).refused(.alreadyListed(event: "e1"))
    }

    @Test func `listing or opening the same in another order again does nothing`() {
        var turned = TicketsSection.stalls
        turned.rows.reverse()
        given(.listed).when(.list("Nutcracker", sections: [.balcony, turned])).then()
        given(.opened).when(.open(turned)).then()
        turned.rows[0].seats += 1
        given(.opened).when(.open(turned)).refused(.alreadyOpen(section: "stalls"))
        given(.listed).when(.list("Nutcracker", sections: [.balcony, turned])).refused(.alreadyListed(event: "e1"))
    }
    @Test func `a section is opened with all its seats free`() throws {
        given().when(.open).then(.opened)
        let seats = try #require(given(.opened).state.section).seats
        #expect(seats.keys.sorted() == ["A-1", "A-2", "A-3", "A-4", "B-1", "B-2", "B-3", "B-4"])
        #expect(seats.values.allSatisfy { $0 == nil })
    }
    @Test func `opening the same section again does nothing`() {
        given(.opened).when(.open).then()
        given(.opened, .held("h1", by: "ann", "A-1")).when(.open).then()
    }
    @Test func `opening a section with other seats is refused`() {
        given(.opened).when(.open(.named("stalls", rows: [("A", 5)]))).refused(.alreadyOpen(section: "stalls"))
    }

    @Test func `free seats are held for five minutes, at the price of all of them`() {
        given(.opened).when(.hold("h1", by: "ann", "A-1", "A-2"), at: 10)
            .then(.held("h1", by: "ann", "A-1", "A-2", at: 10))
        let then = given(.opened, .held("h1", by: "ann", "A-1", "A-2"))
        #expect(["A-1", "A-2", "A-3"].map(then.owner) == ["ann", "ann", ""])
    }
    @Test func `a hold without a name takes the command's id`() {
        given(.opened).when(.hold(by: "ann", "A-1"), id: "c7").then(.held("c7", by: "ann", "A-1"))
    }
    @Test func `a hold is refused that a command's id cannot name`() {
        let long = String(repeating: "x", count: Limits.commandID + 1)
        for id in ["a b", "a:b", "a#b", "a\nb", "", long] {
            let decided = Result { () throws(TicketsRefusal) in
                try Tickets.decide(.hold(by: "ann", "A-1"), id: id, on: given(.opened).state, at: noon)
            }
            guard case .failure(let no) = decided else {
                Issue.record("a hold named \(id) could be neither confirmed nor released")
                continue
            }
            #expect(no.reason == "malformed")
        }
    }
    @Test func `holding the same seats under the same name again does nothing`() {
        given(.opened, .held("h1", by: "ann", "A-1")).when(.hold("h1", by: "ann", "A-1"), at: 299).then()
        given(.opened, .held("h1", by: "ann", "A-1"), .sold("h1", to: "ann", "A-1"))
            .when(.hold("h1", by: "ann", "A-1"), at: 999).then()
    }
    @Test func `holding the same seats in another order again does nothing`() {
        let held = given(.opened, .held("h1", by: "ann", "A-1", "A-2", "B-1"))
        held.when(.hold("h1", by: "ann", "B-1", "A-1", "A-2"), at: 299).then()
        held.when(.hold("h1", by: "ann", "B-1", "A-1", "A-3")).refused(.holdExists(hold: "h1"))
        held.when(.hold("h1", by: "ann", "B-1", "A-1")).refused(.holdExists(hold: "h1"))
        held.when(.hold("h1", by: "bob", "B-1", "A-1", "A-2")).refused(.holdExists(hold: "h1"))
        given(.opened, .held("h1", by: "ann", "A-1", "A-2"), .sold("h1", to: "ann", "A-1", "A-2"))
            .when(.hold("h1", by: "ann", "A-2", "A-1"), at: 999).then()
    }
    @Test func `a hold's name is taken while it lasts, and for good once it is sold`() {
        let held = given(.opened, .held("h1", by: "ann", "A-1"))
        held.when(.hold("h1", by: "bob", "A-1")).refused(.holdExists(hold: "h1"))
        held.when(.hold("h1", by: "ann", "A-2")).refused(.holdExists(hold: "h1"))
        held.when(.hold("h1", by: "ann", "A-1", "A-2")).refused(.holdExists(hold: "h1"))
        given(.opened, .held("h1", by: "ann", "A-1"), .sold("h1", to: "ann", "A-1"))
            .when(.hold("h1", by: "bob", "A-2"), at: 999).refused(.holdExists(hold: "h1"))
    }

    @Test func `holding is all or none`() {
        let one = given(.opened, .held("h1", by: "ann", "A-2"))
        one.when(.hold("h2", by: "bob", "A-1", "A-2", "A-3")).refused(.seatHeld(seat: "A-2", until: after(300)))
        one.when(.hold("h2", by: "bob", "A-1", "A-9")).refused(.unknownSeat(seat: "A-9", section: "stalls"))
        #expect(one.owner("A-1") == "")
    }
    @Test func `holding a held seat is refused until its last millisecond, also to its holder`() {
        let held = given(.opened, .held("h1", by: "ann", "A-1"))
        held.when(.hold("h2", by: "bob", "A-1"), at: 299).refused(.seatHeld(seat: "A-1", until: after(300)))
        held.when(.hold("h2", by: "ann", "A-1")).refused(.seatHeld(seat: "A-1", until: after(300)))
    }
    @Test func `holding a sold seat is refused for ever`() {
        given(.opened, .held("h1", by: "ann", "A-1"), .sold("h1", to: "ann", "A-1"))
            .when(.hold("h2", by: "bob", "A-1"), at: 1_000_000).refused(.seatSold(seat: "A-1"))
    }
    @Test func `holding a seat that there is not is refused`() {
        for seat in ["A-5", "C-1", "A-0", "A-01", "A-+1", "a-1", "A", "1"] {
            given(.opened).when(.hold("h1", by: "ann", seat)).refused(.unknownSeat(seat: seat, section: "stalls"))
        }
    }
    @Test func `everything in a section that is not open is refused`() {
        let no = TicketsRefusal.unknownSection(event: "e1", section: "boxes")
        given().when(.hold("h1", by: "ann", in: "boxes", "A-1")).refused(no)
        given().when(.confirm("h1", by: "ann", in: "boxes")).refused(no)
        given().when(.release("h1", by: "ann", in: "boxes")).refused(no)
        given(.listed).when(.hold("h1", by: "ann", in: "boxes", "A-1")).refused(no)
    }

    @Test func `a hold over an overdue hold expires it first`() {
        given(.opened, .held("h1", by: "ann", "A-1", "A-2"))
            .when(.hold("h2", by: "bob", "A-2", "A-3"), at: 300)
            .then(.expired("h1", "A-1", "A-2"), .held("h2", by: "bob", "A-2", "A-3", at: 300))
    }
    @Test func `each of several overdue holds is expired once`() {
        given(.opened, .held("h1", by: "ann", "A-1", "A-2"), .held("h2", by: "bob", "A-3"))
            .when(.hold("h3", by: "cy", "A-3", "A-1", "A-2"), at: 300)
            .then(
                .expired("h2", "A-3"), .expired("h1", "A-1", "A-2"), .held("h3", by: "cy", "A-3", "A-1", "A-2", at: 300)
            )
    }
    @Test func `an overdue hold may be held anew under its own name`() {
        given(.opened, .held("h1", by: "ann", "A-1")).when(.hold("h1", by: "ann", "A-1"), at: 300)
            .then(.expired("h1", "A-1"), .held("h1", by: "ann", "A-1", at: 300))
        given(.opened, .held("h1", by: "ann", "A-1")).when(.hold("h1", by: "bob", "B-1"), at: 300)
            .then(.expired("h1", "A-1"), .held("h1", by: "bob", "B-1", at: 300))
    }
    @Test func `an overdue hold stays where the new one is refused`() {
        given(.opened, .held("h1", by: "ann", "A-1"), .held("h2", by: "bob", "A-2", at: 100))
            .when(.hold("h3", by: "cy", "A-1", "A-2"), at: 300)
            .refused(.seatHeld(seat: "A-2", until: after(400)))
    }
}
