import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import OrdersDomain

/// A fact is admitted only if it is, wholly, what some command would make in that state at that time, and always if it is.
@Suite("A fact of orders recorded elsewhere")
struct OrdersAdmissionTests {
    @Test(arguments: [1, 20_261_128, 0xadd] as [UInt64])
    func `is admitted where a command makes exactly it`(seed: UInt64) throws {
        try Recorded<Orders>(domain: .orders, seed: seed, draw: OrdersCommands.draw) { fact, _ in
            switch fact {
            case .etaRevised(let e): .reviseEta(.with { ($0.order, $0.expectedAt) = (e.order, e.expectedAt) })
            case .orderStatusChanged(let e):
                switch e.status {
                case .assigned: .assignCourier(.with { ($0.order, $0.courier) = (e.order, e.courier) })
                case .pickedUp: .markPickedUp(.with { ($0.order, $0.courier) = (e.order, e.courier) })
                case .delivered: .markDelivered(.with { $0.order = e.order })
                case .cancelled: .cancelOrder(.with { ($0.order, $0.reason) = (e.order, e.reason) })
                case .received, .unspecified, .UNRECOGNIZED:
                    .placeOrder(
                        .with { ($0.order, $0.customer, $0.expectedAt) = (e.order, e.customer, e.expectedAt) })
                }
            }
        }.run()
    }
}

/// Commands at random, among few names.
enum OrdersCommands {
    static func draw(_ random: inout SeededRandom, _ step: Int) -> OrdersCommand.OneOf_Kind {
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        // New ones come as old ones end.
        let (order, courier) = ("o\(step / 12 + pick(0...2))", "k\(pick(1...2))")
        switch pick(0...99) {
        case 0..<25:
            return .placeOrder(
                .with {
                    ($0.order, $0.customer) = (order, "c\(pick(1...2))")
                    if pick(0...1) == 0 { $0.expectedAt = after(Int64(step) * 60 + 3600).proto }
                })
        case 25..<50: return .assignCourier(.with { ($0.order, $0.courier) = (order, courier) })
        case 50..<65: return .markPickedUp(.with { $0.order = order })
        case 65..<75: return .markDelivered(.with { $0.order = order })
        case 75..<80: return .cancelOrder(.with { ($0.order, $0.reason) = (order, "rain") })
        default:
            return .reviseEta(
                .with { ($0.order, $0.expectedAt) = (order, after(Int64(step + pick(1...3)) * 60 + 5000).proto) })
        }
    }
}
