import Dispatch
import Domains
import EventLog
import EventModel
import LocalLog
import Projecting
import Quarantining
import ServiceLifecycle
import SwiftProtobuf
import Synchronization
import Testing

@testable import Handling
@testable import SQLiteViews
@testable import TicketsDomain

/// Checkpoints whose writes fail for as long as a test says so, and of which it counts reads of states.
private final class Faulty: CheckpointStore {
    let store: any CheckpointStore
    let isFailing = Mutex(true)
    /// Of each read by keys, how many were asked for.
    let reads = Mutex<[Int]>([])
    init(_ store: any CheckpointStore) { self.store = store }

    func claim(_ tables: WorkerTables, _ partitions: [TopicPartition]) async throws -> any Checkpoint {
        One(checkpoint: try await store.claim(tables, partitions), faulty: self)
    }

    private struct One: Checkpoint {
        let checkpoint: any Checkpoint
        let faulty: Faulty
        var next: [TopicPartition: Offset] { checkpoint.next }
        func read<R: Sendable>(_ body: @escaping @Sendable (any ViewReader) throws -> R) async throws -> R {
            let (result, asked) = try await checkpoint.read { reader in
                let counted = Counted(reader: reader)
                return (try body(counted), counted.asked.withLock { $0 })
            }
            faulty.reads.withLock { $0 += asked }
            return result
        }
        func write(
            to offsets: [TopicPartition: Offset], _ body: @escaping @Sendable (ViewBatch) throws -> Void
        ) async throws {
            if faulty.isFailing.withLock({ $0 }) { throw ViewError(.full, "no room is left") }
            try await checkpoint.write(to: offsets, body)
        }
    }
}

/// Checkpoints whose writes end only when they are given up; or, where the store is stubborn, not before somebody lets them.
private final class Endless: CheckpointStore {
    let store: any CheckpointStore
    let isStubborn: Bool
    let begun = Atomic(0)
    let leave = Signal()
    private let isLeft = Atomic(false)
    init(_ store: any CheckpointStore, isStubborn: Bool) { (self.store, self.isStubborn) = (store, isStubborn) }

    func letGo() {
        isLeft.store(true, ordering: .releasing)
        leave.notify()
    }

    func claim(_ tables: WorkerTables, _ partitions: [TopicPartition]) async throws -> any Checkpoint {
        One(checkpoint: try await store.claim(tables, partitions), endless: self)
    }

    private struct One: Checkpoint {
        let checkpoint: any Checkpoint
        let endless: Endless
        var next: [TopicPartition: Offset] { checkpoint.next }
        func read<R: Sendable>(_ body: @escaping @Sendable (any ViewReader) throws -> R) async throws -> R {
            try await checkpoint.read(body)
        }
        func write(
            to offsets: [TopicPartition: Offset], _ body: @escaping @Sendable (ViewBatch) throws -> Void
        ) async throws {
            endless.begun.add(1, ordering: .relaxed)
            if !endless.isStubborn {
                try await Task.sleep(for: .seconds(3600))
            } else {
                // A task of its own is not cancelled with this one.
                await Task { [endless] in
                    _ = await endless.leave.first(within: .seconds(3600)) {
                        endless.isLeft.load(ordering: .acquiring) ? true : nil
                    }
                }.value
                throw ViewError(.failed, "let go")
            }
        }
    }
}

/// A reader that notes how many keys of handlers' states it is asked for.
private struct Counted: ViewReader {
    final class Asked: Sendable {
        private let counts = Mutex<[Int]>([])
        func withLock<R>(_ body: (inout [Int]) -> sending R) -> sending R { counts.withLock(body) }
    }
    let reader: any ViewReader
    let asked = Asked()

    func rows(_ scan: Scan) throws -> [Row] { try reader.rows(scan) }
    func rows(_ table: Table, keys: [Row]) throws -> [Row] {
        if table.name == CheckpointTests.rows.states.name { asked.withLock { $0.append(keys.count) } }
        return try reader.rows(table, keys: keys)
    }
    func sums(_ columns: [Int], over scan: Scan) throws -> [Int64] { try reader.sums(columns, over: scan) }
}

