public import EventModel

extension Domain {
    /// Orders on their way: place, assign, pick up, deliver, cancel; the customer is told of each stage.
    public static let orders = Domain(
        "orders", "Orders on their way, and what their customers are told.", descriptor: ordersDescriptor
    )
    .deciding(Orders.self, key: "order")
    .naming(actor: "customer", of: "PlaceOrder")
    .naming(actor: "courier", of: "MarkPickedUp")
    .deriving(OrdersOutbox.self, topic: "notifications", key: "customer", owner: "notify")
    .reacting(remembering: Notify())
    .projecting(Tracking.self)
    .projecting(NotificationOutbox.self)
    .answering(status, late, courier, notifications)
    .demonstrating(.orders)
    .showing(DomainPage("An order's way to the door", files: PageFiles.all))
    .importing(.orders)
    .keeping(
        OrdersInvariants.statusesFollowOneAnother, OrdersInvariants.noNotificationTwice,
        OrdersInvariants.everyStageIsTold)

    private static let order = RequiredParameter<String>("order", "the order's identifier")
    private static let at = OptionalParameter<Timestamp>("at", "the moment to look from (default: now)")
    private static let whose = RequiredParameter<String>("courier", "the courier's identifier")
    private static let customer = RequiredParameter<String>("customer", "the customer's identifier")

    private static let status = Query(
        "orders.status", "An order's life, stage by stage; the last row is where it stands.", of: "orders.tracking",
        [order]
    ) { arguments, reader in
        try Page(of: Scan(Tracking.history, equal: [.text(arguments[order])]).page(arguments), in: reader)
    }

    private static let late = Query(
        "orders.late", "Orders that are past their expected time and still open, the most overdue first.",
        of: "orders.tracking", [at]
    ) { arguments, reader in
        let last = (arguments[at] ?? arguments.now) - .milliseconds(1)
        let late = Scan(Tracking.orders, by: "expected", equal: [1], through: Value(last))
        return try Page(of: late.page(arguments), in: reader)
    }

    private static let courier = Query(
        "orders.courier", "The open orders of a courier, the soonest expected first.", of: "orders.tracking",
        [whose]
    ) { arguments, reader in
        let open = Scan(Tracking.orders, by: "courier", equal: [.text(try arguments[whose]), 1])
        return try Page(of: open.page(arguments), in: reader)
    }

    private static let notifications = Query(
        "orders.notifications", "What a customer was told, newest first.", of: "orders.outbox",
        [customer]
    ) { arguments, reader in
        let told = Scan(NotificationOutbox.notifications, equal: [.text(try arguments[customer])], descending: true)
        return try Page(of: told.page(arguments), in: reader)
    }
}
