import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import Domains

/// What happened is the same whether it was asked for as it happened, recorded elsewhere and told as facts, or imported.
@Suite("A history")
struct ParityTests {
    /// Aggregates, what they came to, and what was written of it.
    private final class Bus {
        let domain: Domain
        private let events: TopicPartition
        private let aggregates: any Aggregates
        private(set) var records: [Placed] = []
        private(set) var refused = 0

        init(_ domain: Domain) throws {
            self.domain = domain
            events = TopicPartition(domain.eventsTopic, 0)
            aggregates = try #require(domain.decider).aggregates()
            aggregates.states.keepInCheckpoint()
        }

        private func load(_ key: Bytes) throws {
            for key in aggregates.states.missing([key]) { try aggregates.states.load(key, nil) }
        }
        private func write(_ decision: Decision, at time: Timestamp) -> [Placed] {
            guard case .accepted(let made) = decision else {
                refused += 1
                return []
            }
            let written: [Placed] = made.enumerated().map { i, event in
                let offset = Offset(Int64(records.count + i))
                return (events, Record(offset: offset, timestamp: time, key: event.key, value: event.value))
            }
            records += written
            return written
        }

        /// Decides a command, and what timers and the commands of reactions come of it.
        func ask(_ command: EncodedCommand, at time: Timestamp) throws {
            for timer in aggregates.due(by: time) { try decide(timer, at: timer.time ?? time) }
            try decide(command, at: time)
        }
        private func decide(_ command: EncodedCommand, at time: Timestamp) throws {
            try load(command.key)
            let decision = aggregates.decide(key: command.key, command: command.value, id: command.id, at: time)
            for (source, record) in write(decision, at: time) {
                for reaction in domain.reactions where reaction.topics == [domain.eventsTopic] {
                    for emission in try reaction.memory().react(to: record, from: source) {
                        guard let id = emission.commandID else { continue }
                        let caused = EncodedCommand(type: "", key: emission.key, value: emission.value, id: id)
                        try decide(caused, at: time)
                    }
                }
            }
        }
        /// Admits what was recorded, each at its own time.
        func admit(_ recorded: [Placed], seed: UInt64) throws {
            for (_, record) in recorded {
                try load(record.key)
                let decision = aggregates.admit(key: record.key, fact: record.value, at: record.timestamp)
                #expect(write(decision, at: record.timestamp).count == 1, "\(decision), seed \(seed)")
            }
        }

        /// Each aggregate's state as checkpoints keep it.
        func states() throws -> NSDictionary {
            let states = try aggregates.states.changes().map { change in
                (change.key.text, try JSONSerialization.jsonObject(with: Data((try change.json() ?? "{}").utf8)))
            }
            // They are to be asked for again.
            aggregates.states.settle(kept: false)
            return NSDictionary(dictionary: Dictionary(uniqueKeysWithValues: states))
        }
        /// The rows of every view, also of what reactions derive.
        func rows() throws -> [String: [Row]] {
            var derived: [Placed] = []
            for reaction in domain.reactions {
                let memory = reaction.memory()
                for (source, record) in records {
                    for emission in try memory.react(to: record, from: source) where emission.commandID == nil {
                        let place = TopicPartition(emission.topic, 0)
                        derived.append(
                            (
                                place,
                                Record(
                                    offset: Offset(Int64(derived.count)), timestamp: record.timestamp,
                                    key: emission.key, value: emission.value)
                            ))
                    }
                }
            }
            return try domain.projections.reduce(into: [:]) { rows, projection in
                let fold = Fold(projection: projection)
                try fold.take((records + derived).filter { projection.topics.contains($0.source.topic) })
                rows.merge(try fold.rows()) { _, new in new }
            }
        }
    }

    private func expectSame(_ one: Bus, _ other: Bus, _ how: String, seed: UInt64) throws {
        #expect(one.records.map(\.record) == other.records.map(\.record), "\(how), seed \(seed)")
        #expect(try one.states() == other.states(), "\(how), seed \(seed)")
        let (here, there) = (try one.rows(), try other.rows())
        #expect(here == there && here.values.allSatisfy { !$0.isEmpty }, "\(how), seed \(seed)")
    }

    private static func encoded<E: Envelope>(_ kind: E.Kind, _ key: String, _ id: String, as type: E.Type)
        -> EncodedCommand
    {
        EncodedCommand(type: "", key: Bytes(key), value: E.bytes(kind), id: id)
    }

    @Test(arguments: [7, 20_261_129, 0xfacade] as [UInt64])
    func `of tickets is the same asked for and told as facts`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let (live, told) = (try Bus(.tickets), try Bus(.tickets))
        var now = noon
        for step in 0..<2000 {
            now = now + .milliseconds(Int64.random(in: 0...20_000, using: &random))
            let command = AdmissionTests.ticket(&random, step)
            try live.ask(Self.encoded(command, Tickets.key(of: command), "c\(step)", as: TicketsCommand.self), at: now)
        }
        try told.admit(live.records, seed: seed)
        #expect(live.records.count > 300 && live.refused > 300, "seed \(seed)")
        try expectSame(live, told, "told as facts", seed: seed)
    }

    @Test(arguments: [7, 20_261_129, 0xfacade] as [UInt64])
    func `of orders is the same asked for and told as facts`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let (live, told) = (try Bus(.orders), try Bus(.orders))
        for step in 0..<2000 {
            let command = AdmissionTests.order(&random, step)
            try live.ask(
                Self.encoded(command, Orders.key(of: command), "c\(step)", as: OrdersCommand.self),
                at: after(Int64(step) * 60))
        }
        try told.admit(live.records, seed: seed)
        #expect(live.records.count > 300 && live.refused > 300, "seed \(seed)")
        try expectSame(live, told, "told as facts", seed: seed)
    }

    @Test(arguments: [7, 20_261_129, 0xfacade] as [UInt64])
    func `of orders is the same imported, asked for and told as facts`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let lives = (0..<200).map { OlistLife($0, &random) }
        let (imported, live, told) = (try Bus(.orders), try Bus(.orders), try Bus(.orders))
        let table = try OlistOrders(header: ArraySlice(OlistLife.header.utf8))
        for life in lives {
            for command in try table.history(ArraySlice(life.row.utf8)).commands {
                try imported.ask(command, at: try #require(command.time))
            }
            for (i, (command, time)) in life.commands.enumerated() {
                // Whoever asks twice, or for what cannot be, changes nothing.
                for again in 0...Int.random(in: 0...1, using: &random) {
                    let id = "\(life.order)-\(i)-\(again)"
                    try live.ask(Self.encoded(command, life.order, id, as: OrdersCommand.self), at: time)
                }
                let early = OrdersCommand.OneOf_Kind.placeOrder(
                    .with { ($0.order, $0.customer) = (life.order, "somebody-else") })
                try live.ask(Self.encoded(early, life.order, "\(life.order)-\(i)-no", as: OrdersCommand.self), at: time)
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
