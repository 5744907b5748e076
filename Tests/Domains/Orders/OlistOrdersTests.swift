import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import OrdersDomain

@Suite("A row of the Olist orders")
struct OlistOrdersTests {
    private static let header =
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,"
        + "order_delivered_customer_date,order_estimated_delivery_date"
    private let table: OlistOrders

    init() throws { table = try OlistOrders(header: ArraySlice(Self.header.utf8)) }

    /// A row of order `o1`: what comes after the status; an hour of July 9, 2017 for each date.
    private func row(_ status: String, _ hours: Int?..., expected: String = "2017-08-01 00:00:00") -> String {
        let dates = hours.map { hour in hour.map { "2017-07-09 \($0 < 10 ? "0" : "")\($0):00:00" } ?? "" }
        return "o1,ann,\(status),\(dates.joined(separator: ",")),\(expected)"
    }
    private func history(_ row: String) throws -> OlistOrders.History { try table.history(ArraySlice(row.utf8)) }
    private func no(_ row: String) -> (any Refusal)? {
        do {
            _ = try history(row)
            return nil
        } catch {
            return error as? any Refusal
        }
    }
    /// Each command's stage and hour.
    private func stages(_ history: OlistOrders.History) -> [String] {
        history.commands.map { command in
            let hour = ((command.time ?? 0).second % 86_400) / 3600
            return "\(command.id.dropFirst("olist-o1-".count))@\(hour)"
        }
    }
    /// What the decider makes of an order's commands, each at its own time.
    private func decided(_ history: OlistOrders.History) throws -> Orders.State {
        try history.commands.reduce(into: Orders.initial) { state, encoded in
            let command = try #require(try OrdersCommand.kind(in: encoded.value))
            try Orders.check(command)
            #expect(encoded.key == "o1" && Orders.key(of: command) == "o1")
            let time = try #require(encoded.time)
            let events = try Orders.decide(command, id: encoded.id, on: state, at: time)
            #expect(events.count == 1, "\(encoded.id)")
            for event in events { Orders.evolve(&state, with: event, at: time) }
        }
    }

    @Test func `becomes the commands of its life, with its own times`() throws {
        let history = try history(row("delivered", 10, 11, 12, 13))
        #expect(stages(history) == ["received@10", "assigned@11", "picked-up@12", "delivered@13"])
        #expect(history.commands.map(\.type) == ["PlaceOrder", "AssignCourier", "MarkPickedUp", "MarkDelivered"])
        #expect(history.placed.rfc3339 == "2017-07-09T10:00:00Z" && history.ended.rfc3339 == "2017-07-09T13:00:00Z")
        guard case .placeOrder(let place) = try OrdersCommand.kind(in: history.commands[0].value) else { return }
        #expect(place.customer == "ann" && Timestamp(place.expectedAt).rfc3339 == "2017-08-01T00:00:00Z")
        #expect(try decided(history).courier == OlistOrders.courier)
    }
    @Test(arguments: [
        ("created", 1, Orders.Stage.received), ("approved", 2, .assigned), ("invoiced", 2, .assigned),
        ("processing", 2, .assigned), ("shipped", 3, .pickedUp), ("delivered", 4, .delivered),
    ])
    func `ends where its status says`(_ status: String, _ moments: Int, _ stage: Orders.Stage) throws {
        let hours = (0..<4).map { $0 < moments ? 10 + $0 : nil }
        let history = try history(row(status, hours[0], hours[1], hours[2], hours[3]))
        #expect(history.commands.count == moments)
        #expect(try decided(history).stage == stage)
    }
    @Test(arguments: ["canceled", "unavailable"])
    func `that was called off is cancelled at the last moment known`(_ status: String) throws {
        #expect(stages(try history(row(status, 10, nil, nil, nil))) == ["received@10", "cancelled@10"])
        #expect(stages(try history(row(status, 10, 11, nil, nil))) == ["received@10", "assigned@11", "cancelled@11"])
        let late = try history(row(status, 10, 11, 12, nil))
        #expect(stages(late) == ["received@10", "assigned@11", "picked-up@12", "cancelled@12"])
        let state = try decided(late)
        #expect(state.stage == .cancelled && state.reason == status)
    }
    @Test func `with equal times is legal`() throws {
        #expect(try decided(history(row("delivered", 10, 10, 10, 10))).stage == .delivered)
    }

