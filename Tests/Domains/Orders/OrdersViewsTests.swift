import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import OrdersDomain

@Suite("The views of orders")
struct OrdersViewsTests {
    private let story: [OrderFact] = [
        .received, .assigned, .assigned("cy"), .revised(3600),
        .changed(.pickedUp, courier: "cy", expected: after(3600)),
        .changed(.received, "o2", courier: "", expected: after(900)),
        .changed(.delivered, courier: "cy", expected: after(3600)), .changed(.assigned, "o2", expected: after(900)),
        .changed(.received, "o3", of: "eve", courier: "", expected: after(1200)),
        .changed(.cancelled, "o3", of: "eve", courier: "", expected: nil, reason: "rain"),
        .changed(.received, "o4", of: "eve", courier: "", expected: after(1000)),
    ]
    private func tracking(_ facts: [OrderFact]) throws -> Fold {
        try .everyWay(Domain.orders.projection("orders.tracking"), records(facts))
    }

    /// What the reaction makes of facts, as it stands in the topic of notifications.
    private func outbox(_ facts: [OrderFact]) throws -> [Placed] {
        let memory = Domain.orders.reactions[0].memory()
        return try records(facts).flatMap { source, record in
            try memory.react(to: record, from: source).map { ($0, record.timestamp) }
        }.enumerated().map { i, made in
            #expect(made.0.topic == "orders.notifications" && made.0.type == "NotificationSent")
            #expect(made.0.commandID == nil)
            return (
                TopicPartition("orders.notifications", 0),
                Record(offset: Offset(Int64(i)), timestamp: made.1, key: made.0.key, value: made.0.value)
            )
        }
    }
    private func sent(_ placed: [Placed]) throws -> [OrdersNotificationSent] {
        try placed.map { _, record in
            guard case .notificationSent(let sent) = try OrdersOutbox.kind(in: record.value) else {
                throw Malformed("notification", "is none")
            }
            #expect(record.key == Bytes(sent.customer) && Timestamp(sent.at) == record.timestamp)
            return sent
        }
    }

