import DomainTesting
import EventModel
import Testing

@testable import TicketsDomain

@Suite("Confirming, releasing and running out")
struct SellingTests {
    private let held = given(.opened, .held("h1", by: "ann", "A-1", "A-2"))
    private let sold = given(.opened, .held("h1", by: "ann", "A-1", "A-2"), .sold("h1", to: "ann", "A-1", "A-2"))

    @Test func `a hold is confirmed with the seats it has and their price`() {
        held.when(.confirm("h1", by: "ann"), at: 299).then(.sold("h1", to: "ann", "A-1", "A-2"))
        #expect(sold.owner("A-2") == "ann!")
    }
    @Test func `confirming twice sells once, however late`() {
        sold.when(.confirm("h1", by: "ann")).then()
        sold.when(.confirm("h1", by: "ann"), at: 1_000_000).then()
    }
    @Test func `confirming again with another payment is refused, and says by which purchase it is sold`() {
        for token in ["tok_2", "tok_1 ", "TOK_1"] {
            sold.when(.confirm("h1", by: "ann", token: token), at: 1_000_000)
                .refused(.paidOtherwise(hold: "h1", at: noon))
        }
        // The same letter written in two ways is two tokens.
        let composed = given(.opened, .held("h1", by: "ann", "A-1"), .sold("h1", to: "ann", token: "t\u{e9}", "A-1"))
        composed.when(.confirm("h1", by: "ann", token: "te\u{301}")).refused(.paidOtherwise(hold: "h1", at: noon))
        composed.when(.confirm("h1", by: "ann", token: "t\u{e9}")).then()
    }
    @Test func `confirming a hold that has run out is refused`() {
        held.when(.confirm("h1", by: "ann"), at: 300).refused(.holdExpired(hold: "h1"))
        given(.opened, .held("h1", by: "ann", "A-1"), .expired("h1", "A-1"))
            .when(.confirm("h1", by: "ann"), at: 301).refused(.unknownHold(hold: "h1"))
    }
    @Test func `only the holder may confirm or release`() {
        held.when(.confirm("h1", by: "bob")).refused(.holderMismatch(hold: "h1"))
        held.when(.release("h1", by: "bob")).refused(.holderMismatch(hold: "h1"))
        sold.when(.confirm("h1", by: "bob")).refused(.holderMismatch(hold: "h1"))
        sold.when(.release("h1", by: "bob")).refused(.holderMismatch(hold: "h1"))
    }
    @Test func `a hold that there is not is neither confirmed nor released`() {
        held.when(.confirm("h9", by: "ann")).refused(.unknownHold(hold: "h9"))
        held.when(.release("h9", by: "ann")).refused(.unknownHold(hold: "h9"))
    }

    @Test func `a released hold frees its seats`() {
        held.when(.release("h1", by: "ann")).then(.released("h1", "A-1", "A-2"))
        let then = given(.opened, .held("h1", by: "ann", "A-1", "A-2"), .released("h1", "A-1", "A-2"))
        #expect(["A-1", "A-2"].map(then.owner) == ["", ""])
        then.when(.release("h1", by: "ann")).refused(.unknownHold(hold: "h1"))
        then.when(.confirm("h1", by: "ann")).refused(.unknownHold(hold: "h1"))
    }
    @Test func `a hold that has run out may still be released`() {
        held.when(.release("h1", by: "ann"), at: 400).then(.released("h1", "A-1", "A-2"))
    }
    @Test func `releasing a sold hold is refused`() {
        sold.when(.release("h1", by: "ann")).refused(.alreadySold(hold: "h1"))
    }
    @Test func `freeing an old hold leaves seats alone that another holds since`() {
        let then = given(
            .opened, .held("h1", by: "ann", "A-1"), .expired("h1", "A-1"), .held("h2", by: "bob", "A-1", at: 300),
            .expired("h1", "A-1"))
        #expect(then.owner("A-1") == "bob")
    }

