internal import EventModel
internal import SwiftProtobuf

/// What each customer was told, for whatever sends mails or shows messages.
struct NotificationOutbox: Projection {
    typealias Event = Only<OrdersOutbox>
    static let name = "outbox"
    static let version = 2
    static let about = "Each customer's notifications."
    static let topics = ["orders.notifications"]
    static let tables = [notifications]

    static let notifications = Table(
        "orders_notifications", "One row a notification.",
        key: [
            Column("customer", .text), Column("at", .timestamp, "when the stage was reached"),
            Column("event_offset", .integer, "in its partition: tells the order of stages of one moment"),
            Column("event_partition", .integer),
        ],
        columns: [
            Column("id", .text), Column("order_id", .text), Column("stage", .text, "a status, or eta_revised"),
            Column("text", .text),
            Column("expected_at", .timestamp),
        ])

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        switch event {
        case .notificationSent(let e):
            view.put(
                Self.notifications,
                [
                    .text(e.customer), Value(Timestamp(e.at)), .integer(place.offset.rawValue),
                    Value(place.partition), .text(e.id), .text(e.order), .text(e.stage), .text(e.text),
                    e.hasExpectedAt ? Value(Timestamp(e.expectedAt)) : .null,
                ])
        }
    }
}