/// A commit that stands still, on the store's own thread, until it is told to go on.
private final class Frozen: Sendable {
    private let gate = DispatchSemaphore(value: 0)
    private let begun = Signal()
    private let isStanding = Atomic(false)

    func stand() {
        isStanding.store(true, ordering: .releasing)
        begun.notify()
        gate.wait()
    }
    func hasBegun() async {
        _ = await begun.first(within: .seconds(300)) { isStanding.load(ordering: .acquiring) ? true : nil }
    }
    func goOn() { gate.signal() }
}

@Suite("Checkpoints that fail or do not fit", .timeLimit(.minutes(10)))
struct CheckpointFaultTests {
    private func openAndHold(_ events: ClosedRange<Int>, _ site: Site, _ client: CommandClient) async throws {
        for commands in [
            events.map { site.command(.open(.named("s", seats: 2), event: "e\($0)"), id: "open-\($0)") },
            events.map { site.command(Self.hold("h", $0), id: "hold-\($0)") },
        ] {
            let outcomes = try await client.send(commands, to: .tickets, within: .seconds(300))
            #expect(outcomes.allSatisfy { $0.accepted })
        }
    }

    private static func hold(_ hold: String, _ event: Int) -> Order {
        .holdSeats(
            .with { ($0.event, $0.section, $0.hold, $0.holder, $0.seats) = ("e\(event)", "s", hold, "ann", ["A-1"]) })
    }

    /// What those are told who want a seat that is held.
    private func isKnown(_ events: ClosedRange<Int>, _ site: Site, _ id: String) async throws -> Bool {
        try await site.talk { client async throws in
            let commands = events.map { site.command(Self.hold("other", $0), id: "\(id)-\($0)") }
            return try await client.send(commands, to: .tickets, within: .seconds(300)).allSatisfy {
                $0.reason == "seat-not-free"
            }
        }
    }

