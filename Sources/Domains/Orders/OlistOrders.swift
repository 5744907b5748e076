internal import CSVText
public import EventModel
internal import SwiftProtobuf

/// Reads the orders of the Brazilian E-Commerce Public Dataset by Olist (kaggle.com/datasets/olistbr/brazilian-ecommerce):
/// one row an order, with the moments of its life, as the commands that would have led it there.
///
///     order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,
///     order_delivered_customer_date,order_estimated_delivery_date
///
/// Times are written without a zone, `2017-07-09 21:57:05`, and are read as UTC.
public struct OlistOrders: Sendable {
    /// Who brings every order: the rows name no courier.
    public static let courier = "olist-carrier"

    /// One order's commands in order, each with its own time.
    public struct History: Sendable {
        public var commands: [EncodedCommand]
        public var placed: Timestamp
        /// The time of the last command.
        public var ended: Timestamp
    }

    /// A row that tells of no life an order can have.
    public struct Unusable: Refusal, Hashable {
        public var reason: String
        public var message: String
    }

    private static let columns = [
        "order_id", "customer_id", "order_status", "order_purchase_timestamp", "order_approved_at",
        "order_delivered_carrier_date", "order_delivered_customer_date", "order_estimated_delivery_date",
    ]

    private let header: CSVHeader

    /// - Parameter header: the first line.
    public init(header: ArraySlice<UInt8>) throws(Malformed) {
        self.header = try CSVHeader(header, needed: Self.columns.map { [$0] })
    }

    /// The commands of a row; throws ``Unusable``, or ``Malformed`` where it is no row of the table at all.
    public func history(_ line: ArraySlice<UInt8>) throws -> History {
        let fields = try header.row(line)
        let order = try fields.required("order_id")
        do {
            return try history(OlistRow(fields, order))
        } catch let no as any Refusal {
            throw Unusable(reason: no.reason, message: "order \(order): \(no.message)")
        }
    }

    private func history(_ row: OlistRow) throws -> History {
        let moments = try row.moments()
        var commands = [
            encoded(
                "received", "PlaceOrder", row, row.placed,
                .placeOrder(
                    .with { ($0.order, $0.customer, $0.expectedAt) = (row.order, row.customer, row.expected.proto) }))
        ]
        let makers: [(String, String, OrdersCommand.OneOf_Kind)] = [
            ("assigned", "AssignCourier", .assignCourier(.with { ($0.order, $0.courier) = (row.order, Self.courier) })),
            ("picked-up", "MarkPickedUp", .markPickedUp(.with { ($0.order, $0.courier) = (row.order, Self.courier) })),
            ("delivered", "MarkDelivered", .markDelivered(.with { $0.order = row.order })),
        ]
        for ((stage, type, command), moment) in zip(makers, moments) {
            commands.append(encoded(stage, type, row, moment, command))
        }
        let ended = moments.last ?? row.placed
        if row.end == nil {
            commands.append(
                encoded(
                    "cancelled", "CancelOrder", row, ended,
                    .cancelOrder(.with { ($0.order, $0.reason) = (row.order, row.status) })))
        }
        return History(commands: commands, placed: row.placed, ended: ended)
    }

    private func encoded(
        _ stage: String, _ type: String, _ row: OlistRow, _ time: Timestamp, _ command: OrdersCommand.OneOf_Kind
    ) -> EncodedCommand {
        EncodedCommand(
            type: type, key: Bytes(row.order), value: OrdersCommand.bytes(command), id: "olist-\(row.order)-\(stage)",
            time: time)
    }
}

/// A row's values, read but not yet believed.
private struct OlistRow {
    let order: String
    let customer: String
    let status: String
    let placed: Timestamp
    let expected: Timestamp
    /// When it was approved, scanned by the carrier, and delivered, as far as the row says.
    let steps: [Timestamp?]
    /// How many of the steps its status says were taken; nil where it was cancelled after some of them.
    let end: Int?

    /// The steps' names: what a missing one is called, and what one before the step before it is.
    private static let names = [
        (missing: "no-approval", early: "approval-before-purchase", words: "approval"),
        (missing: "no-carrier-scan", early: "carrier-before-approval", words: "carrier scan"),
        (missing: "no-delivery", early: "delivery-before-carrier", words: "delivery"),
    ]
    private static let ends: [String: Int?] = [
        "created": 0, "approved": 1, "invoiced": 1, "processing": 1, "shipped": 2, "delivered": 3,
        "canceled": Int?.none,
        "unavailable": Int?.none,
    ]

    init(_ row: CSVRow, _ order: String) throws {
        self.order = order
        customer = try row.required("customer_id")
        status = try row.required("order_status")
        try Check.identifier(order, "order_id", atMost: OlistOrders.orderBytes)
        try Check.identifier(customer, "customer_id")
        guard let placed = try Self.moment("order_purchase_timestamp", row) else {
            throw Malformed("order_purchase_timestamp", "is missing")
        }
        guard let expected = try Self.moment("order_estimated_delivery_date", row) else {
            throw Malformed("order_estimated_delivery_date", "is missing")
        }
        (self.placed, self.expected) = (placed, expected)
        steps = try ["order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date"].map {
            try Self.moment($0, row)
        }
        guard let end = Self.ends[status] else {
            let known = Self.ends.keys.sorted().joined(separator: ", ")
            throw OlistOrders.Unusable(
                reason: "unknown-status", message: "its status is \(status), not one of \(known)")
        }
        self.end = end
    }

    /// When each step was taken, as far as its status says; throws where that is no life an order can have.
    func moments() throws -> [Timestamp] {
        if end == nil, steps[2] != nil {
            throw no("cancelled-after-delivery", "is \(status), but has a time of delivery")
        }
        let known = (steps.lastIndex { $0 != nil } ?? -1) + 1
        let end = end ?? known
        if known > end {
            throw no("later-than-status", "is \(status), but has a time of \(Self.names[known - 1].words)")
        }
        var moments: [Timestamp] = []
        var before = (time: placed, words: "purchase")
        for (step, name) in zip(steps, Self.names).prefix(end) {
            guard let step else { throw no(name.missing, "is \(status), but has no time of \(name.words)") }
            if step < before.time {
                throw no(
                    name.early,
                    "its \(name.words) \(step.rfc3339) is before its \(before.words) \(before.time.rfc3339)")
            }
            moments.append(step)
            before = (step, name.words)
        }
        try Orders.check(expected: expected, at: placed)
        return moments
    }

    private func no(_ reason: String, _ why: String) -> OlistOrders.Unusable {
        OlistOrders.Unusable(reason: reason, message: why)
    }

    /// `2017-07-09 21:57:05`, nil where the column is empty.
    private static func moment(_ column: String, _ row: CSVRow) throws(Malformed) -> Timestamp? {
        guard let text = row[column] else { return nil }
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        let rfc3339 = "\(parts[0])T\(parts.last ?? "")Z"
        // Written out again it must be the same: there is no February 30.
        guard parts.count == 2, let time = Timestamp(rfc3339: rfc3339), time.rfc3339 == rfc3339,
            Timestamp.calendar.contains(time)
        else { throw Malformed(column, "is \(text), not a time such as 2017-07-09 21:57:05") }
        return time
    }
}

extension OlistOrders {
    /// An order's identifier becomes part of its commands' ids.
    fileprivate static let orderBytes = 80
}
