internal import EventModel
internal import SwiftProtobuf

/// Tells an order's customer of each stage, once: one entry of the outbox for each event.
///
/// It remembers how often an open order came to a stage, so that an entry's id follows from the order's own life and not
/// from where its events stand: the same events on another log make the same ids.
struct Notify: StatefulReaction {
    /// How often a stage that can come again has come.
    struct State: Codable, Sendable, Equatable {
        var assigned = 0
        var revised = 0
    }

    static let revised = "eta_revised"

    let name = "notify"
    let initial = State()
    /// A closed order comes to no more stages: what is known of it goes.
    func isBlank(_ state: State) -> Bool { state == initial }

    var inputs: [ReactionInput<State>] {
        [
            ReactionInput(
                "orders.events", OrdersEvent.self,
                react: { event, state, place in
                    Self.notification(of: event, after: state, at: place.timestamp).map { [Self.emission($0)] } ?? []
                },
                evolve: { event, state, _ in Self.count(event, in: &state) })
        ]
    }

    private static func count(_ event: OrdersEvent.OneOf_Kind, in state: inout State) -> Bool {
        switch event {
        case .etaRevised: state.revised += 1
        case .orderStatusChanged(let e):
            guard let stage = Orders.Stage(e.status) else { return false }
            if stage == .assigned { state.assigned += 1 }
            if stage.isLast { state = State() }
        }
        return true
    }

    /// What the customer is told; nothing of a status that only a newer writer knows.
    static func notification(
        of event: OrdersEvent.OneOf_Kind, after state: State, at time: Timestamp
    ) -> OrdersNotificationSent? {
        switch event {
        case .etaRevised(let e):
            return .with {
                $0.id = id(e.order, revised, state.revised + 1)
                ($0.customer, $0.order, $0.stage) = (e.customer, e.order, revised)
                $0.text = "Your order \(e.order) is now expected at \(Timestamp(e.expectedAt).rfc3339)."
                ($0.expectedAt, $0.at) = (e.expectedAt, time.proto)
            }
        case .orderStatusChanged(let e):
            guard let stage = Orders.Stage(e.status) else { return nil }
            return .with {
                $0.id = id(e.order, stage.rawValue, stage == .assigned ? state.assigned + 1 : 1)
                ($0.customer, $0.order, $0.stage) = (e.customer, e.order, stage.rawValue)
                $0.text = text(e, stage)
                if e.hasExpectedAt { $0.expectedAt = e.expectedAt }
                $0.at = time.proto
            }
        }
    }

    private static func id(_ order: String, _ stage: String, _ n: Int) -> String {
        n == 1 ? "\(order):\(stage)" : "\(order):\(stage):\(n)"
    }

    private static func text(_ e: OrdersOrderStatusChanged, _ stage: Orders.Stage) -> String {
        let expected = Timestamp(e.expectedAt).rfc3339
        return switch stage {
        case .received: "We have received your order \(e.order). It is expected at \(expected)."
        case .assigned: "Courier \(e.courier) will bring your order \(e.order). It is expected at \(expected)."
        case .pickedUp: "Courier \(e.courier) has picked up your order \(e.order). It is expected at \(expected)."
        case .delivered: "Your order \(e.order) was delivered."
        case .cancelled: "Your order \(e.order) was cancelled: \(e.reason)"
        }
    }

    private static func emission(_ sent: OrdersNotificationSent) -> Emission {
        Emission(
            topic: "orders.notifications", key: Bytes(sent.customer),
            value: OrdersOutbox.bytes(.notificationSent(sent)), type: "NotificationSent")
    }
}
