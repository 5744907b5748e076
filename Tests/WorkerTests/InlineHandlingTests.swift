import EventLog
import EventModel
import LocalLog
import Projecting
import Quarantining
import Testing

@testable import Handling
@testable import TicketsDomain

/// Commands that a handler decides within the commits that bring them.
@Suite("Commands decided within a commit", .timeLimit(.minutes(10)))
struct InlineHandlingTests {
    /// Appends a command; says whether its outcome is on the log when the append is done.
    private func isDecided(_ number: Int, on site: Site) async throws -> Bool {
        let open = site.command(.open(.named("s", seats: 2), event: "e\(number)"), id: "\(number)")
        let count = try #require(try await site.log.partitionCounts()[Domain.tickets.commandsTopic])
        let append = Append.byKey([open.record(now: site.clock.now)], to: Domain.tickets.commandsTopic, among: count)
        let outcomes = TopicPartition(Domain.tickets.outcomesTopic, append[0].target.partition)
        let before = try await site.log.bounds(of: [outcomes])[outcomes]?.upperBound
        _ = try await site.log.append(append)
        return try await site.log.bounds(of: [outcomes])[outcomes]?.upperBound != before
    }

    @Test(arguments: [nil, Checkpointing(), Checkpointing.hasty])
    func `are answered when their append is done, each once`(_ keeping: Checkpointing?) async throws {
        try await site(.local) { site in
            var site = site
            site.keeping = keeping
            try await running(site.handler()) {
                let deadline = ContinuousClock.now + .seconds(300)
                var sent = 0
                while try await !isDecided(sent, on: site) {
                    sent += 1
                    try #require(.now < deadline, "no command was decided within its commit")
                    try await Task.sleep(for: .milliseconds(1))
                }
                var decided = 0
                for number in sent + 1...sent + 100 where try await isDecided(number, on: site) { decided += 1 }
                // Where checkpoints begin all the time, their task is wanted as often.
                #expect(decided >= (keeping?.records == Checkpointing.hasty.records ? 1 : 50), "\(decided) of 100")
                let all = sent + 101
                try await site.read(Domain.tickets.outcomesTopic, all)
                #expect(try await site.facts().count == all)
                #expect(try await site.records(Domain.tickets.outcomesTopic).values.reduce(0) { $0 + $1.count } == all)
            }
        }
    }

    @Test func `are delivered first for a while after a worker died`() async throws {
        try await site(.local) { site in
            var site = site
            let store = ViewCrashRecords(site.views)
            site.crashRecords = store
            let count = try #require(try await site.log.partitionCounts()[Domain.tickets.commandsTopic])
            var left = CrashRecord()
            left.begin(at: 0, end: 0, batch: Handler.batch, notesIdle: true)
            #expect(left.isOpen)
            let partitions = (0..<count).map { TopicPartition(Domain.tickets.commandsTopic, Partition($0)) }
            try await store.keep(
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, left) }),
                of: Handler.group(of: .tickets))
            let start = ContinuousClock.now
            try await running(site.handler()) {
                var (sent, early) = (0, 0)
                while ContinuousClock.now - start < PartitionWorker<HandlerStep>.caution * 0.8 {
                    if try await isDecided(sent, on: site) { early += 1 }
                    sent += 1
                    try await site.read(Domain.tickets.outcomesTopic, sent)
                }
                // One whose task was as fast as the look at the log.
                #expect(sent > 5 && early * 2 < sent, "\(early) of \(sent)")
            }
        }
    }
}
