import EventLog
import EventModel
import Handling
import Projecting
import Quarantining
import ServiceLifecycle
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import Handling
@testable import HitsDomain
@testable import TicketsDomain

/// Tries in memory, as if workers had died.
private final class Deaths: CrashRecordStore {
    let all = Mutex<[String: [TopicPartition: CrashRecord]]>([:])
    func crashRecords(of worker: String, _ sources: [TopicPartition]) -> [TopicPartition: CrashRecord] {
        all.withLock { ($0[worker] ?? [:]).filter { sources.contains($0.key) } }
    }
    func keep(_ records: [TopicPartition: CrashRecord], of worker: String) {
        all.withLock { $0[worker, default: [:]].merge(records) { $1 } }
    }

    /// As it stands once workers have died of the record at an offset until the next one gives it up.
    func kill(_ worker: String, _ source: TopicPartition, at offset: Offset) {
        var tries = CrashRecord()
        for _ in 0..<3 { tries.begin(at: offset, end: offset + 1, batch: 100) }
        for _ in 1..<CrashRecord.maxCrashes {
            tries.take(offset)
            tries.begin(at: offset, end: offset + 1, batch: 100)
        }
        // Whoever begins next finds it in hand once more.
        tries.take(offset)
        keep([source: tries], of: worker)
    }
}

@Suite("A handler's and a reactor's quarantine", .timeLimit(.minutes(10)))
struct ParkingTests {
    /// Two sections of tickets in one partition, and that partition.
    private func neighbours() -> (String, String, Partition) {
        let topic = Domain.tickets.topics[0]
        let names = (1...100).map { "n\($0)" }.filter { topic.partition(of: Bytes("\($0):s")) == 0 }
        return (names[0], names[1], 0)
    }

    private func hold(_ event: String, _ seat: String, _ site: Site) -> EncodedCommand {
        let order = Order.holdSeats(
            .with {
                ($0.event, $0.section, $0.holder, $0.seats) = (event, "s", "ann", [seat])
                $0.hold = "\(event)-\(seat)"
            })
        return site.command(order, id: "hold-\(event)-\(seat)")
    }

    private func append(_ commands: [EncodedCommand], _ partition: Partition, _ site: Site) async throws {
        let records = commands.map { $0.record(now: site.clock.now) }
        _ = try await site.log.append([Append(TopicPartition("tickets.commands", partition), records)])
    }

    /// Accepted outcomes by id.
    private func outcomes(_ site: Site) async throws -> [String: Bool] {
        let records = try await site.records("tickets.outcomes").values.flatMap { $0 }
        return Dictionary(try records.map { try Outcome($0.value) }.map { ($0.id, $0.accepted) }) { a, _ in a }
    }

    private func answered(_ ids: Int, _ site: Site) async throws -> [String: Bool] {
        try await eventually("\(ids) outcomes") {
            let outcomes = try await outcomes(site)
            return outcomes.count >= ids ? outcomes : nil
        }
    }

