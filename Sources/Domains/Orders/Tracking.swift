internal import EventModel
internal import SwiftProtobuf

/// Where each order stands, and how it came there.
struct Tracking: Projection {
    typealias Event = Only<OrdersEvent>
    static let name = "tracking"
    static let version = 2
    static let about = "Each order's state, and its life stage by stage."
    static let topics = ["orders.events"]
    static let tables = [orders, history]

    static let orders = Table(
        "orders_orders", "One row an order.",
        key: [Column("order_id", .text)],
        columns: [
            Column("customer", .text), Column("status", .text, "received, assigned, picked_up, delivered or cancelled"),
            Column("courier", .text), Column("expected_at", .timestamp, "as it was last said"),
            Column("placed_at", .timestamp), Column("changed_at", .timestamp),
            Column("reason", .text, "why it was cancelled"),
            Column("open", .integer, "1 until it is delivered or cancelled, then 0"),
        ],
        indexes: [Index("expected", ["open", "expected_at"]), Index("courier", ["courier", "open", "expected_at"])])
    static let history = Table(
        "orders_history", "One row an event of an order.",
        key: [
            Column("order_id", .text), Column("event_offset", .integer, "in its partition"),
            // An order may have events in several: of before handlers kept keys in their places.
            Column("event_partition", .integer),
        ],
        columns: [
            Column("stage", .text, "a status, or eta_revised"), Column("at", .timestamp), Column("customer", .text),
            Column("courier", .text), Column("expected_at", .timestamp), Column("reason", .text),
            Column("place", .text, "of the event: TOPIC/PARTITION@OFFSET"),
        ])

    private enum Order {
        static let status = orders.text("status")
        static let courier = orders.text("courier")
        static let expected = orders.timestamp("expected_at")
        static let changed = orders.timestamp("changed_at")
        static let reason = orders.text("reason")
        static let open = orders.integer("open")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        let at = Value(place.timestamp)
        switch event {
        case .orderStatusChanged(let e):
            guard let stage = Orders.Stage(e.status) else { return }
            let expected = e.hasExpectedAt ? Value(Timestamp(e.expectedAt)) : .null
            if stage == .received {
                view.put(
                    Self.orders,
                    [.text(e.order), .text(e.customer), "received", .null, expected, at, at, .null, 1])
            } else {
                try view.update(Self.orders, [.text(e.order)]) { row in
                    row[Order.status] = stage.rawValue
                    row[Order.courier] = given(e.courier)
                    row[Order.changed] = place.timestamp
                    row[Order.reason] = given(e.reason)
                    row[Order.open] = stage.isLast ? 0 : 1
                }
            }
            note(
                e.order, stage.rawValue, place, [.text(e.customer), text(e.courier), expected, text(e.reason)], in: view
            )
        case .etaRevised(let e):
            let expected = Timestamp(e.expectedAt)
            var courier = Value.null
            try view.update(Self.orders, [.text(e.order)]) { row in
                row[Order.expected] = expected
                row[Order.changed] = place.timestamp
                courier = row.value(Order.courier)
            }
            note(e.order, Notify.revised, place, [.text(e.customer), courier, Value(expected), .null], in: view)
        }
    }

    private func note(_ order: String, _ stage: String, _ place: EventPosition, _ particulars: Row, in view: ViewBatch)
    {
        let event = "\(place.topic)/\(place.partition)@\(place.offset)"
        view.put(
            Self.history,
            [
                .text(order), .integer(place.offset.rawValue), Value(place.partition), .text(stage),
                Value(place.timestamp),
            ] + particulars + [.text(event)])
    }

    private func given(_ text: String) -> String? { text.isEmpty ? nil : text }
    private func text(_ text: String) -> Value { text.isEmpty ? .null : .text(text) }
}
