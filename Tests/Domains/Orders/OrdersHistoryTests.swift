import DomainTesting
import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import OrdersDomain

/// What happened is the same whether it was asked for as it happened, recorded elsewhere and told as facts, or imported.
@Suite("A history of orders")
struct OrdersHistoryTests {
    @Test(arguments: [7, 20_261_129, 0xfacade] as [UInt64])
    func `is the same asked for and told as facts`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let (live, told) = (try HistoryBus(.orders), try HistoryBus(.orders))
        for step in 0..<2000 {
            let command = OrdersCommands.draw(&random, step)
            try live.ask(
                EncodedCommand(command, Orders.key(of: command), "c\(step)", as: OrdersCommand.self),
                at: after(Int64(step) * 60))
        }
        try told.admit(live.records, seed: seed)
        #expect(live.records.count > 300 && live.refused > 300, "seed \(seed)")
        try expectSame(live, told, "told as facts", seed: seed)
    }

    @Test(arguments: [7, 20_261_129, 0xfacade] as [UInt64])
    func `is the same imported, asked for and told as facts`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let lives = (0..<200).map { OlistLife($0, &random) }
        let (imported, live, told) = (try HistoryBus(.orders), try HistoryBus(.orders), try HistoryBus(.orders))
        let table = try OlistOrders(header: ArraySlice(OlistLife.header.utf8))
        for life in lives {
            for command in try table.history(ArraySlice(life.row.utf8)).commands {
                try imported.ask(command, at: try #require(command.time))
            }
            for (i, (command, time)) in life.commands.enumerated() {
                // Whoever asks twice, or for what cannot be, changes nothing.
                for again in 0...Int.random(in: 0...1, using: &random) {
                    let id = "\(life.order)-\(i)-\(again)"
                    try live.ask(EncodedCommand(command, life.order, id, as: OrdersCommand.self), at: time)
                }
                let early = OrdersCommand.OneOf_Kind.placeOrder(
                    .with { ($0.order, $0.customer) = (life.order, "somebody-else") })
                try live.ask(
                    EncodedCommand(early, life.order, "\(life.order)-\(i)-no", as: OrdersCommand.self), at: time)
            }
        }
        try told.admit(imported.records, seed: seed)
        #expect(imported.refused == 0 && live.refused > 300, "seed \(seed)")
        try expectSame(imported, live, "asked for", seed: seed)
        try expectSame(imported, told, "told as facts", seed: seed)
    }
}

/// An order's life at random, as a row of the table and as the commands that somebody would have sent.
private struct OlistLife {
    static let header =
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,"
        + "order_delivered_customer_date,order_estimated_delivery_date"
    let order: String
    private(set) var row = ""
    private(set) var commands: [(OrdersCommand.OneOf_Kind, Timestamp)] = []

    init(_ i: Int, _ random: inout SeededRandom) {
        let order = "o\(i)"
        let customer = "c\(Int.random(in: 0..<20, using: &random))"
        self.order = order
        var time = Timestamp(1_500_000_000_000) + .seconds(Int64.random(in: 0...9_000_000, using: &random))
        let placed = time
        let expected = placed + .seconds(Int64.random(in: 1...2_000_000, using: &random))
        let steps = Int.random(in: 0...3, using: &random)
        commands.append(
            (.placeOrder(.with { ($0.order, $0.customer, $0.expectedAt) = (order, customer, expected.proto) }), placed))
        var moments: [Timestamp] = []
        for step in 0..<steps {
            time = time + .seconds(Int64.random(in: 0...500_000, using: &random))
            moments.append(time)
            let made: OrdersCommand.OneOf_Kind =
                switch step {
                case 0: .assignCourier(.with { ($0.order, $0.courier) = (order, OlistOrders.courier) })
                case 1: .markPickedUp(.with { $0.order = order })
                default: .markDelivered(.with { $0.order = order })
                }
            commands.append((made, time))
        }
        var status = ["created", "approved", "shipped", "delivered"][steps]
        if steps < 3, Int.random(in: 0..<4, using: &random) == 0 {
            status = "canceled"
            commands.append((.cancelOrder(.with { ($0.order, $0.reason) = (order, "canceled") }), time))
        }
        let dates = (0..<3).map { $0 < moments.count ? Self.words(moments[$0]) : "" }
        row = ([order, customer, status, Self.words(placed)] + dates + [Self.words(expected)]).joined(separator: ",")
    }

    private static func words(_ time: Timestamp) -> String {
        time.rfc3339.replacing("T", with: " ").replacing("Z", with: "")
    }
}