    @Test func `a hold runs out from its very moment on`() {
        held.when(.expire("h1"), at: 299).then()
        held.when(.expire("h1"), at: 300).then(.expired("h1", "A-1", "A-2"))
        held.when(.expire("h1"), at: 9999).then(.expired("h1", "A-1", "A-2"))
    }
    @Test func `expiring what is sold, gone, or was never there does nothing`() {
        sold.when(.expire("h1"), at: 9999).then()
        given(.opened, .held("h1", by: "ann", "A-1"), .released("h1", "A-1")).when(.expire("h1"), at: 9999).then()
        given(.opened).when(.expire("h1"), at: 9999).then()
        given().when(.expire("h1"), at: 9999).then()
    }
    @Test func `expiring an old hold leaves the new one of its name`() {
        given(.opened, .held("h1", by: "ann", "A-1"), .expired("h1", "A-1"), .held("h1", by: "ann", "A-1", at: 300))
            .when(.expire("h1"), at: 301).then()
    }

    /// The timers due by a moment, as text.
    private func due(_ given: Given, by seconds: Int64) -> [String] {
        Tickets.due(given.state, by: after(seconds)).map { timer in
            guard case .expireHold(let command) = timer.command else { return "\(timer.command)" }
            return
                "\(command.event):\(command.section):\(command.hold) \((timer.due.rawValue - noon.rawValue) / 1000) \(timer.id)"
        }
    }
    private func id(_ hold: String, _ seconds: Int64) -> String {
        "expire:e1:stalls:\(hold):\(after(seconds).rawValue)"
    }

    @Test func `timers come soonest first, with ids that follow from the hold`() {
        let three = given(
            .opened, .held("h3", by: "cy", "B-1", at: 20), .held("h2", by: "bob", "A-3", at: 10),
            .held("h1", by: "ann", "A-1"))
        #expect(Tickets.nextDue(three.state) == after(300))
        #expect(due(three, by: 299) == [])
        #expect(due(three, by: 310) == ["e1:stalls:h1 300 \(id("h1", 300))", "e1:stalls:h2 310 \(id("h2", 310))"])
        #expect(due(three, by: 999).count == 3)
        #expect(due(three, by: 999) == due(three, by: 999))
    }
    @Test func `holds of the same moment come by name`() {
        let two = given(.opened, .held("h2", by: "ann", "A-1"), .held("h1", by: "bob", "A-2"))
        #expect(due(two, by: 300).map { $0.prefix(12) } == ["e1:stalls:h1", "e1:stalls:h2"])
    }
    @Test func `what is sold, released or has run out has no timer`() {
        #expect(Tickets.nextDue(sold.state) == nil)
        #expect(due(sold, by: 9999) == [])
        for end in [Fact.released("h1", "A-1"), .expired("h1", "A-1")] {
            let ended = given(.opened, .held("h1", by: "ann", "A-1"), .held("h2", by: "bob", "A-2", at: 50), end)
            #expect(Tickets.nextDue(ended.state) == after(350))
            #expect(due(ended, by: 9999) == ["e1:stalls:h2 350 \(id("h2", 350))"])
        }
        let behind = given(
            .opened, .held("h1", by: "ann", "A-1"), .held("h2", by: "bob", "A-2", at: 50), .released("h2", "A-2"))
        #expect(Tickets.nextDue(behind.state) == after(300))
        #expect(due(behind, by: 9999) == ["e1:stalls:h1 300 \(id("h1", 300))"])
        #expect(Tickets.nextDue(given().state) == nil)
    }
    @Test func `a hold held anew has one timer, its new one`() {
        let anew = given(
            .opened, .held("h1", by: "ann", "A-1"), .expired("h1", "A-1"), .held("h1", by: "ann", "A-1", at: 300))
        #expect(Tickets.nextDue(anew.state) == after(600))
        #expect(due(anew, by: 9999) == ["e1:stalls:h1 600 \(id("h1", 600))"])
    }
    @Test func `a timer's own command expires its hold, and then none is due`() {
        let timer = Tickets.due(held.state, by: after(300))
        #expect(timer.count == 1)
        for timer in timer {
            When(state: held.state, command: timer.command, id: timer.id, now: timer.due)
                .then(.expired("h1", "A-1", "A-2"))
        }
    }
}
