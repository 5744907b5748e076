import EventLog
import EventModel
import Handling
import Synchronization
import TestSupport
import Testing

@testable import TicketsDomain

/// A log that counts how often somebody begins to read outcomes.
private struct CountingLog: WrappedLog {
    final class Count: Sendable {
        let reads = Mutex(0)
        var value: Int { reads.withLock { $0 } }
    }
    let log: any EventLog
    let count = Count()
    func reader(from positions: [TopicPartition: Offset]) async throws -> any LogReader {
        if positions.keys.contains(where: { $0.topic == "tickets.outcomes" }) { count.reads.withLock { $0 += 1 } }
        return try await log.reader(from: positions)
    }
}

@Suite("Commands that are sent again", .timeLimit(.minutes(10)))
struct SentAgainTests {
    /// On a broker each read is a client of its own, and the partition's other commands wait for it.
    @Test(arguments: Carrier.logs)
    func `have their outcomes, which are read together`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let log = CountingLog(log: site.log)
            try await running(site.handler(on: log)) {
                try await site.talk { client async throws in
                    let opened = try await client.ask(site.command(.open(.named("s", seats: 60)), id: "open"))
                    #expect(opened.accepted)
                    let holds = (1...50).map { site.command(.hold("h\($0)", by: "ann", "A-\($0)"), id: "c\($0)") }
                    let first = try await client.send(holds, to: .tickets, within: .seconds(300))
                    let before = log.count.value
                    let again = try await client.send(holds, to: .tickets, within: .seconds(300))
                    #expect(again.map(\.id) == holds.map(\.id) && again.map(\.events) == first.map(\.events))
                    let reads = log.count.value - before
                    #expect(reads > 0 && reads < 25, "\(reads)")
                }
            }
        }
    }
}
