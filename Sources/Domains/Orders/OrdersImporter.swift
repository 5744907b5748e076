internal import EventModel

extension Importer {
    static let orders = Importer(
        "orders", "Import a table of past orders as the commands of their lives.",
        discussion: """
            CSV of the Olist layout, plain or gzip: order_id, customer_id, order_status,
            and the moments of purchase, approval, carrier scan and delivery, and the
            estimate. Each row becomes PlaceOrder, AssignCourier, MarkPickedUp,
            MarkDelivered or CancelOrder, with the row's own times, read as UTC, on
            orders.commands; the handler decides them. A row that tells of no life an
            order can have is a bad line, named with its order and reason, and nothing of
            it is imported. The commands are written in the order of their moments, of up
            to \(Importer.mostByTime) at once. The same file again changes nothing.

            Where a handler runs, its outcomes are followed: the summary counts what was
            accepted, what was decided before or changes nothing, and what was refused,
            by reason. What nobody decides within --wait is decided later.

            Example: millrace import orders olist_orders.csv.gz
            """,
        into: "orders.commands", byTime: true
    ) { source throws(Malformed) in
        var table: OlistOrders?
        return ImportReader(
            header: { line throws(Malformed) in table = try OlistOrders(header: line) },
            read: { line in
                guard let history = try table?.history(line) else { return nil }
                let now = source.now()
                return Imported(
                    records: history.commands.map { $0.record(now: now) }, time: history.placed, ended: history.ended,
                    moments: history.commands.map { $0.time ?? history.placed })
            })
    }
}
