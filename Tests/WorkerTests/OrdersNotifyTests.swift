import EventLog
import EventModel
import Handling
import Projecting
import Quarantining
import ServiceLifecycle
import SwiftProtobuf
import Testing

@testable import OrdersDomain

@Suite("Notifications of orders", .timeLimit(.minutes(10)))
struct OrdersNotifyTests {
    private static let orders = 1200
    private static let stages: [OrdersStatus] = [.received, .assigned, .assigned, .pickedUp, .delivered]

    /// The events of one order, each with its partition.
    private func life(_ n: Int, among partitions: Int = 4) -> [(TopicPartition, NewRecord)] {
        Self.stages.enumerated().map { i, status in
            let event = OrdersEvent.OneOf_Kind.orderStatusChanged(
                .with {
                    ($0.order, $0.customer, $0.status) = ("o\(n)", "customer\(n % 100)", status)
                    $0.courier = i == 0 ? "" : "courier\(i % 2)"
                    $0.expectedAt = (noon + .seconds(2700)).proto
                })
            let key = Bytes("o\(n)")
            let time = noon + .seconds(n + 60 * i)
            return (
                TopicPartition("orders.events", Partitioner.partition(of: key, among: partitions)),
                NewRecord(key: key, value: OrdersEvent.bytes(event), timestamp: time)
            )
        }
    }

    @Test(arguments: Carrier.logs)
    func `are one for each stage, also where the reactor is cut off in the middle`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            var appends: [TopicPartition: [NewRecord]] = [:]
            for n in 0..<Self.orders { for (place, record) in life(n) { appends[place, default: []].append(record) } }
            _ = try await site.log.append(appends.sorted { $0.key < $1.key }.map { Append($0.key, $0.value) })
            let total = Self.orders * Self.stages.count
            let outbox = try #require(Domain.orders.projections.first { $0.name == "orders.outbox" })
            let table = NotificationOutbox.notifications
            func told() async throws -> Int {
                let asOf = try await site.views.read(outbox) { _, asOf in asOf }
                return asOf.values.reduce(0) { $0 + Int($1.rawValue) }
            }
            func notify(_ name: String) -> any Service {
                site.reactor(of: Domain.orders.reactions[0], name)
            }
            let rows = try await running(site.projector(of: outbox)) {
                var seen = 0
                for cut in 1...3 where seen < total {
                    try await cutting(notify("cut \(cut)")) {
                        try await site.views.bell.until("more notifications") { try await told() > seen }
                        seen = try await told()
                    }
                }
                return try await running(notify("last")) {
                    try await site.views.bell.until("all notifications") { try await told() >= total }
                    return try await site.views.read(outbox) { reader, _ in try reader.rows(Scan(table, limit: .max)) }
                }
            }
            #expect(rows.count == total)
            let expected = (0..<Self.orders).flatMap { n in
                ["received", "assigned", "assigned:2", "picked_up", "delivered"].map { "o\(n):\($0)" }
            }
            #expect(rows.compactMap { $0[4].text }.sorted() == expected.sorted())
            let records = try await site.records("orders.notifications")
            #expect(records.values.map(\.count).reduce(0, +) == total)
            for (place, records) in records {
                for record in records { #expect(Partitioner.partition(of: record.key, among: 4) == place.partition) }
            }
        }
    }

    @Test(arguments: Carrier.keepingLogs)
    func `go on from a checkpoint without folding anything, and count on`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            /// Couriers come and go: each is told with a number of its own.
            func assign(_ offset: Int) async throws {
                for n in 0..<40 {
                    let (place, record) = life(n)[1]
                    _ = try await site.log.append([Append(place, offset == 0 ? [life(n)[0].1, record] : [record])])
                }
            }
            for round in 0..<4 {
                try await assign(round)
                let notify = site.reactor(of: Domain.orders.reactions[0], "round \(round)")
                try await running(notify) { try await site.read("orders.notifications", 80 + 40 * round) }
                #expect(site.journal.folded(by: "round \(round)") == 0)
            }
            let told = try await site.records("orders.notifications").values.joined().map {
                try OrdersOutbox.kind(in: $0.value)
            }
            let ids = told.compactMap { kind in if case .notificationSent(let sent)? = kind { sent.id } else { nil } }
            let expected = (0..<40).flatMap { n in
                ["received", "assigned", "assigned:2", "assigned:3", "assigned:4"].map { "o\(n):\($0)" }
            }
            #expect(ids.sorted() == expected.sorted())
        }
    }

    @Test(arguments: [true, false])
    func `count on where many partitions are restored at once`(withCheckpoints: Bool) async throws {
        let (orders, partitions) = (200, 24)
        let log = MemoryLog()
        try log.create(
            Domain.orders.topics.map { topic in
                var topic = topic
                topic.partitions = partitions
                return topic
            } + [QuarantineLog.topic])
        var site = Site(log: log, views: WatchedViews(MemoryViews()))
        if !withCheckpoints { site.keeping = nil }
        for (name, stages) in [("first", 0..<2), ("second", 2..<Self.stages.count)] {
            for n in 0..<orders {
                for (place, record) in life(n, among: partitions)[stages] {
                    _ = try log.append([Append(place, [record])])
                }
            }
            try await running(site.reactor(of: Domain.orders.reactions[0], name)) {
                try await site.read("orders.notifications", orders * stages.upperBound)
            }
        }
        #expect(site.journal.taken(by: "second") == partitions)
        #expect(site.journal.folded(by: "second") == (withCheckpoints ? 0 : 2 * orders))
        let told = try await site.records("orders.notifications").values.joined().map {
            try OrdersOutbox.kind(in: $0.value)
        }
        let ids = told.compactMap { kind in if case .notificationSent(let sent)? = kind { sent.id } else { nil } }
        let expected = (0..<orders).flatMap { n in
            ["received", "assigned", "assigned:2", "picked_up", "delivered"].map { "o\(n):\($0)" }
        }
        #expect(ids.sorted() == expected.sorted())
    }
}
