internal import EventModel
internal import SwiftProtobuf

/// What orders allows at most.
enum OrdersLimits {
    static let reason = 200
    /// How far ahead of a command's time an order may be expected.
    static let ahead = Duration.seconds(366 * 86_400)
}

extension Orders {
    static func check(_ command: Command.Kind) throws(Malformed) {
        try Check.identifier(key(of: command), "order")
        switch command {
        case .placeOrder(let c):
            try Check.identifier(c.customer, "customer")
            if c.hasExpectedAt { try Check.moment(c.expectedAt, "expectedAt") }
        case .assignCourier(let c): try Check.identifier(c.courier, "courier")
        case .markPickedUp(let c): if !c.courier.isEmpty { try Check.identifier(c.courier, "courier") }
        case .markDelivered: break
        case .cancelOrder(let c): try Check.text(c.reason, "reason", atMost: OrdersLimits.reason)
        case .reviseEta(let c): try check(expected: c.hasExpectedAt ? c.expectedAt : nil)
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        try Check.identifier(key(of: event), "order")
        switch event {
        case .orderStatusChanged(let e):
            try Check.identifier(e.customer, "customer")
            guard let stage = Stage(e.status) else {
                let stages = Stage.allCases.map(\.rawValue).joined(separator: ", ")
                throw Malformed("status", "must be one of \(stages)")
            }
            try check(e, stage)
        case .etaRevised(let e):
            try Check.identifier(e.customer, "customer")
            try check(recorded: e.hasExpectedAt ? e.expectedAt : nil)
        }
    }

    /// Each stage has its own particulars, and no others.
    private static func check(_ e: OrdersOrderStatusChanged, _ stage: Stage) throws(Malformed) {
        switch stage {
        case .received:
            if !e.courier.isEmpty { throw Malformed("courier", "is said of an order that is only received") }
        case .assigned, .pickedUp, .delivered: try Check.identifier(e.courier, "courier")
        case .cancelled: if !e.courier.isEmpty { try Check.identifier(e.courier, "courier") }
        }
        if stage == .cancelled {
            try Check.text(e.reason, "reason", atMost: OrdersLimits.reason)
            if e.hasExpectedAt { throw Malformed("expectedAt", "is said of an order that is cancelled") }
        } else {
            if !e.reason.isEmpty { throw Malformed("reason", "is said of an order that is not cancelled") }
            try check(recorded: e.hasExpectedAt ? e.expectedAt : nil)
        }
    }

    private static func check(expected: Google_Protobuf_Timestamp?) throws(Malformed) {
        guard let expected else { throw Malformed("expectedAt", "is missing, for example 2026-12-24T19:30:00Z") }
        try Check.moment(expected, "expectedAt")
    }

    /// What is decided has whole milliseconds, and so has what was.
    private static func check(recorded expected: Google_Protobuf_Timestamp?) throws(Malformed) {
        try check(expected: expected)
        if let nanos = expected?.nanos, nanos % 1_000_000 != 0 {
            throw Malformed("expectedAt", "has a fraction of a millisecond, which an order's events have not")
        }
    }

    /// An order is expected after the moment of its command, and not for ever after.
    static func check(expected: Timestamp, at now: Timestamp) throws(Rejection) {
        if expected <= now || expected > now + OrdersLimits.ahead {
            throw .expectedOutOfRange(expected: expected, now: now)
        }
    }

    /// The state machine: which stage may follow which. Commands and facts go by it alike.
    static func checkNext(_ next: Stage, of order: String, on state: State) throws(Rejection) {
        guard let stage = state.stage else {
            if next == .received { return }
            throw .unknownOrder(order: order)
        }
        switch (stage, next) {
        case (.cancelled, _): throw .alreadyCancelled(order: order, reason: state.reason)
        case (_, .received): throw .orderExists(order: order, stage: stage)
        case (.delivered, _): throw .alreadyDelivered(order: order)
        case (.received, .assigned), (.assigned, .assigned), (.assigned, .pickedUp), (.pickedUp, .delivered): return
        case (_, .cancelled): return
        case (.received, .pickedUp): throw .notAssigned(order: order)
        case (.received, .delivered), (.assigned, .delivered): throw .notPickedUp(order: order, stage: stage)
        case (.pickedUp, .assigned), (.pickedUp, .pickedUp):
            throw .alreadyPickedUp(order: order, courier: state.courier)
        }
    }

    /// An order is expected at another time as long as it is on its way.
    static func checkRevisable(_ order: String, on state: State) throws(Rejection) {
        switch state.stage {
        case nil: throw .unknownOrder(order: order)
        case .delivered: throw .alreadyDelivered(order: order)
        case .cancelled: throw .alreadyCancelled(order: order, reason: state.reason)
        case .received, .assigned, .pickedUp: return
        }
    }

    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(Rejection) {
        switch event {
        case .etaRevised(let e):
            try checkRevisable(e.order, on: state)
            if e.customer != state.customer { throw .otherCustomer(order: e.order) }
            if Timestamp(e.expectedAt) == state.expected {
                throw .alreadyExpected(order: e.order, expected: state.expected)
            }
            try check(expected: Timestamp(e.expectedAt), at: now)
        case .orderStatusChanged(let e):
            guard let next = Stage(e.status) else { return }
            try checkNext(next, of: e.order, on: state)
            if next == .received { return try check(expected: Timestamp(e.expectedAt), at: now) }
            if e.customer != state.customer { throw .otherCustomer(order: e.order) }
            if next != .cancelled, Timestamp(e.expectedAt) != state.expected {
                throw .otherExpected(order: e.order, expected: state.expected)
            }
            if next == .assigned {
                if state.stage == .assigned, e.courier == state.courier {
                    throw .alreadyAssigned(order: e.order, courier: e.courier)
                }
            } else if e.courier != state.courier {
                throw .otherCourier(order: e.order, courier: state.courier)
            }
        }
    }
}