    @Test(
        arguments: [
            (
                "delivered", [10, 9, 12, 13], "approval-before-purchase",
                "its approval 2017-07-09T09:00:00Z is before its purchase 2017-07-09T10:00:00Z"
            ),
            (
                "shipped", [10, 12, 11, nil], "carrier-before-approval",
                "its carrier scan 2017-07-09T11:00:00Z is before its approval 2017-07-09T12:00:00Z"
            ),
            (
                "canceled", [10, 12, 11, nil], "carrier-before-approval",
                "its carrier scan 2017-07-09T11:00:00Z is before its approval 2017-07-09T12:00:00Z"
            ),
            (
                "delivered", [10, 11, 13, 12], "delivery-before-carrier",
                "its delivery 2017-07-09T12:00:00Z is before its carrier scan 2017-07-09T13:00:00Z"
            ),
            ("delivered", [10, 11, 12, nil], "no-delivery", "is delivered, but has no time of delivery"),
            ("delivered", [10, 11, nil, nil], "no-carrier-scan", "is delivered, but has no time of carrier scan"),
            ("delivered", [10, nil, 12, 13], "no-approval", "is delivered, but has no time of approval"),
            ("invoiced", [10, nil, nil, nil], "no-approval", "is invoiced, but has no time of approval"),
            ("canceled", [10, nil, 12, nil], "no-approval", "is canceled, but has no time of approval"),
            ("canceled", [10, 11, 12, 13], "cancelled-after-delivery", "is canceled, but has a time of delivery"),
            ("created", [10, 11, nil, nil], "later-than-status", "is created, but has a time of approval"),
            ("shipped", [10, 11, 12, 13], "later-than-status", "is shipped, but has a time of delivery"),
            (
                "lost", [10, 11, 12, 13], "unknown-status",
                "its status is lost, not one of approved, canceled, created, delivered, invoiced, processing, shipped, unavailable"
            ),
        ] as [(String, [Int?], String, String)])
    func `that no order can have lived is told apart by a reason`(
        _ status: String, _ hours: [Int?], _ reason: String, _ why: String
    ) {
        let no = no(row(status, hours[0], hours[1], hours[2], hours[3]))
        #expect(no?.reason == reason)
        #expect(no?.message == "order o1: \(why)")
    }
    @Test func `that was expected before it was placed is none`() {
        let no = no(row("created", 10, nil, nil, nil, expected: "2017-07-09 10:00:00"))
        #expect(no?.reason == "expected-out-of-range")
        #expect(no?.message.hasPrefix("order o1: the expected time 2017-07-09T10:00:00Z must be after") == true)
    }
    @Test(arguments: [
        (
            "o1,ann,created,2017-02-30 10:00:00,,,,2017-08-01 00:00:00",
            "order o1: order_purchase_timestamp: is 2017-02-30 10:00:00, not a time such as 2017-07-09 21:57:05"
        ),
        (
            "o1,ann,created,2017-07-09,,,,2017-08-01 00:00:00",
            "order o1: order_purchase_timestamp: is 2017-07-09, not a time such as 2017-07-09 21:57:05"
        ),
        (
            "o1,ann,created,2017-07-09T10:00:00Z,,,,2017-08-01 00:00:00",
            "order o1: order_purchase_timestamp: is 2017-07-09T10:00:00Z, not a time such as 2017-07-09 21:57:05"
        ),
        (
            "o1,ann,created,2017-07-09 10:00:00 x,,,,2017-08-01 00:00:00",
            "order o1: order_purchase_timestamp: is 2017-07-09 10:00:00 x, not a time such as 2017-07-09 21:57:05"
        ),
        ("o1,ann,created,,,,,2017-08-01 00:00:00", "order o1: order_purchase_timestamp: is missing"),
        ("o1,ann,created,2017-07-09 10:00:00,,,,", "order o1: order_estimated_delivery_date: is missing"),
        (",ann,created,2017-07-09 10:00:00,,,,2017-08-01 00:00:00", "order_id: is missing"),
        (
            "o:1,ann,created,2017-07-09 10:00:00,,,,2017-08-01 00:00:00",
            "order o:1: order_id: has a space, ':' or '#', which an identifier may not have"
        ),
        ("o1,,created,2017-07-09 10:00:00,,,,2017-08-01 00:00:00", "order o1: customer_id: is missing"),
        ("o1,ann,created", "line: has 3 fields, the first line has 8"),
    ])
    func `that cannot be read is named with its column`(_ row: String, _ message: String) {
        let no = no(row)
        #expect(no?.reason == "malformed" && no?.message == message)
    }
    @Test func `is found by its columns' names, in any order and among others`() throws {
        let header =
            "more,order_estimated_delivery_date,\(Self.header.replacing(",order_estimated_delivery_date", with: ""))"
        let table = try OlistOrders(header: ArraySlice(header.utf8))
        let line = "x,2017-08-01 00:00:00,o1,ann,created,2017-07-09 10:00:00,,,"
        #expect(try table.history(ArraySlice(line.utf8)).commands.count == 1)
        let no = #expect(throws: Malformed.self) {
            _ = try OlistOrders(header: ArraySlice("order_id,customer_id".utf8))
        }
        #expect(no?.why.hasPrefix("names no column order_status") == true)
    }
}