    @Test func `show where each order stands`() throws {
        let fold = try tracking(story)
        let ends = (after(3600), after(900), after(1200), after(1000))
        #expect(
            try fold.rows(Tracking.orders) == [
                ["o1", "ann", "delivered", "cy", Value(ends.0), Value(noon), Value(after(360)), .null, 0],
                ["o2", "ann", "assigned", "bob", Value(ends.1), Value(after(300)), Value(after(420)), .null, 1],
                ["o3", "eve", "cancelled", .null, Value(ends.2), Value(after(480)), Value(after(540)), "rain", 0],
                ["o4", "eve", "received", .null, Value(ends.3), Value(after(600)), Value(after(600)), .null, 1],
            ])
    }
    @Test func `show an order's whole life, newest last`() throws {
        let fold = try tracking(story)
        let rows = try fold.ask(.orders, "orders.status", ["order": "o1"]).rows
        #expect(
            rows.map { $0[3] } == ["received", "assigned", "assigned", "eta_revised", "picked_up", "delivered"])
        #expect(rows.map { $0[6] } == [.null, "bob", "cy", "cy", "cy", "cy"])
        #expect(
            rows[3] == [
                "o1", 3, 1, "eta_revised", Value(after(180)), "ann", "cy", Value(after(3600)), .null,
                "orders.events/1@3",
            ])
        #expect(try fold.ask(.orders, "orders.status", ["order": "o3"]).rows.last?[8] == "rain")
        #expect(try fold.ask(.orders, "orders.status", ["order": "o9"]).rows == [])
        let first = try fold.ask(.orders, "orders.status", ["order": "o1"], limit: 4)
        let rest = try fold.ask(.orders, "orders.status", ["order": "o1"], limit: 4, from: first.next)
        #expect(first.rows + rest.rows == rows && rest.next == nil)
    }
    @Test func `keep events of one order apart that have one offset in two partitions`() throws {
        let placed = records([.received, .assigned]).flatMap { source, record in
            [2, 0].map { (TopicPartition(source.topic, $0), record) }
        }
        let fold = try Fold.everyWay(Domain.orders.projection("orders.tracking"), placed)
        let rows = try fold.ask(.orders, "orders.status", ["order": "o1"]).rows
        #expect(
            rows.map { $0.last } == [
                "orders.events/0@0", "orders.events/2@0", "orders.events/0@1", "orders.events/2@1",
            ])
        let first = try fold.ask(.orders, "orders.status", ["order": "o1"], limit: 1)
        let rest = try fold.ask(.orders, "orders.status", ["order": "o1"], from: first.next)
        #expect(first.rows + rest.rows == rows)
    }
    @Test func `keep notifications of one moment apart that have one offset in two partitions`() throws {
        let placed = ["o1", "o2"].enumerated().map { i, order -> Placed in
            let sent = OrdersNotificationSent.with {
                ($0.id, $0.order, $0.customer, $0.stage) = ("\(order):received", order, "ann", "received")
                $0.at = noon.proto
            }
            return (
                TopicPartition("orders.notifications", Partition(i)),
                Record(offset: 7, timestamp: noon, key: "ann", value: OrdersOutbox.bytes(.notificationSent(sent)))
            )
        }
        let fold = try Fold.everyWay(Domain.orders.projection("orders.outbox"), placed)
        let rows = try fold.ask(.orders, "orders.notifications", ["customer": "ann"]).rows
        #expect(rows.map { $0[4] } == ["o2:received", "o1:received"])
    }
    @Test func `show which open orders are late, the most overdue first`() throws {
        let fold = try tracking(story)
        func late(_ values: [String: Value], now: Int64 = 0) throws -> [Value] {
            try fold.ask(.orders, "orders.late", values, now: after(now)).rows.map { $0[0] }
        }
        #expect(try late(["at": Value(after(900))]) == [])
        #expect(try late(["at": Value(after(1000))]) == ["o2"])
        #expect(try late([:], now: 99_999) == ["o2", "o4"])
        #expect(try late([:]) == [])
    }
    @Test func `show a courier's open orders`() throws {
        let fold = try tracking(
            story + [.changed(.received, "o5", courier: ""), .changed(.assigned, "o5", expected: after(60))])
        func orders(_ courier: String) throws -> [Value] {
            try fold.ask(.orders, "orders.courier", ["courier": .text(courier)]).rows.map { $0[0] }
        }
        #expect(try orders("bob") == ["o2", "o5"])
        #expect(try orders("cy") == [] && orders("dee") == [])
    }
    @Test func `pass over what only a newer writer knows`() throws {
        let rows = try tracking(story).rows()
        #expect(try tracking(story + [.changed(.UNRECOGNIZED(7)), .changed(.unspecified)]).rows() == rows)
        #expect(try outbox([.received, .changed(.UNRECOGNIZED(7))]).count == 1)
    }

    @Test func `tell a customer of each stage once, under an id that follows from the order's life`() throws {
        let sent = try sent(outbox(story))
        #expect(
            sent.map(\.id) == [
                "o1:received", "o1:assigned", "o1:assigned:2", "o1:eta_revised", "o1:picked_up", "o2:received",
                "o1:delivered", "o2:assigned", "o3:received", "o3:cancelled", "o4:received",
            ])
        #expect(
            sent.prefix(5).map(\.text) == [
                "We have received your order o1. It is expected at 2026-11-01T12:45:00Z.",
                "Courier bob will bring your order o1. It is expected at 2026-11-01T12:45:00Z.",
                "Courier cy will bring your order o1. It is expected at 2026-11-01T12:45:00Z.",
                "Your order o1 is now expected at 2026-11-01T13:00:00Z.",
                "Courier cy has picked up your order o1. It is expected at 2026-11-01T13:00:00Z.",
            ])
        #expect(sent[6].text == "Your order o1 was delivered.")
        #expect(sent[9].text == "Your order o3 was cancelled: rain" && !sent[9].hasExpectedAt)
        #expect(sent[3].stage == "eta_revised" && Timestamp(sent[3].expectedAt) == after(3600))
        #expect(sent.allSatisfy { ($0.customer == "eve") == ["o3", "o4"].contains($0.order) })
    }
    @Test func `make the same notifications where the reaction changes hands between any two events`() throws {
        let whole = try sent(outbox(story))
        let placed = records(story)
        for cut in 1..<placed.count {
            let memory = Domain.orders.reactions[0].memory()
            for (source, record) in placed.prefix(cut) { try memory.evolve(with: record, from: source) }
            let rest = try placed.dropFirst(cut).flatMap { try memory.react(to: $1, from: $0) }
            let ids = try rest.map { made in
                guard case .notificationSent(let sent) = try OrdersOutbox.kind(in: made.value) else { return "" }
                return sent.id
            }
            #expect(ids == whole.dropFirst(cut).map(\.id), "cut at \(cut)")
        }
    }
    @Test func `show what a customer was told, newest first, page by page`() throws {
        let placed = try outbox(story)
        let fold = try Fold.everyWay(Domain.orders.projection("orders.outbox"), placed)
        let whole = try fold.ask(.orders, "orders.notifications", ["customer": "ann"])
        #expect(
            whole.rows.map { $0[4] } == [
                "o2:assigned", "o1:delivered", "o2:received", "o1:picked_up", "o1:eta_revised", "o1:assigned:2",
                "o1:assigned", "o1:received",
            ])
        #expect(
            whole.rows[1] == [
                "ann", Value(after(360)), 6, 0, "o1:delivered", "o1", "delivered", "Your order o1 was delivered.",
                Value(after(3600)),
            ])
        for limit in [1, 3, 8, 9] {
            var (rows, cursor): ([Row], Row?) = ([], nil)
            repeat {
                let page = try fold.ask(
                    .orders, "orders.notifications", ["customer": "ann"], limit: limit, from: cursor)
                rows += page.rows
                cursor = page.next
            } while cursor != nil && rows.count < 100
            #expect(rows == whole.rows, "by \(limit)")
        }
        #expect(try fold.ask(.orders, "orders.notifications", ["customer": "zed"]).rows == [])
        let rows = try fold.rows()
        try fold.take(placed)
        #expect(try fold.rows() == rows, "the same records again")
    }
    @Test func `show stages of one moment in their order`() throws {
        let moment = records([.received, .assigned, .pickedUp, .cancelled]).map { source, record in
            var record = record
            record.timestamp = noon
            return (source, record)
        }
        let memory = Domain.orders.reactions[0].memory()
        let placed = try moment.enumerated().map { i, placed -> Placed in
            let made = try #require(try memory.react(to: placed.1, from: placed.0).first)
            let record = Record(offset: Offset(Int64(i)), timestamp: noon, key: made.key, value: made.value)
            return (TopicPartition("orders.notifications", 2), record)
        }
        let fold = try Fold.everyWay(Domain.orders.projection("orders.outbox"), placed)
        let stages = try fold.ask(.orders, "orders.notifications", ["customer": "ann"]).rows.map { $0[6] }
        #expect(stages == ["cancelled", "picked_up", "assigned", "received"])
    }
}
