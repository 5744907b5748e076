import EventLog
import EventModel
import Foundation
import Handling
import Projecting
import Quarantining
import SwiftProtobuf
import TestSupport
import Testing

@testable import HitsDomain
@testable import TicketsDomain

extension Carrier {
    /// The logs whose topics can be given more partitions.
    fileprivate static let widening = [memory, kept] + (broker.map { [$0] } ?? [])
}

extension Site {
    /// Gives a topic more partitions, so many in all.
    fileprivate func widen(_ topic: String, to count: Int) async throws {
        if let log = log as? MemoryLog { log.widen(topic, to: count) }
        if let log = log as? BrokerLog { try await log.widen(topic, to: count) }
        try await eventually("\(topic) to have \(count) partitions") {
            try await log.partitionCounts()[topic] == count ? true : nil
        }
    }
}

@Suite("Partitions that are added while workers run", .timeLimit(.minutes(10)))
struct WideningTests {
    private let windows = Domain.hits.projections[0]

    @Test(arguments: Carrier.widening)
    func `are found by a projector, told, and folded like the others`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let name = Value("a")
            func hits() async throws -> Int64 {
                try await site.views.read(windows) { reader, _ in
                    try reader.sums([3], over: Scan(HitWindows.seconds, equal: [name]))[0]
                }
            }
            try await site.hit([("a", "v")])
            try await running(site.projector(of: windows)) {
                try await site.folded(windows)
                #expect(try await hits() == 1)
                try await site.widen("hits.events", to: 12)
                for partition in [0, 8, 11] { try await site.hit([("a", "w")], partition: Partition(partition)) }
                try await site.views.bell.until("all hits to be folded") { try await hits() == 4 }
                let told = site.journal.all.filter { $0.contains("hits.events has 12 partitions now, and had 8") }
                #expect(told.count == 1, "\(site.journal.all)")
            }
            // Whoever comes later has them all, and nothing to tell.
            try await running(site.projector(of: windows)) {
                try await site.hit([("a", "x")], partition: 10)
                try await site.views.bell.until("the last hit to be folded") { try await hits() == 5 }
            }
            #expect(site.journal.all.count { $0.contains("partitions now") } == 1)
        }
    }

    /// What a handler says when it stops.
    private func stopping(_ site: Site, _ change: () async throws -> Void) async throws -> LogError? {
        var handler = Handler(.tickets, log: site.log, clock: { noon }, logger: site.journal.logger("handler"))!
        (handler.quarantine, handler.book) = (site.quarantine, TopicBook(site.log, clock: { noon }))
        let taken = site.journal.taken(by: "handler")
        let worker = handler
        async let end: LogError? = { () async -> LogError? in
            do {
                try await worker.run()
                return nil
            } catch {
                return error as? LogError
            }
        }()
        try await eventually("its partitions") { site.journal.taken(by: "handler") >= taken + 4 ? true : nil }
        try await change()
        return await end
    }

    @Test(
        arguments: Carrier.widening,
        [["tickets.commands"], ["tickets.commands", "tickets.events", "tickets.outcomes"]])
    func `to commands stop their handler while it works`(on carrier: Carrier, _ topics: [String]) async throws {
        try await site(carrier) { site in
            try await site.log.create([TopicBook.topic])
            let error = try await stopping(site) {
                for topic in topics.reversed() { try await site.widen(topic, to: 8) }
            }
            #expect(error?.kind == .mismatch, "\(String(describing: error))")
            #expect(error?.message.contains("tickets.commands") ?? false, "\(String(describing: error))")
        }
    }

    @Test func `to a topic are known to who writes it by key, and to who follows it`() async throws {
        let log = MemoryLog()
        try log.create([Topic("t", partitions: 2, key: "k", schema: "s", owner: "o")])
        var spread = PartitionCount(of: "t", on: log, 2, pause: .zero)
        var lazy = PartitionCount(of: "t", on: log, 2)
        var fixed = PartitionCount(of: "t", on: log, 2, isFixed: true, pause: .zero)
        let places = (0..<5).map { TopicPartition("t", Partition($0)) }
        var growth = Growth(of: ["t"], on: log, from: [places[0]: 3, places[1]: 0], pause: .zero)
        #expect(try await growth.look() == nil)
        log.widen("t", to: 4)
        #expect(try await spread.now() == 4)
        #expect(try await lazy.now() == 2)
        #expect(try await fixed.now() == 2)
        growth.advance(past: Batch(source: places[0], records: [], next: 7))
        #expect(try await growth.look() == [places[0]: 7, places[1]: 0, places[2]: 0, places[3]: 0])
        #expect(try await growth.look() == nil)
        log.widen("t", to: 5)
        #expect(try await growth.look()?.count == 5)
        // Nothing is taken away.
        log.widen("t", to: 3)
        #expect(try await spread.now() == 5)
    }
}
