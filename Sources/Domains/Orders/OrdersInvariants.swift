internal import EventModel
internal import SwiftProtobuf

/// What holds of orders, whatever happens.
enum OrdersInvariants {
    /// An order's events, by the same state machine that decides.
    static let statusesFollowOneAnother = Invariant(
        "an order goes through its stages in their order", over: "orders.events", OrdersEvent.self,
        from: [String: Orders.State](),
        fold: { orders, event, place in
            let order = Orders.key(of: event)
            let state = orders[order] ?? Orders.initial
            do {
                switch event {
                case .orderStatusChanged(let e):
                    if let stage = Orders.Stage(e.status) { try Orders.checkNext(stage, of: order, on: state) }
                case .etaRevised: try Orders.checkRevisable(order, on: state)
                }
            } catch let no as OrdersRefusal {
                throw Violation("\(place.words) may not follow: \(no.message)")
            }
            Orders.evolve(&orders[order, default: Orders.initial], with: event, at: place.timestamp)
        })

    private struct Told: Sendable {
        /// What each order came to, as its notifications should say.
        var events: [String: Int] = [:]
        var sent: [String: Int] = [:]
        var ids: Set<String> = []

        mutating func fold(_ record: Record, _ source: TopicPartition) throws {
            if source.topic == "orders.notifications" {
                guard case .notificationSent(let e)? = try OrdersOutbox.kind(in: record.value) else { return }
                if !ids.insert(e.id).inserted {
                    throw Violation("\(e.id) was sent twice, again at \(source)@\(record.offset)")
                }
                sent["\(e.order) \(e.stage)", default: 0] += 1
                return
            }
            switch try OrdersEvent.kind(in: record.value) {
            case .orderStatusChanged(let e):
                if let stage = Orders.Stage(e.status) { events["\(e.order) \(stage.rawValue)", default: 0] += 1 }
            case .etaRevised(let e): events["\(e.order) \(Notify.revised)", default: 0] += 1
            case nil: break
            }
        }
    }

    static let noNotificationTwice = Invariant(
        "no notification is sent twice", over: ["orders.notifications"], from: Told(), fold: { try $0.fold($1, $2) })

    static let everyStageIsTold = Invariant(
        "a customer is told of each stage once", .atRest, over: ["orders.events", "orders.notifications"], from: Told(),
        fold: { try $0.fold($1, $2) },
        finish: { told in
            for stage in Set(told.events.keys).union(told.sent.keys).sorted()
            where told.events[stage] != told.sent[stage] {
                throw Violation(
                    "\(stage) happened \(told.events[stage] ?? 0) times and was told \(told.sent[stage] ?? 0) times")
            }
        })
}
