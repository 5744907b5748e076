import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import TicketsDomain

@Suite("What no state of tickets could make acceptable")
struct TicketsCheckTests {
    /// What is wrong with a command, nil where nothing is.
    private func wrong(_ command: Order) -> Malformed? {
        do {
            try Tickets.check(command)
            return nil
        } catch {
            return error
        }
    }
    private func wrong(_ fact: Fact) -> Malformed? {
        do {
            try Tickets.check(fact)
            return nil
        } catch {
            return error
        }
    }
    private func seats(_ count: Int) -> [String] { (1...max(1, count)).map { "A-\($0)" } }
    private func holding(_ change: (inout TicketsHoldSeats) -> Void) -> Order {
        var command = TicketsHoldSeats.with {
            ($0.event, $0.section, $0.holder, $0.seats) = ("e1", "s", "ann", ["A-1"])
        }
        change(&command)
        return .holdSeats(command)
    }
    private func opening(_ change: (inout TicketsSection) -> Void) -> Order {
        var section = TicketsSection.stalls
        change(&section)
        return .open(section)
    }
    private func listing(_ change: (inout TicketsListEvent) -> Void) -> Order {
        guard case .listEvent(var command) = Order.list else { return .list }
        change(&command)
        return .listEvent(command)
    }

    @Test func `every command and fact of the fixtures is well formed`() {
        for command in [
            Order.list, .open, .hold("h1", by: "ann", "A-1"), .hold(by: "Zoë Ångström", "A-1"),
            .confirm("h1", by: "ann"), .release("h1", by: "ann"), .expire("h1"),
        ] { #expect(wrong(command) == nil) }
        for fact in [
            Fact.listed, .opened, .held("h1", by: "ann", "A-1"), .expired("h1", "A-1"), .released("h1", "A-1"),
            .sold("h1", to: "ann", "A-1"),
        ] { #expect(wrong(fact) == nil) }
    }

    @Test func `a hold is of one to ten seats, none twice`() {
        #expect(wrong(holding { $0.seats = seats(10) }) == nil)
        for list in [[], seats(11)] {
            #expect(
                wrong(holding { $0.seats = list })
                    == Malformed("the number of seats", "is \(list.count), it must be 1 to 10"))
        }
        #expect(wrong(holding { $0.seats = ["A-1", "A-1"] }) == Malformed("seats", "one is named twice"))
        #expect(wrong(holding { $0.seats = [String(repeating: "A", count: 21)] })?.field == "a seat")
    }

    @Test(arguments: [
        "", "a b", "a:b", "a#b", "a\tb", "a\u{0}", "a\u{7f}", "a\u{a0}b", String(repeating: "x", count: 129),
    ])
    func `an identifier is short, with no separator, space or control character`(_ bad: String) {
        #expect(wrong(holding { $0.event = bad })?.field == "event")
        #expect(wrong(holding { $0.section = bad })?.field == "section")
        #expect(wrong(holding { $0.seats = [bad] })?.field == "a seat")
        #expect(wrong(Order.release(bad, by: "ann"))?.field == "hold")
        #expect(wrong(Order.confirm(bad, by: "ann"))?.field == "hold")
        #expect(wrong(Order.expire(bad))?.field == "hold")
        #expect(wrong(opening { $0.name = bad })?.field == "a section's name")
        #expect(wrong(opening { $0.rows[0].label = bad })?.field == "a row's label")
        #expect(wrong(listing { $0.event = bad })?.field == "event")
    }
    @Test func `a hold's name may be as long as a command's id`() {
        let name = String(repeating: "x", count: Limits.commandID)
        #expect(wrong(Order.hold(name, by: "ann", "A-1")) == nil)
        #expect(wrong(Order.hold(name + "x", by: "ann", "A-1"))?.field == "hold")
    }

    @Test(arguments: ["", "a\nb", "a\u{1b}[31m", String(repeating: "x", count: 201)])
    func `a text is there, not too long, and has no control character`(_ bad: String) {
        #expect(wrong(holding { $0.holder = bad })?.field == "holder")
        #expect(wrong(Order.release("h1", by: bad))?.field == "holder")
        #expect(wrong(Order.confirm("h1", by: bad))?.field == "holder")
        #expect(wrong(listing { $0.title = bad })?.field == "title")
        #expect(wrong(listing { $0.venue = bad })?.field == "venue")
        #expect(wrong(Order.confirm("h1", by: "ann", token: bad))?.field == "paymentToken")
    }

    @Test func `an event has a moment, and sections that differ in name`() {
        #expect(wrong(listing { $0.clearStartsAt() })?.field == "startsAt")
        #expect(wrong(listing { $0.sections = [] })?.field == "the number of sections")
        #expect(
            wrong(listing { $0.sections = (0...100).map { .named("s\($0)", rows: [("A", 1)]) } })?.field
                == "the number of sections")
        #expect(
            wrong(listing { $0.sections = [.stalls, .stalls] }) == Malformed("sections", "two have the same name"))
    }
    @Test(arguments: [Int64.max, Int64.min, 253_402_300_800, -62_135_596_801])
    func `a moment is one that there is in a calendar`(_ seconds: Int64) {
        let moment = Google_Protobuf_Timestamp(seconds: seconds, nanos: 0)
        #expect(wrong(listing { $0.startsAt = moment })?.field == "startsAt")
        guard case .seatHeld(var held) = Fact.held("h1", by: "ann", "A-1") else { return }
        held.expiresAt = moment
        #expect(wrong(.seatHeld(held))?.field == "expiresAt")
        held.expiresAt = .init(seconds: 0, nanos: -1)
        #expect(wrong(.seatHeld(held))?.field == "expiresAt")
    }

    @Test func `a section has rows that differ in label, of one to 500 seats, 20000 in all`() {
        #expect(wrong(opening { $0.rows = [] })?.field == "the number of rows of stalls")
        #expect(
            wrong(opening { $0.rows = (0...200).map { n in .with { ($0.label, $0.seats) = ("R\(n)", 1) } } })?.field
                == "the number of rows of stalls")
        #expect(
            wrong(opening { $0.rows = Array(repeating: $0.rows[0], count: 2) })
                == Malformed("rows", "two rows of stalls have the same label"))
        for count in [0, -1, 501, Int32.max] {
            #expect(wrong(opening { $0.rows[0].seats = count })?.field == "the seats of row A")
        }
        let full = (0..<40).map { n in TicketsRow.with { ($0.label, $0.seats) = ("R\(n)", 500) } }
        #expect(wrong(opening { $0.rows = full }) == nil)
        #expect(
            wrong(opening { $0.rows = full + [.with { ($0.label, $0.seats) = ("Z", 1) }] })
                == Malformed("the seats of stalls", "is 20001, it must be 1 to 20000"))
        #expect(wrong(opening { $0.rows[0].label = "ELEVEN_LONG" })?.field == "a row's label")
    }

    @Test func `a price is from nothing to a million, in a currency of three letters`() {
        for amount in [-1, 100_000_001, Int64.max] {
            #expect(wrong(opening { $0.price.amount = amount })?.field == "the price of stalls")
        }
        for amount in [0, 100_000_000] as [Int64] { #expect(wrong(opening { $0.price.amount = amount }) == nil) }
        for currency in ["", "EU", "EURO", "eur", "E1R", "ÉU", "€", "ABC", "DEM", "XXX", "XAU", "XTS"] {
            #expect(wrong(opening { $0.price.currency = currency })?.field == "the currency of stalls")
        }
        for currency in ["EUR", "JPY", "BHD", "CLF"] {
            #expect(wrong(opening { $0.price.currency = currency }) == nil)
        }
    }
    @Test func `an event has prices in one currency, as a command and as a fact`() {
        var (yen, boxes) = (TicketsSection.balcony, TicketsSection.named("boxes", rows: [("A", 1)]))
        yen.price.currency = "JPY"
        let no = Malformed(
            "sections",
            "have prices in several currencies, an event has one: stalls, boxes in EUR; balcony in JPY")
        #expect(wrong(listing { $0.sections = [.stalls, yen, boxes] }) == no)
        #expect(wrong(Fact.listed(sections: [.stalls, yen, boxes])) == no)
        boxes.price.currency = "JPY"
        #expect(wrong(listing { $0.sections = [yen, boxes] }) == nil)
    }
    @Test func `limits leave room for one hold, and for the time they count`() {
        func wrong(_ change: (inout TicketsHoldLimits) -> Void) -> String? {
            let limits = TicketsHoldLimits.with(change)
            guard case .openSection(var open) = Order.open else { return nil }
            open.limits = limits
            let no = self.wrong(.openSection(open))
            #expect(self.wrong(listing { $0.limits = limits }) == no)
            guard case .eventListed(var listed) = Fact.listed, case .sectionOpened(var opened) = Fact.opened else {
                return nil
            }
            (listed.limits, opened.limits) = (limits, limits)
            #expect(self.wrong(.eventListed(listed)) == no && self.wrong(.sectionOpened(opened)) == no)
            return no?.message
        }
        #expect(wrong { _ in } == nil)
        #expect(wrong { ($0.seatsPerHolder, $0.holdSeconds, $0.windowSeconds) = (1, 300, 300) } == nil)
        #expect(wrong { $0.holdSeconds = 0 } == nil)
        #expect(wrong { $0.seatsPerHolder = -1 } == "seatsPerHolder: is -1, it must be 0 to 20000")
        #expect(wrong { $0.holdSeconds = 299 } == "holdSeconds: is 299, it must be 300 to 604800")
        #expect(wrong { $0.holdSeconds = -1 } == "holdSeconds: is -1, it must be 300 to 604800")
        #expect(wrong { $0.holdSeconds = 7200 } == "windowSeconds: is 3600, it must be 7200 to 604800")
        #expect(wrong { $0.windowSeconds = 899 } == "windowSeconds: is 899, it must be 900 to 604800")
        #expect(wrong { $0.windowSeconds = 604_801 } == "windowSeconds: is 604801, it must be 900 to 604800")
    }

    // Test numbers that card schemes publish; all pass the check of Luhn.
    @Test(arguments: [
        "4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904",
        "4111 1111 1111 1111", "4111-1111-1111-1111", "4111.1111.1111.1111", " 4111111111111111 ",
        "4917610000000000003", "501800000009", "tok_4111111111111111", "card=4111111111111111;cvv=123",
        "pan:4111-1111-1111-1111", "4111 - 1111 - 1111 - 1111", "4111_1111_1111_1111", "visa4111111111111111exp1226",
        "12/26 4111 1111 1111 1111 737", "{\"n\":\"5555 5555 5555 4444\"}", "x2223003122003222x",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "tok \u{ff14}\u{ff11}11111111111111", "ref 7 378282246310005",
    ])
    func `a card number is no payment token, and the refusal does not repeat it`(_ card: String) throws {
        guard case .seatSold(var sold) = Fact.sold("h1", to: "ann", "A-1") else { return }
        sold.paymentToken = card
        for wrong in [wrong(Order.confirm("h1", by: "ann", token: card)), wrong(.seatSold(sold))] {
            let no = try #require(wrong)
            #expect(no.field == "paymentToken")
            #expect(no.message.allSatisfy { !$0.isNumber }, "\(no.message)")
        }
    }
    @Test(arguments: [
        "tok_4111111111111112", "4111111111111112", "411111111111", "12345678901", "pi_3MtwBw", "00000000000",
    ])
    func `what is no card number may be a token`(_ token: String) {
        #expect(wrong(Order.confirm("h1", by: "ann", token: token)) == nil)
    }
    @Test(arguments: [
        // Moments and counters, whose check digits are a card's by chance.
        "tok_1793534400002", "ch_2026-11-01T12:00:00.000Z", "fan-7-1793534400010",
        "550e8400-e29b-41d4-a716-446655440000",
        // In one piece, and longer than a card's number.
        "41111111111111110000", "order 4111 x 1111 x 1111 x 1111",
        // Words that are none for a security code, and one without a code.
        "tok_cvv", "cvv=12", "cvv12345", "acvv=123", "cvx=123", "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    ])
    func `a token that only resembles card data is taken`(_ token: String) {
        #expect(wrong(Order.confirm("h1", by: "ann", token: token)) == nil)
    }
    @Test(arguments: ["cvv=123", "tok_1;CVC: 1234", "x cvv2 123", "CVV2=1234", "cvc123", "{\"csc\":\"123\"}"])
    func `a card's security code is no payment token`(_ token: String) throws {
        let no = try #require(wrong(Order.confirm("h1", by: "ann", token: token)))
        #expect(no.field == "paymentToken" && no.message.allSatisfy { !$0.isNumber })
    }
}
