import EventLog
import EventModel
import Handling
import Kafka
import Projecting
import ServiceLifecycle
import SwiftProtobuf
import Testing

@testable import HitsDomain
@testable import Quarantining
@testable import TicketsDomain

@Suite("What retention took before a worker came to it", .serialized, .timeLimit(.minutes(10)))
struct MissingTests {
    private static let windows = Domain.hits.projections[0]
    private static let place = TopicPartition("hits.events", 0)

    private func hits(_ seconds: Range<Int>, visitor: String = "v") -> Append {
        let records = seconds.map { second in
            let hit = HitsEvent.OneOf_Kind.hit(.with { ($0.site, $0.visitor) = ("www", visitor) })
            return NewRecord(key: Bytes("www"), value: HitsEvent.bytes(hit), timestamp: noon + .seconds(second))
        }
        return Append(Self.place, records)
    }

    /// A text that no compression makes much smaller.
    private static func dense(_ seed: Int, _ count: Int) -> String {
        var random = SeededRandom(UInt64(seed))
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        return String(
            decoding: (0..<count).map { _ in letters[Int(random.next() % UInt64(letters.count))] }, as: UTF8.self)
    }

    /// Drops all that a topic has.
    private func drop(_ name: String, of domain: Domain, _ site: Site) async throws {
        let log = try #require(site.log as? any Maintained)
        var topic = try #require(domain.topics.first { $0.name == name })
        let kept = topic
        topic.retention = .seconds(1)
        try await log.configure([topic])
        try await log.maintain(at: Timestamp.calendar.upperBound)
        try await log.configure([kept])
    }

    private func missed(by worker: String, _ site: Site) async throws -> [TopicPartition: [Range<Offset>]] {
        (try await QuarantineLog.state(of: site.log).missed[worker] ?? [:]).mapValues { Array($0.ranges) }
    }

