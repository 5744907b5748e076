internal import EventModel
internal import SwiftProtobuf

extension OrdersCommand: Envelope {}
extension OrdersEvent: Envelope {}
extension OrdersOutbox: Envelope {}

/// An order on its way: received, given to a courier, picked up, delivered, or cancelled before that.
///
/// The aggregate is the order, and its one writer walks it through its stages, so none is skipped or reached twice.
enum Orders: Decider {
    typealias Command = OrdersCommand
    typealias Event = OrdersEvent
    typealias Rejection = OrdersRefusal

    /// When an order is expected that was placed without a word on it: so long after it was placed.
    static let defaultWait = Duration.seconds(45 * 60)

    /// 2: an order keeps whether it was placed with a word on when it is expected.
    static let stateVersion = 2
    /// 1: placed again without that word it is another order, and facts are what a decision would make. 2: reasons differ by bytes.
    static let rules = 2

    /// Where an order stands, and the name of it in views and notifications.
    enum Stage: String, Codable, Sendable, CaseIterable {
        case received, assigned
        case pickedUp = "picked_up"
        case delivered, cancelled

        /// Nil for what is not said, and for what only a newer writer knows.
        init?(_ status: OrdersStatus) {
            switch status {
            case .received: self = .received
            case .assigned: self = .assigned
            case .pickedUp: self = .pickedUp
            case .delivered: self = .delivered
            case .cancelled: self = .cancelled
            case .unspecified, .UNRECOGNIZED: return nil
            }
        }
        var status: OrdersStatus {
            switch self {
            case .received: .received
            case .assigned: .assigned
            case .pickedUp: .pickedUp
            case .delivered: .delivered
            case .cancelled: .cancelled
            }
        }
        /// As in a sentence: picked up.
        var words: String { self == .pickedUp ? "picked up" : rawValue }
        var isLast: Bool { self == .delivered || self == .cancelled }
    }

    struct State: Codable, Sendable, Equatable {
        /// Nil before the order is placed.
        var stage: Stage?
        var customer = ""
        var courier = ""
        var expected: Timestamp = 0
        /// What was expected when the order was placed: what tells the same placing again from another one.
        var promised: Timestamp = 0
        /// Whether that is what it is without a word on it.
        var isPromisedByDefault = false
        /// Why it was cancelled.
        var reason = ""
    }

    static var initial: State { State() }

    static func key(of command: Command.Kind) -> String {
        switch command {
        case .placeOrder(let c): c.order
        case .assignCourier(let c): c.order
        case .markPickedUp(let c): c.order
        case .markDelivered(let c): c.order
        case .cancelOrder(let c): c.order
        case .reviseEta(let c): c.order
        }
    }

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .orderStatusChanged(let e): e.order
        case .etaRevised(let e): e.order
        }
    }

    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        switch command {
        case .placeOrder(let c): try place(c, on: state, at: now)
        case .assignCourier(let c): try assign(c, on: state)
        case .markPickedUp(let c): try pickUp(c, on: state)
        case .markDelivered(let c): try deliver(c, on: state)
        case .cancelOrder(let c): try cancel(c, on: state)
        case .reviseEta(let c): try revise(c, on: state, at: now)
        }
    }

    private static func place(_ c: OrdersPlaceOrder, on state: State, at now: Timestamp) throws(Rejection) -> [Event
        .Kind]
    {
        let asked = c.hasExpectedAt ? Timestamp(c.expectedAt) : nil
        if let stage = state.stage, stage != .cancelled, state.customer == c.customer,
            asked.map({ $0 == state.promised }) ?? state.isPromisedByDefault
        {
            return []
        }
        try checkNext(.received, of: c.order, on: state)
        let expected = asked ?? now + defaultWait
        try check(expected: expected, at: now)
        return [changed(.received, c.order, State(customer: c.customer, expected: expected))]
    }

    private static func assign(_ c: OrdersAssignCourier, on state: State) throws(Rejection) -> [Event.Kind] {
        if state.stage == .assigned, state.courier == c.courier { return [] }
        try checkNext(.assigned, of: c.order, on: state)
        var next = state
        next.courier = c.courier
        return [changed(.assigned, c.order, next)]
    }

    private static func pickUp(_ c: OrdersMarkPickedUp, on state: State) throws(Rejection) -> [Event.Kind] {
        let isHis = c.courier.isEmpty || c.courier == state.courier
        if state.stage == .pickedUp, isHis { return [] }
        try checkNext(.pickedUp, of: c.order, on: state)
        if !isHis { throw .otherCourier(order: c.order, courier: state.courier) }
        return [changed(.pickedUp, c.order, state)]
    }

    private static func deliver(_ c: OrdersMarkDelivered, on state: State) throws(Rejection) -> [Event.Kind] {
        if state.stage == .delivered { return [] }
        try checkNext(.delivered, of: c.order, on: state)
        return [changed(.delivered, c.order, state)]
    }

    private static func cancel(_ c: OrdersCancelOrder, on state: State) throws(Rejection) -> [Event.Kind] {
        if state.stage == .cancelled, Bytes(state.reason) == Bytes(c.reason) { return [] }
        try checkNext(.cancelled, of: c.order, on: state)
        var next = state
        next.reason = c.reason
        return [changed(.cancelled, c.order, next)]
    }

    private static func revise(_ c: OrdersReviseEta, on state: State, at now: Timestamp) throws(Rejection) -> [Event
        .Kind]
    {
        let expected = Timestamp(c.expectedAt)
        try checkRevisable(c.order, on: state)
        if state.expected == expected { return [] }
        try check(expected: expected, at: now)
        return [
            .etaRevised(.with { ($0.order, $0.customer, $0.expectedAt) = (c.order, state.customer, expected.proto) })
        ]
    }

    /// The event that an order reached a stage, with the particulars of the state it makes.
    private static func changed(_ stage: Stage, _ order: String, _ next: State) -> Event.Kind {
        .orderStatusChanged(
            .with {
                ($0.order, $0.customer, $0.status, $0.courier) = (order, next.customer, stage.status, next.courier)
                if stage == .cancelled {
                    $0.reason = next.reason
                } else {
                    $0.expectedAt = next.expected.proto
                }
            })
    }

    static func spellings(of name: String, in state: State) -> [String] {
        [state.customer, state.courier].filter { $0 == name }
    }

    static func evolve(_ state: inout State, with event: Event.Kind, at time: Timestamp) {
        switch event {
        case .orderStatusChanged(let e):
            guard let stage = Stage(e.status) else { return }
            (state.stage, state.courier, state.reason) = (stage, e.courier, e.reason)
            if stage == .received {
                state.customer = e.customer
                (state.expected, state.promised) = (Timestamp(e.expectedAt), Timestamp(e.expectedAt))
                state.isPromisedByDefault = state.promised == time + defaultWait
            }
        case .etaRevised(let e): state.expected = Timestamp(e.expectedAt)
        }
    }
}