    @Test(arguments: Carrier.all)
    func `commands of a key whose events cannot be folded wait, and are decided once that is settled`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            let (one, two, partition) = neighbours()
            let (events, commands) = (
                TopicPartition("tickets.events", partition), TopicPartition("tickets.commands", partition)
            )
            try await running(site.handler()) {
                try await append(
                    [one, two].map { site.command(.open(.named("s", seats: 3), event: $0), id: "open-\($0)") },
                    partition, site)
                _ = try await answered(2, site)
            }
            let bad = try await site.garbage(Bytes("\(one):s"), in: events)
            try await running(site.handler("second")) {
                try await append([hold(one, "A-1", site), hold(two, "A-1", site)], partition, site)
                try await append([hold(one, "A-2", site), hold(two, "A-2", site)], partition, site)
                let done = try await answered(4, site)
                #expect(done["hold-\(two)-A-1"] == true && done["hold-\(two)-A-2"] == true)
                #expect(done["hold-\(one)-A-1"] == nil && done["hold-\(one)-A-2"] == nil)
                let folded = try await site.waiting("tickets.handler", events)
                #expect(folded.parked.map(\.offset) == [bad] && folded.parked[0].reason.contains("millrace.tickets"))
                #expect(try await site.waiting("tickets.handler", commands).count == 2)
                let vain = try await site.redrive("tickets.handler", events, Bytes("\(one):s"))
                #expect((vain.redriven, vain.left) == (0, 3) && vain.reason.contains("millrace.tickets"), "\(vain)")
            }
            // Who comes later knows, from the topic.
            try await running(site.handler("third")) {
                try await append([hold(one, "A-3", site)], partition, site)
                try await eventually("it to wait") {
                    try await site.waiting("tickets.handler", commands).count == 3 ? () : nil
                }
                let end = try await site.redrive("tickets.handler", events, Bytes("\(one):s"), drop: 1)
                #expect((end.redriven, end.dropped, end.left) == (3, 1, 0), "\(end)")
                let done = try await answered(7, site)
                #expect(["A-1", "A-2", "A-3"].allSatisfy { done["hold-\(one)-\($0)"] == true }, "\(done)")
            }
            // What was dropped stays dropped, and nothing is decided twice.
            try await running(site.handler("fourth")) {
                try await append([hold(one, "A-1", site), hold(two, "A-3", site)], partition, site)
                _ = try await answered(8, site)
            }
            let again = try await DecisionAudit(partition, of: .tickets, Domain.tickets.decider!, on: site.log)
            #expect(again.problem == nil && again.commands == 9, "\(again)")
            let facts = try await site.log.bounds(of: [events])[events]
            #expect(facts?.upperBound == 9, "two openings, the garbage, six holds")
        }
    }

    @Test(arguments: Carrier.keeping)
    func `what was folded late is in the state of whoever starts from an older checkpoint`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            let (one, _, partition) = neighbours()
            let events = TopicPartition("tickets.events", partition)
            let hasty = site.keeping
            try await running(site.handler()) {
                try await append([site.command(.open(.named("s", seats: 2), event: one), id: "open")], partition, site)
                try await append([hold(one, "A-1", site)], partition, site)
                _ = try await answered(2, site)
            }
            // Somebody thought that the hold could not be folded: a checkpoint is written without it.
            try await site.quarantine.append([
                .parked(
                    worker: "tickets.handler", events,
                    Quarantine.Parked(
                        offset: 1, key: Bytes("\(one):s"), reason: "test", attempts: 1, timestamp: noon))
            ])
            try await site.views.discard(CheckpointTests.rows.kept)
            try await running(site.handler("second")) {
                try await eventually("it to be taken") {
                    site.journal.taken(by: "second") > 0 ? () : nil
                }
            }
            // Now it is folded, but whoever did that dies before the next checkpoint.
            var idle = site
            idle.keeping = hasty.map { keeping in
                var keeping = keeping
                (keeping.records, keeping.pause) = (1_000_000, .seconds(3600))
                return keeping
            }
            let end = Mutex<RedriveResult?>(nil)
            let worker = idle.handler("third")
            try await cutting(worker) {
                let ended = try await site.redrive("tickets.handler", events, Bytes("\(one):s"))
                end.withLock { $0 = ended }
            }
            #expect(end.withLock { $0?.redriven } == 1)
            try await running(site.handler("fourth")) {
                try await append(
                    [
                        site.command(
                            .holdSeats(
                                .with {
                                    ($0.event, $0.section, $0.holder, $0.seats) = (one, "s", "bob", ["A-1"])
                                    $0.hold = "bob's"
                                }), id: "again")
                    ], partition, site)
                let done = try await eventually("the answer") { try await outcomes(site)["again"] }
                #expect(!done, "the seat is ann's")
            }
        }
    }

    @Test(arguments: Carrier.all)
    func `a command that workers die of waits, and is decided when it is asked for`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            var site = site
            let deaths = Deaths()
            site.crashRecords = deaths
            let (one, two, partition) = neighbours()
            let commands = TopicPartition("tickets.commands", partition)
            try await append(
                [one, two].map { site.command(.open(.named("s", seats: 3), event: $0), id: "open-\($0)") }, partition,
                site)
            try await running(site.handler()) { _ = try await answered(2, site) }
            try await append([hold(one, "A-1", site), hold(one, "A-2", site), hold(two, "A-1", site)], partition, site)
            deaths.kill("tickets.handler", commands, at: 2)
            try await running(site.handler("second")) {
                let done = try await answered(3, site)
                #expect(done["hold-\(two)-A-1"] == true)
                let waiting = try await site.waiting("tickets.handler", commands)
                #expect(waiting.parked.map(\.offset) == [2, 3] && waiting[2]?.reason.contains("died") ?? false)
                let end = try await site.redrive("tickets.handler", commands, Bytes("\(one):s"))
                #expect((end.redriven, end.left) == (2, 0))
                let all = try await answered(5, site)
                #expect(all["hold-\(one)-A-1"] == true && all["hold-\(one)-A-2"] == true)
            }
        }
    }

    @Test(arguments: Carrier.all)
    func `an event that cannot be reacted to stops its key, for as long as it is not dropped`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            let reaction = Domain.tickets.reactions[0]
            let source = TopicPartition(reaction.topics[0], 0)
            let topic = Domain.tickets.topics[1]
            let names = (1...100).map { "n\($0)" }.filter { topic.partition(of: Bytes($0)) == 0 }
            func list(_ name: String) -> NewRecord {
                let fact = Fact.eventListed(
                    .with {
                        ($0.event, $0.title) = (name, "Tosca")
                        $0.sections = [.named("s", seats: 2)]
                    })
                return NewRecord(key: Bytes(Tickets.key(of: fact)), value: TicketsEvent.bytes(fact), timestamp: noon)
            }
            let key = list(names[0]).key
            _ = try await site.log.append([Append(source, [list(names[1])])])
            let bad = try await site.garbage(key, in: source)
            _ = try await site.log.append([Append(source, [list(names[0]), list(names[2])])])
            try await running(site.reactor(of: reaction)) {
                try await eventually("the others to be reacted to") {
                    try await site.records("tickets.commands").values.reduce(0) { $0 + $1.count } == 2 ? () : nil
                }
                let waiting = try await site.waiting(reaction.name, source)
                #expect(waiting.parked.map(\.offset) == [bad, bad + 1])
            }
            try await running(site.reactor(of: reaction)) {
                let vain = try await site.redrive(reaction.name, source, key)
                #expect(vain.left == 2 && !vain.reason.isEmpty)
                let end = try await site.redrive(reaction.name, source, key, drop: 1)
                #expect((end.redriven, end.dropped, end.left) == (1, 1, 0))
                #expect(try await site.records("tickets.commands").values.reduce(0) { $0 + $1.count } == 3)
            }
        }
    }

    @Test(arguments: Carrier.all)
    func `a request that a worker did not finish is not tried by the next`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let source = TopicPartition("hits.events", 0)
            _ = try await site.garbage("a", in: source)
            let windows = Domain.hits.projections[0]
            try await running(site.projector(of: windows)) { try await site.folded(windows) }
            try await site.quarantine.append([
                .asked(RedriveRequest(id: "ask", worker: "hits.windows", source: source, key: "a", drop: 1)),
                .begun(id: "ask"),
            ])
            try await running(site.projector(of: windows)) {
                let end = try await eventually("an answer") { try await site.quarantine.read().ended["ask"] }
                #expect(end.redriven == 0 && end.dropped == 0 && end.reason.contains("ask again"))
                #expect(try await site.waiting("hits.windows", source).count == 1)
            }
        }
    }
}
