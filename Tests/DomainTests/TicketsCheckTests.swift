import EventModel
import SwiftProtobuf
import Testing

@testable import Domains

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
        for currency in ["", "EU", "EURO", "eur", "E1R", "ÉU", "€"] {
            #expect(wrong(opening { $0.price.currency = currency })?.field == "the currency of stalls")
        }
    }

    // Test numbers that card schemes publish; all pass the check of Luhn.
    @Test(arguments: [
        "4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904",
        "4111 1111 1111 1111", "4111-1111-1111-1111", "4111.1111.1111.1111", " 4111111111111111 ",
        "4917610000000000003", "501800000009",
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
        "tok_4111111111111111", "4111111111111112", "411111111111", "12345678901", "pi_3MtwBw", "00000000000",
    ])
    func `what is no card number may be a token`(_ token: String) {
        #expect(wrong(Order.confirm("h1", by: "ann", token: token)) == nil)
    }
}