    @Test(arguments: [Carrier.memory, .local])
    func `is told by a projector with topic, partition and count, and kept for who asks later`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            _ = try await site.log.append([hits(0..<3)])
            try await running(site.projector(of: Self.windows)) { try await site.folded(Self.windows) }
            #expect(try await missed(by: "hits.windows", site) == [:])
            _ = try await site.log.append([hits(3..<10)])
            try await drop("hits.events", of: .hits, site)
            _ = try await site.log.append([hits(10..<12)])
            for _ in 0..<2 {
                try await running(site.projector(of: Self.windows)) { try await site.folded(Self.windows) }
            }
            let said = site.journal.all.filter { $0.contains("has missed") }
            #expect(said.count == 1, "\(said)")
            #expect(
                said.first?.contains(
                    "hits.windows has missed 7 records of hits.events/0: it goes on at 10, and those from 3 on are past their retention"
                ) == true, "\(said)")
            #expect(try await missed(by: "hits.windows", site) == [Self.place: [3..<10]])
        }
    }

    @Test(arguments: [Carrier.memory, .local])
    func `is told by a handler of commands and by a reactor of events, which go on with the next`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            func open(_ event: String) -> EncodedCommand { site.command(.open(.named("s", seats: 4)), id: event) }
            try await running(site.handler(), site.reactor) {
                _ = try await site.talk { client in
                    try await client.send([open("a")], to: .tickets, within: .seconds(300))
                }
                try await site.bell(until: "tickets.events", is: 1, for: "tickets.open-sections")
            }
            // While none of them runs, one more comes, and all are dropped.
            let commands = TopicPartition("tickets.commands", Domain.tickets.topics[0].partition(of: open("b").key))
            let events = TopicPartition("tickets.events", commands.partition)
            _ = try await site.log.append([Append(commands, [open("b").record(now: noon)])])
            let opened = try await site.records("tickets.events")[events] ?? []
            let again = opened.map { NewRecord(key: $0.key, value: $0.value, timestamp: $0.timestamp) }
            _ = try await site.log.append([Append(events, again + again)])
            try await drop("tickets.commands", of: .tickets, site)
            try await running(site.handler()) {
                let outcome = try await site.talk { client in
                    try await client.send([open("c")], to: .tickets, within: .seconds(300))
                }
                #expect(outcome.first?.events == [], "the section is open already")
            }
            try await drop("tickets.events", of: .tickets, site)
            try await running(site.reactor) {
                try await site.journal.bell.until("the reactor said so") {
                    site.journal.all.contains { $0.contains("tickets.open-sections has missed 2 records of \(events)") }
                }
            }
            #expect(
                site.journal.all.contains {
                    $0.contains("tickets.handler has missed 1 records of \(commands): it goes on at 2")
                        && $0.contains("these commands are never decided")
                }, "\(site.journal.all)")
            #expect(try await missed(by: "tickets.handler", site) == [commands: [1..<2]])
            #expect(try await missed(by: "tickets.open-sections", site)[events] == [1..<3])
        }
    }

    @Test(arguments: Carrier.kafkas)
    func `is told on Kafka too`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            _ = try await site.log.append([hits(0..<3)])
            try await running(site.projector(of: Self.windows)) { try await site.folded(Self.windows) }
            if let broker = site.log as? BrokerLog {
                _ = try await site.log.append([hits(3..<20)])
                try await broker.deleteRecords(before: [Self.place: 10])
            } else {
                // The mock cluster keeps 5 MiB of a partition.
                for second in 3..<20 {
                    _ = try await site.log.append([
                        hits(second..<(second + 1), visitor: Self.dense(second, 500_000))
                    ])
                }
            }
            let bounds = try #require(try await site.log.bounds(of: [Self.place])[Self.place])
            try #require(bounds.lowerBound > 3 && bounds.lowerBound < bounds.upperBound, "\(bounds)")
            try await running(site.projector(of: Self.windows)) { try await site.folded(Self.windows) }
            let count = bounds.lowerBound - 3
            #expect(
                site.journal.all.contains {
                    $0.contains("hits.windows has missed up to \(count) records of hits.events/0")
                }, "\(site.journal.all)")
            #expect(try await missed(by: "hits.windows", site) == [Self.place: [3..<bounds.lowerBound]])
            let asOf = try await site.views.read(Self.windows) { _, asOf in asOf }
            #expect(asOf[Self.place] == bounds.upperBound)
        }
    }

    @Test func `is noticed while a worker reads, where records are gone from under it`() async throws {
        try await site(.memory) { site in
            _ = try await site.log.append([hits(0..<10)])
            try await drop("hits.events", of: .hits, site)
            _ = try await site.log.append([hits(10..<12)])
            let missing = Missing(
                of: "hits.windows", "so be it", log: site.log, quarantine: site.quarantine,
                logger: site.journal.logger("w"))
            func batch(_ offsets: Range<Int64>) -> Batch {
                let records = offsets.map { Record(offset: Offset($0), timestamp: noon, key: Bytes(), value: Bytes()) }
                return Batch(source: Self.place, records: records, next: Offset(offsets.upperBound))
            }
            try await missing.check([batch(10..<12)], after: [Self.place: 10])
            #expect(try await missed(by: "hits.windows", site) == [:])
            // It had come to 4, and the next that came was 10.
            try await missing.check([batch(10..<12)], after: [Self.place: 4])
            #expect(try await missed(by: "hits.windows", site) == [Self.place: [4..<10]])
            // A second time nothing is written.
            let before = try await site.records(QuarantineLog.topic.name)
            try await missing.check([batch(10..<12)], after: [Self.place: 5])
            #expect(try await site.records(QuarantineLog.topic.name) == before)
        }
    }

    @Test func `is told from the marks that transactions leave`() {
        func batch(_ offsets: [Int64], next: Int64) -> Batch {
            let records = offsets.map { Record(offset: Offset($0), timestamp: noon, key: Bytes(), value: Bytes()) }
            return Batch(source: Self.place, records: records, next: Offset(next))
        }
        let marked = batch([0, 1, 3, 5, 6], next: 8)
        #expect(marked.gaps(from: 0, of: 2) == [])
        #expect(marked.gaps(from: 0, of: 1) == [2..<3, 4..<5, 7..<8])
        #expect(batch([5, 6], next: 7).gaps(from: 0, of: 2) == [0..<5])
        #expect(batch([0, 9], next: 12).gaps(from: 0, of: 2) == [1..<9, 10..<12])
        #expect(batch([], next: 7).gaps(from: 3, of: 2) == [3..<7])
        #expect(batch([], next: 3).gaps(from: 3, of: 1) == [])
    }
}

extension Site {
    /// Waits until a group has committed so much of a topic.
    func bell(until topic: String, is count: Int64, for group: String) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while true {
            let committed = try await log.committed(group, log.partitions(of: [topic]))
            if committed.values.reduce(0, { $0 + $1.rawValue }) >= count { return }
            if .now > deadline { throw LogError(.failed, "\(group) has not come to \(count) of \(topic)") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
