import Domains
import EventLog
import EventModel
import LocalLog
import Synchronization
import TestSupport
import Testing

@testable import HitsDomain
@testable import MillraceApp
@testable import MillraceBus

@Suite("Events of a program", .timeLimit(.minutes(10)))
struct WrittenKindsTests {
    /// Answers how many partitions there are, and counts how often it was asked.
    private struct CountingLog: WrappedLog {
        let log: any EventLog
        let asked = Asked()
        final class Asked: Sendable {
            private let count = Mutex(0)
            var times: Int { count.withLock { $0 } }
            func add() { count.withLock { $0 += 1 } }
        }

        func partitionCounts() async throws -> [String: Int] {
            asked.add()
            return try await log.partitionCounts()
        }
    }

    @Test func `the log is asked once for a topic's partitions, and again for another`() async throws {
        try await withScratchFolder { folder in
            try await LocalLog.open(directory: folder).closed { local in
                try await local.create([
                    Topic("a", partitions: 3, key: "k", schema: "s", owner: "o"),
                    Topic("b", partitions: 5, key: "k", schema: "s", owner: "o"),
                ])
                let (log, written) = (CountingLog(log: local), WrittenKinds())
                for _ in 0..<10 { #expect(try await written.partitions(of: "a", on: log) == 3) }
                #expect(log.asked.times == 1)
                #expect(try await written.partitions(of: "b", on: log) == 5)
                #expect(log.asked.times == 2)
                // One that is not there may come.
                await #expect(throws: LogError.self) { try await written.partitions(of: "c", on: log) }
                await #expect(throws: LogError.self) { try await written.partitions(of: "c", on: log) }
                #expect(log.asked.times == 4)
            }
        }
    }

    @Test func `an event is found by its message, and one of no domain is refused each time`() throws {
        let (written, catalogue) = (WrittenKinds(), Catalogue(domains: Domains.all))
        for _ in 0..<2 { #expect(try written.kind(of: HitsHit.self, in: catalogue).topic == "hits.events") }
        for _ in 0..<2 {
            #expect(throws: UnknownName.self) {
                _ = try WrittenKinds().kind(of: HitsHit.self, in: Catalogue(domains: []))
            }
        }
    }
}