    @Test(arguments: Carrier.keepingLogs)
    func `a checkpoint that cannot be written fails no decision, and the next start folds`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            let clock = site.clock
            let faulty = Faulty(ViewCheckpoints(site.views))
            func handler(_ name: String) -> any Service {
                var handler = Handler(
                    .tickets, log: site.log, clock: { clock.now }, logger: site.journal.logger(name))!
                (handler.checkpoints, handler.checkpointing) = (faulty, .hasty)
                return handler
            }
            try await running(handler("first")) {
                try await site.talk { client async throws in try await openAndHold(1...40, site, client) }
                #expect(try await isKnown(1...40, site, "a"))
                try await site.journal.bell.until("it complained") {
                    site.journal.all.contains { $0.contains("was not written") && $0.contains("no room is left") }
                }
            }
            faulty.isFailing.withLock { $0 = false }
            try await running(handler("second")) {
                let known = try await isKnown(1...40, site, "b")
                #expect(known)
            }
            #expect(site.journal.folded(by: "second") == 80 + 120, "events and outcomes")
            try await running(handler("third")) {
                let known = try await isKnown(1...40, site, "c")
                #expect(known)
            }
            #expect(site.journal.folded(by: "third") == 0)
        }
    }

    @Test func `a checkpoint that a frozen process does not let go is not waited for, and all is folded`() async throws
    {
        try await folder { folder in
            let log = try await Carrier.local.log(folder)
            try await log.create(Domains.all.flatMap(\.topics) + [QuarantineLog.topic])
            let views = try SQLiteViews(directory: folder + "/views", patience: .milliseconds(500))
            let site = Site(log: log, views: WatchedViews(views))
            try await running(site.handler("first")) {
                try await site.talk { client async throws in try await openAndHold(1...40, site, client) }
            }
            // As another process on the same machine that stands still in the middle of a commit.
            let other = try SQLiteViews(directory: folder + "/views")
            let frozen = Frozen()
            async let commit: Void = other.commit(CheckpointTests.rows.kept, to: [:], under: [:]) { _ in frozen.stand()
            }
            await frozen.hasBegun()
            try await running(site.handler("second")) {
                let known = try await isKnown(1...40, site, "b")
                #expect(known)
            }
            #expect(site.journal.all.contains { $0.contains("cannot be had") && $0.contains("does not let go") })
            #expect(site.journal.folded(by: "second") == 160, "events and outcomes")
            frozen.goOn()
            try await commit
            try await running(site.handler("third")) {
                let known = try await isKnown(1...40, site, "c")
                #expect(known)
            }
            #expect(site.journal.folded(by: "third") == 40, "the outcomes that were written without it")
            await other.close()
            await views.close()
            await log.close()
        }
    }

    @Test(arguments: Carrier.keepingLogs, [false, true])
    func `a stop leaves a checkpoint that takes too long, and the next start folds`(
        on carrier: Carrier, isStubborn: Bool
    ) async throws {
        try await site(carrier) { site in
            let clock = site.clock
            let endless = Endless(ViewCheckpoints(site.views), isStubborn: isStubborn)
            var first = Handler(.tickets, log: site.log, clock: { clock.now }, logger: site.journal.logger("first"))!
            (first.checkpoints, first.checkpointing) = (endless, Checkpointing())
            first.checkpointing.parting = .milliseconds(100)
            // It comes back, though no write of a checkpoint ever ends by itself.
            try await running(first) {
                try await site.talk { client async throws in try await openAndHold(1...40, site, client) }
            }
            #expect(endless.begun.load(ordering: .relaxed) > 0)
            #expect(site.journal.all.contains { $0.contains("takes longer than") })
            try await running(site.handler("second")) {
                let known = try await isKnown(1...40, site, "b")
                #expect(known)
            }
            #expect(site.journal.folded(by: "second") == 160, "events and outcomes")
            endless.letGo()
            #expect(try await site.facts().count == 80)
        }
    }

    @Test(arguments: Carrier.keepingLogs)
    func `the states that a delivery needs are read at once, of all partitions`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let clock = site.clock
            try await running(site.handler()) {
                try await site.talk { client async throws in try await openAndHold(1...40, site, client) }
            }
            let counting = Faulty(ViewCheckpoints(site.views))
            counting.isFailing.withLock { $0 = false }
            var handler = Handler(
                .tickets, log: site.log, clock: { clock.now }, logger: site.journal.logger("second"))!
            (handler.checkpoints, handler.checkpointing) = (counting, Checkpointing())
            // All are there when it comes, so that they are delivered together.
            let commands = (1...40).map {
                site.command(Self.hold("other", $0), id: "other-\($0)").record(now: clock.now)
            }
            _ = try await site.log.append(Append.byKey(commands, to: "tickets.commands", among: 4))
            try await running(handler) {
                let known = try await isKnown(1...40, site, "b")
                #expect(known)
            }
            let reads = counting.reads.withLock { $0 }
            #expect(reads.reduce(0, +) == 40, "each state once")
            #expect(reads.count <= 2, "of 40 states in 4 partitions: \(reads)")
        }
    }

    @Test(arguments: Carrier.keepingLogs)
    func `who finds another owner writing its checkpoint begins anew, and decides as before`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            try await running(site.handler()) {
                try await site.talk { client async throws in try await openAndHold(1...40, site, client) }
                for partition in 0..<4 {
                    let sources = CheckpointTests.topics.map { TopicPartition($0, Partition(partition)) }
                    let other = try await ViewCheckpoints(site.views).claim(CheckpointTests.rows.kept, sources)
                    try await other.write(to: [sources[0]: 0, sources[1]: 0]) { _ in }
                }
                // It learns of it when it next reads a checkpoint or has written one.
                var round = 0
                repeat {
                    round += 1
                    #expect(try await isKnown(1...40, site, "round-\(round)"))
                } while site.journal.taken(by: "handler") <= 4 && round < 1000
            }
            #expect(site.journal.taken(by: "handler") > 4)
            #expect(try await site.facts().count == 80)
        }
    }

    @Test(arguments: [30, 50])
    func `a checkpoint of another log is folded again, whether that is shorter or longer`(events: Int) async throws {
        let views = MemoryViews()
        func on(_ log: any EventLog, _ body: (Site) async throws -> Void) async throws {
            try await log.create(Domain.tickets.topics + [QuarantineLog.topic])
            try await body(Site(log: log, views: WatchedViews(views)))
        }
        try await on(MemoryLog()) { site in
            try await running(site.handler()) {
                try await site.talk { client async throws in try await openAndHold(1...40, site, client) }
            }
        }
        let other = MemoryLog()
        try await on(other) { site in
            var unkept = site
            unkept.keeping = nil
            try await running(unkept.handler()) {
                try await site.talk { client async throws in
                    let commands = (1...events).map {
                        site.command(.open(.named("s", seats: 2), event: "e\($0)"), id: "x-\($0)")
                    }
                    _ = try await client.send(commands, to: .tickets, within: .seconds(300))
                    let holds = (1...events).map { site.command(Self.hold("mine", $0), id: "y-\($0)") }
                    _ = try await client.send(holds, to: .tickets, within: .seconds(300))
                }
            }
            try await running(site.handler("again")) {
                let known = try await isKnown(1...events, site, "a")
                #expect(known)
            }
            #expect(site.journal.all.contains { $0.contains("is of another log") })
            #expect(site.journal.folded(by: "again") == 4 * events)
            try await running(site.handler("then")) {
                let known = try await isKnown(1...events, site, "b")
                #expect(known)
            }
            #expect(site.journal.folded(by: "then") == 0)
        }
    }

    @Test func `events that are gone are not missed by a checkpoint, and an error without`() async throws {
        try await folder { folder in
            let log = try await LocalLog.open(directory: folder)
            let topics = Domain.tickets.topics.map { topic in
                Topic(
                    topic.name, partitions: topic.partitions, retention: .seconds(60), key: topic.key,
                    schema: topic.schema, owner: topic.owner)
            }
            try await log.create(topics + [QuarantineLog.topic])
            let site = Site(log: log, views: WatchedViews(MemoryViews()))
            try await running(site.handler()) {
                try await site.talk { client async throws in try await openAndHold(1...40, site, client) }
            }
            try await log.maintain(at: noon + .seconds(86_400))
            let bounds = try await log.bounds(of: (0..<4).map { TopicPartition("tickets.events", Partition($0)) })
            #expect(bounds.values.contains { $0.lowerBound > 0 })
            try await running(site.handler("kept")) {
                let known = try await isKnown(1...40, site, "a")
                #expect(known)
            }
            #expect(site.journal.folded(by: "kept") == 0)

            let bare = Site(log: log, views: WatchedViews(MemoryViews()))
            let error = await #expect(throws: LogError.self) { try await bare.handler().run() }
            #expect(
                error?.message.contains("only the events before 0 are known") == true, "\(String(describing: error))")
            await log.close()
        }
    }

    @Test func `ids past their retention leave the checkpoint, and may be used again`() async throws {
        try await site(.kept) { site in
            func ids() async throws -> Int {
                try await site.views.read(CheckpointTests.rows.kept) { reader, _ in
                    try reader.rows(Scan(CheckpointTests.rows.ids, limit: .max)).count
                }
            }
            try await running(site.handler()) {
                try await site.talk { client async throws in try await openAndHold(1...40, site, client) }
            }
            #expect(try await ids() == 80)
            // Outcomes have the log's own time, which is today's.
            site.clock.move(by: .seconds(50 * 365 * 86_400))
            try await running(site.handler("later")) {
                try await site.talk { client async throws in
                    let again = try await client.ask(site.command(.open(.named("s", seats: 2)), id: "hold-1", at: noon))
                    #expect(again.accepted, "nobody remembers that id: \(again.message)")
                }
            }
            #expect(try await ids() < 80)
        }
    }
}
