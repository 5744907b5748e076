internal import EventModel
internal import SwiftProtobuf

extension Demonstration {
    /// Kitchens whose orders are cooked and carried, or called off: one for every four of the size.
    static let orders = Demonstration(
        asking: { Orders.request(&$0) },
        actors: { size, seed in (0..<max(2, size / 4)).map { Kitchen($0, seed: seed) } },
        showing: [
            Exhibit(
                "NOTIFICATIONS to \(Kitchen.regular), newest first",
                proves: "Each stage of an order is told to its customer once, whatever fails meanwhile.",
                query: "orders.notifications", [["customer": Kitchen.regular]], limit: 6,
                as: .table([ShownColumn("at", as: "at, UTC"), "stage", "text"]), past: true)
        ],
        replaying: ShownRecords(of: "orders.events", type: "OrderStatusChanged"),
        trying: ["query orders.status --order \(Kitchen.order(0, 1))"])
}

extension Orders {
    /// Four orders, two couriers.
    static func request(_ draw: inout LoadDraw) -> LoadRequest {
        let order = draw.name("o", 4)
        switch draw.number(0...99) {
        case _ where draw.number < 3, 0..<25:
            return LoadRequest(OrdersPlaceOrder.with { ($0.order, $0.customer) = (order, "\(draw.keys.prefix)ann") })
        case 25..<50:
            let courier = draw.name("k", 2)
            return LoadRequest(OrdersAssignCourier.with { ($0.order, $0.courier) = (order, courier) })
        case 50..<65: return LoadRequest(OrdersMarkPickedUp.with { $0.order = order })
        case 65..<75: return LoadRequest(OrdersMarkDelivered.with { $0.order = order })
        case 75..<80: return LoadRequest(OrdersCancelOrder.with { ($0.order, $0.reason) = (order, "late") })
        default:
            let later = draw.now + .seconds(3600 * draw.number(30...34))
            return LoadRequest(OrdersReviseEta.with { ($0.order, $0.expectedAt) = (order, later.proto) })
        }
    }
}

/// A kitchen that takes one order after the other, each of which a courier brings, or not.
struct Kitchen: LoadActor {
    /// Who orders from the first kitchen.
    static let regular = "ann"
    static func order(_ kitchen: Int, _ turn: Int) -> String { "order-\(kitchen)-\(turn)" }

    private let number: Int
    private var random: SeededRandom
    private var turn = 0
    /// What is still to be done for the order.
    private var rest: [LoadRequest] = []

    init(_ number: Int, seed: UInt64) {
        self.number = number
        random = SeededRandom(seed, UInt64(number))
    }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        if rest.isEmpty { rest = takeOrder(at: moment.now) }
        return LoadStep(rest.removeFirst(), pause: random.pause(40...250))
    }

    private mutating func takeOrder(at now: Timestamp) -> [LoadRequest] {
        turn += 1
        let order = Self.order(number, turn)
        let customer = number == 0 ? Self.regular : "customer-\(random.number(0...199))"
        let courier = "courier-\(random.number(0...8))"
        let delivered = LoadRequest(OrdersMarkDelivered.with { $0.order = order })
        var steps = [
            LoadRequest(OrdersPlaceOrder.with { ($0.order, $0.customer) = (order, customer) }),
            LoadRequest(OrdersAssignCourier.with { ($0.order, $0.courier) = (order, courier) }),
            LoadRequest(OrdersMarkPickedUp.with { $0.order = order }), delivered,
        ]
        switch random.number(0...39) {
        // A courier says too early that it was delivered.
        case 0..<4: steps.insert(delivered, at: 2)
        // It takes longer.
        case 4..<9:
            let later = now + .seconds(3600)
            steps.insert(
                LoadRequest(OrdersReviseEta.with { ($0.order, $0.expectedAt) = (order, later.proto) }), at: 2)
        // It is called off on the way.
        case 9..<14:
            let cancelled = OrdersCancelOrder.with { ($0.order, $0.reason) = (order, "the customer called") }
            steps = steps.prefix(random.number(1...3)) + [LoadRequest(cancelled)]
        default: break
        }
        return steps
    }
}
