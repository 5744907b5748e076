internal import EventModel

/// Why orders says no. A message says where the order stands and what to do.
enum OrdersRefusal: Refusal, Hashable {
    case unknownOrder(order: String)
    case orderExists(order: String, stage: Orders.Stage)
    case notAssigned(order: String)
    case notPickedUp(order: String, stage: Orders.Stage)
    case alreadyAssigned(order: String, courier: String)
    case alreadyPickedUp(order: String, courier: String)
    case alreadyDelivered(order: String)
    case alreadyCancelled(order: String, reason: String)
    case otherCourier(order: String, courier: String)
    case otherCustomer(order: String)
    case otherExpected(order: String, expected: Timestamp)
    case alreadyExpected(order: String, expected: Timestamp)
    case expectedOutOfRange(expected: Timestamp, now: Timestamp)

    var reason: String {
        switch self {
        case .unknownOrder: "unknown-order"
        case .orderExists: "order-exists"
        case .notAssigned: "not-assigned"
        case .notPickedUp: "not-picked-up"
        case .alreadyAssigned: "already-assigned"
        case .alreadyPickedUp: "already-picked-up"
        case .alreadyDelivered: "already-delivered"
        case .alreadyCancelled: "already-cancelled"
        case .otherCourier: "other-courier"
        case .otherCustomer: "other-customer"
        case .otherExpected: "other-expected"
        case .alreadyExpected: "already-expected"
        case .expectedOutOfRange: "expected-out-of-range"
        }
    }

    var message: String {
        switch self {
        case .unknownOrder(let order): "there is no order \(order); place it first with PlaceOrder"
        case .orderExists(let order, let stage):
            "order \(order) is \(stage.words) already, with other details; give yours an identifier of its own"
        case .notAssigned(let order):
            "order \(order) is received and has no courier; give it to one first with AssignCourier"
        case .notPickedUp(let order, let stage):
            "order \(order) is only \(stage.words); mark it as picked up first with MarkPickedUp"
        case .alreadyAssigned(let order, let courier): "order \(order) is assigned to \(courier) already"
        case .alreadyPickedUp(let order, let courier):
            "order \(order) is picked up by \(courier) already; mark it as delivered, or cancel it"
        case .alreadyDelivered(let order): "order \(order) is delivered already; nothing about it changes any more"
        case .alreadyCancelled(let order, let reason):
            "order \(order) is cancelled already (\(reason)); place another one under an identifier of its own"
        case .otherCourier(let order, let courier):
            courier.isEmpty
                ? "order \(order) has no courier"
                : "order \(order) is with courier \(courier); name that one, or assign it anew before it is picked up"
        case .otherCustomer(let order): "order \(order) is of another customer"
        case .otherExpected(let order, let expected):
            "order \(order) is expected at \(expected.rfc3339); an EtaRevised comes before another time"
        case .alreadyExpected(let order, let expected):
            "order \(order) is expected at \(expected.rfc3339) already; an EtaRevised is of another time"
        case .expectedOutOfRange(let expected, let now):
            "the expected time \(expected.rfc3339) must be after \(now.rfc3339), the time of the command, and at most \(OrdersLimits.ahead.days) days after it"
        }
    }
}

extension Duration {
    fileprivate var days: Int64 { components.seconds / 86_400 }
}
