import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import OrdersDomain

@Suite("An order")
struct OrdersDecideTests {
    private let picked = OrderLife(.received, .assigned, .pickedUp)

    @Test func `is expected 45 minutes after it is placed, or when its command says`() {
        #expect(OrderLife().when(.place) == .success([.received]))
        #expect(
            OrderLife().when(.place(expected: after(60)))
                == .success([.changed(.received, courier: "", expected: after(60))]))
    }
    @Test func `cancelled again for a reason that is written otherwise is told so`() {
        let life = OrderLife(.received, .cancelled(courier: "", reason: "caf\u{e9}"))
        #expect(life.when(.cancel("caf\u{e9}")) == .success([]))
        #expect(life.when(.cancel("cafe\u{301}")) != .success([]))
    }
    @Test func `placed again later without an expected time is the same order`() {
        #expect(OrderLife(.received).when(.place, at: 600) == .success([]))
        #expect(OrderLife(.received, .revised(3600)).when(.place(expected: after(2700)), at: 600) == .success([]))
        #expect(OrderLife(.received, .revised(3600)).when(.place, at: 600) == .success([]))
        #expect(
            OrderLife(.received, .revised(3600)).when(.place(expected: after(3600)))
                == .failure(.orderExists(order: "o1", stage: .received)))
    }
    @Test func `placed for another time and again without one is another order`() {
        // Whoever says nothing expects it in 45 minutes.
        let later = OrderLife(.changed(.received, courier: "", expected: after(9000)))
        #expect(later.when(.place, at: 600) == .failure(.orderExists(order: "o1", stage: .received)))
        #expect(later.when(.place(expected: after(9000)), at: 600) == .success([]))
    }
    @Test(
        arguments: [(-1, false), (0, false), (1, true), (366 * 86_400, true), (366 * 86_400 + 1, false)]
            as [(Int64, Bool)])
    func `is expected after the time of the command, and within a year of it`(seconds: Int64, isLegal: Bool) {
        let no = OrdersRefusal.expectedOutOfRange(expected: after(seconds), now: noon)
        let placed = OrderFact.changed(.received, courier: "", expected: after(seconds))
        #expect(OrderLife().when(.place(expected: after(seconds))) == (isLegal ? .success([placed]) : .failure(no)))
        #expect(OrderLife().admitting(placed) == (isLegal ? nil : no))
        #expect(
            OrderLife(.received).when(.revise(seconds)) == (isLegal ? .success([.revised(seconds)]) : .failure(no)))
        #expect(OrderLife(.received).admitting(.revised(seconds)) == (isLegal ? nil : no))
    }
    @Test func `goes by the time of its command, also where that is long ago`() {
        let past: Int64 = -10 * 365 * 86_400
        #expect(
            OrderLife().when(.place, at: past)
                == .success([.changed(.received, courier: "", expected: after(past + 2700))]))
    }
    @Test func `goes to another courier before it is picked up`() {
        #expect(OrderLife(.received, .assigned).when(.assign("cy")) == .success([.assigned("cy")]))
        let anew = OrderLife(.received, .assigned, .assigned("cy"))
        #expect(anew.when(.pickUp("bob")) == .failure(.otherCourier(order: "o1", courier: "cy")))
        #expect(anew.when(.pickUp("cy")) == .success([.changed(.pickedUp, courier: "cy")]))
        #expect(anew.when(.assign("bob")) == .success([.assigned("bob")]))
    }
    @Test func `has from then on what was revised as its expected time`() {
        let revised = OrderLife(.received, .revised(3600))
        #expect(revised.when(.assign()) == .success([.changed(.assigned, expected: after(3600))]))
        #expect(revised.when(.revise(2700)) == .success([.revised(2700)]))
        #expect(revised.when(.revise(3600), at: 9999) == .success([]), "also when that is past")
    }
    @Test func `that is late can still be brought`() {
        #expect(picked.when(.deliver, at: 99_999) == .success([.delivered]))
    }
    @Test func `is cancelled until it is delivered, and says of which courier it comes back`() {
        #expect(OrderLife(.received).when(.cancel()) == .success([.cancelled(courier: "")]))
        #expect(picked.when(.cancel()) == .success([.cancelled]))
        let expected = OrdersRefusal.alreadyCancelled(order: "o1", reason: "rain")
        #expect(OrderLife(.received, .cancelled).when(.cancel("snow")) == .failure(expected))
    }
    @Test func `passes over a status of a newer writer`() {
        let life: [OrderFact] = [.received, .changed(.UNRECOGNIZED(9)), .changed(.unspecified)]
        #expect(OrderLife(life).state == OrderLife(.received).state)
        #expect(throws: Malformed("status", "must be one of received, assigned, picked_up, delivered, cancelled")) {
            try Orders.check(.changed(.UNRECOGNIZED(9)))
        }
    }
    @Test func `is the key of all that is said of it`() {
        for command in [.place, .assign(), .pickUp(), .deliver, .cancel(), .revise(1)] as [OrderCommand] {
            #expect(Orders.key(of: command) == "o1")
        }
        #expect(Orders.key(of: OrderFact.received) == "o1" && Orders.key(of: OrderFact.revised(1)) == "o1")
    }

    private static let badCommands: [(OrderCommand, String)] = [
        (.placeOrder(.with { $0.customer = "ann" }), "order: is missing"),
        (.place(by: ""), "customer: is missing"),
        (.place(by: "a b"), "customer: has a space, ':' or '#', which an identifier may not have"),
        (
            .markDelivered(.with { $0.order = "o:1" }),
            "order: has a space, ':' or '#', which an identifier may not have"
        ),
        (
            .placeOrder(.with { ($0.order, $0.customer, $0.expectedAt.seconds) = ("o1", "ann", 1 << 50) }),
            "expectedAt: is not in the years 1 to 9998"
        ),
        (.assign(""), "courier: is missing"),
        (.pickUp("#"), "courier: has a space, ':' or '#', which an identifier may not have"),
        (.cancel(""), "reason: is missing"),
        (.cancel(String(repeating: "x", count: 201)), "reason: has 201 bytes, at most 200 are allowed"),
        (.cancel("a\nb"), "reason: has a control character"),
        (.reviseEta(.with { $0.order = "o1" }), "expectedAt: is missing, for example 2026-12-24T19:30:00Z"),
    ]
    @Test(arguments: 0..<Self.badCommands.count)
    func `whose command is malformed is refused before anything is written`(_ i: Int) {
        let no = #expect(throws: Malformed.self) { try Orders.check(Self.badCommands[i].0) }
        #expect(no?.message == Self.badCommands[i].1)
    }

    private static let badFacts: [(OrderFact, String)] = [
        (.changed(.received, courier: "bob"), "courier: is said of an order that is only received"),
        (.changed(.received, courier: "", expected: nil), "expectedAt: is missing, for example 2026-12-24T19:30:00Z"),
        (.changed(.received, of: "", courier: ""), "customer: is missing"),
        (.changed(.assigned, courier: ""), "courier: is missing"),
        (.changed(.assigned, reason: "rain"), "reason: is said of an order that is not cancelled"),
        (.changed(.cancelled, reason: "rain"), "expectedAt: is said of an order that is cancelled"),
        (.cancelled(courier: "bob", reason: ""), "reason: is missing"),
        (.cancelled(courier: "a b"), "courier: has a space, ':' or '#', which an identifier may not have"),
        (
            .etaRevised(.with { ($0.order, $0.customer) = ("o1", "ann") }),
            "expectedAt: is missing, for example 2026-12-24T19:30:00Z"
        ),
        (.etaRevised(.with { $0.order = "o1" }), "customer: is missing"),
        (
            .etaRevised(
                .with {
                    ($0.order, $0.customer, $0.expectedAt) = ("o1", "ann", .init(seconds: 9, nanos: 1_000_001))
                }), "expectedAt: has a fraction of a millisecond, which an order's events have not"
        ),
    ]
    @Test(arguments: 0..<Self.badFacts.count)
    func `whose fact has what its stage has not, or lacks what it has, is refused`(_ i: Int) {
        let no = #expect(throws: Malformed.self) { try Orders.check(Self.badFacts[i].0) }
        #expect(no?.message == Self.badFacts[i].1)
    }

    /// What is published is never changed: programs go by the reason.
    private static let refusals: [(no: OrdersRefusal, reason: String, message: String)] = [
        (.unknownOrder(order: "o1"), "unknown-order", "there is no order o1; place it first with PlaceOrder"),
        (
            .orderExists(order: "o1", stage: .pickedUp), "order-exists",
            "order o1 is picked up already, with other details; give yours an identifier of its own"
        ),
        (
            .notAssigned(order: "o1"), "not-assigned",
            "order o1 is received and has no courier; give it to one first with AssignCourier"
        ),
        (
            .notPickedUp(order: "o1", stage: .assigned), "not-picked-up",
            "order o1 is only assigned; mark it as picked up first with MarkPickedUp"
        ),
        (.alreadyAssigned(order: "o1", courier: "bob"), "already-assigned", "order o1 is assigned to bob already"),
        (
            .alreadyPickedUp(order: "o1", courier: "bob"), "already-picked-up",
            "order o1 is picked up by bob already; mark it as delivered, or cancel it"
        ),
        (
            .alreadyDelivered(order: "o1"), "already-delivered",
            "order o1 is delivered already; nothing about it changes any more"
        ),
        (
            .alreadyCancelled(order: "o1", reason: "rain"), "already-cancelled",
            "order o1 is cancelled already (rain); place another one under an identifier of its own"
        ),
        (
            .otherCourier(order: "o1", courier: "bob"), "other-courier",
            "order o1 is with courier bob; name that one, or assign it anew before it is picked up"
        ),
        (.otherCourier(order: "o1", courier: ""), "other-courier", "order o1 has no courier"),
        (.otherCustomer(order: "o1"), "other-customer", "order o1 is of another customer"),
        (
            .otherExpected(order: "o1", expected: noon), "other-expected",
            "order o1 is expected at 2026-11-01T12:00:00Z; an EtaRevised comes before another time"
        ),
        (
            .alreadyExpected(order: "o1", expected: noon), "already-expected",
            "order o1 is expected at 2026-11-01T12:00:00Z already; an EtaRevised is of another time"
        ),
        (
            .expectedOutOfRange(expected: noon, now: after(1)), "expected-out-of-range",
            "the expected time 2026-11-01T12:00:00Z must be after 2026-11-01T12:00:01Z, the time of the command, and at most 366 days after it"
        ),
    ]
    @Test(arguments: 0..<Self.refusals.count)
    func `is refused with a word for programs and a sentence for people`(_ i: Int) {
        let (no, reason, message) = Self.refusals[i]
        #expect(no.reason == reason && no.message == message)
    }
}
