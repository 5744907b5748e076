public import EventModel

extension Domain {
    /// Orders on their way: place, assign, pick up, deliver, cancel; the customer is told of each stage.
    public static let orders = Domain(
        "orders", "Orders on their way, and what their customers are told.", descriptor: ordersDescriptor
    )
    .deciding(Orders.self, key: "order")
    .deriving(OrdersOutbox.self, topic: "notifications", key: "customer", owner: "notify")
    .reacting(remembering: Notify())
    .projecting(Tracking.self)
    .projecting(NotificationOutbox.self)
    .answering(status, late, courier, notifications)
    .demonstrating(.orders)
    .importing(.orders)
    .keeping(
        OrdersInvariants.statusesFollowOneAnother, OrdersInvariants.noNotificationTwice,
        OrdersInvariants.everyStageIsTold)

    private static let status = Query(
        "orders.status", "An order's life, stage by stage; the last row is where it stands.", of: "orders.tracking",
        [Parameter("order", .text, required: true, "the order's identifier")]
    ) { arguments, reader in
        try Page(
            of: Scan(
                Tracking.history, equal: [.text(arguments.required("order"))], after: arguments.cursor,
                limit: arguments.limit),
            in: reader)
    }

    private static let late = Query(
        "orders.late", "Orders that are past their expected time and still open, the most overdue first.",
        of: "orders.tracking", [Parameter("at", .timestamp, "the moment to look from (default: now)")]
    ) { arguments, reader in
        let at = arguments.timestamp("at") ?? arguments.now
        return try Page(
            of: Scan(
                Tracking.orders, by: "expected", equal: [1], through: Value(at - .milliseconds(1)),
                after: arguments.cursor, limit: arguments.limit),
            in: reader)
    }

    private static let courier = Query(
        "orders.courier", "The open orders of a courier, the soonest expected first.", of: "orders.tracking",
        [Parameter("courier", .text, required: true, "the courier's identifier")]
    ) { arguments, reader in
        try Page(
            of: Scan(
                Tracking.orders, by: "courier", equal: [.text(arguments.required("courier")), 1],
                after: arguments.cursor, limit: arguments.limit),
            in: reader)
    }

    private static let notifications = Query(
        "orders.notifications", "What a customer was told, newest first.", of: "orders.outbox",
        [Parameter("customer", .text, required: true, "the customer's identifier")]
    ) { arguments, reader in
        try Page(
            of: Scan(
                NotificationOutbox.notifications, equal: [.text(arguments.required("customer"))], descending: true,
                after: arguments.cursor, limit: arguments.limit),
            in: reader)
    }
}
