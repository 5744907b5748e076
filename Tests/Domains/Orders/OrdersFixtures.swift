import DomainTesting
import EventModel
import SwiftProtobuf

@testable import OrdersDomain

typealias OrderFact = OrdersEvent.OneOf_Kind
typealias OrderCommand = OrdersCommand.OneOf_Kind

/// When order `o1` is expected: as it is by default of one placed at noon.
private let dinner = after(2700)

/// What orders reports, of Ann's order `o1`, which Bob brings.
extension OrdersEvent.OneOf_Kind {
    static let received = changed(.received, courier: "")
    static let assigned = assigned("bob")
    static func assigned(_ courier: String) -> OrderFact { changed(.assigned, courier: courier) }
    static let pickedUp = changed(.pickedUp)
    static let delivered = changed(.delivered)
    static let cancelled = cancelled(courier: "bob")
    static func cancelled(courier: String, reason: String = "rain") -> OrderFact {
        changed(.cancelled, courier: courier, expected: nil, reason: reason)
    }
    static func changed(
        _ status: OrdersStatus, _ order: String = "o1", of customer: String = "ann", courier: String = "bob",
        expected: Timestamp? = dinner, reason: String = ""
    ) -> OrderFact {
        .orderStatusChanged(
            .with {
                ($0.order, $0.customer, $0.status, $0.courier) = (order, customer, status, courier)
                if let expected { $0.expectedAt = expected.proto }
                $0.reason = reason
            })
    }
    static func revised(_ seconds: Int64, of customer: String = "ann") -> OrderFact {
        .etaRevised(.with { ($0.order, $0.customer, $0.expectedAt) = ("o1", customer, after(seconds).proto) })
    }
}

/// What orders is told to do, with order `o1`.
extension OrdersCommand.OneOf_Kind {
    static let place = place()
    static func place(by customer: String = "ann", expected: Timestamp? = nil) -> OrderCommand {
        .placeOrder(
            .with {
                ($0.order, $0.customer) = ("o1", customer)
                if let expected { $0.expectedAt = expected.proto }
            })
    }
    static func assign(_ courier: String = "bob") -> OrderCommand {
        .assignCourier(.with { ($0.order, $0.courier) = ("o1", courier) })
    }
    static func pickUp(_ courier: String = "") -> OrderCommand {
        .markPickedUp(.with { ($0.order, $0.courier) = ("o1", courier) })
    }
    static let deliver = OrderCommand.markDelivered(.with { $0.order = "o1" })
    static func cancel(_ reason: String = "rain") -> OrderCommand {
        .cancelOrder(.with { ($0.order, $0.reason) = ("o1", reason) })
    }
    static func revise(_ seconds: Int64) -> OrderCommand {
        .reviseEta(.with { ($0.order, $0.expectedAt) = ("o1", after(seconds).proto) })
    }
}

/// Given what happened to order `o1` at noon, what a command or a fact comes to.
struct OrderLife {
    let state: Orders.State

    init(_ events: OrderFact...) { self.init(events) }
    init(_ events: [OrderFact]) {
        state = events.reduce(into: Orders.initial) { Orders.evolve(&$0, with: $1, at: noon) }
    }

    func when(_ command: OrderCommand, at seconds: Int64 = 0) -> Result<[OrderFact], OrdersRefusal> {
        Result { () throws(OrdersRefusal) in try Orders.decide(command, id: "c1", on: state, at: after(seconds)) }
    }
    func admitting(_ fact: OrderFact, at seconds: Int64 = 0) -> OrdersRefusal? {
        do {
            try Orders.admit(fact, on: state, at: after(seconds))
            return nil
        } catch {
            return error
        }
    }
}

/// Records of orders' facts in one partition, a minute apart.
func records(_ facts: [OrderFact]) -> [Placed] {
    facts.enumerated().map { i, fact in
        (
            TopicPartition("orders.events", 1),
            Record(
                offset: Offset(Int64(i)), timestamp: after(Int64(i) * 60), key: Bytes(Orders.key(of: fact)),
                value: OrdersEvent.bytes(fact))
        )
    }
}
