internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import OrdersDomain
internal import Projecting
internal import Synchronization
internal import TestSupport

/// Places an order in each partition a few times a second, and looks when all are answered, and when a view shows them: so
/// that it can be said when everything worked again after a fault.
final class Probe: Sendable {
    struct Shot: Sendable {
        var sent: ContinuousClock.Instant
        var answered: ContinuousClock.Instant?
        var shown: ContinuousClock.Instant?
        var commands: [EncodedCommand]
        /// The events' places, once they are answered.
        var events: [Spot] = []
    }
    static let pause = Duration.milliseconds(250)
    static let patience = Duration.seconds(20)
    /// Shots that may be unanswered at once: whoever asks more the less is answered makes it worse.
    static let open = 12

    private let log: any EventLog
    private let views: any ViewStore
    private let ledger: SharedLedger
    private let phase: Phase
    private let tag: String
    private let deadline: ContinuousClock.Instant
    private let shots = Mutex<[Shot]>([])

    init(
        log: any EventLog, views: any ViewStore, ledger: SharedLedger, phase: Phase, tag: String,
        deadline: ContinuousClock.Instant
    ) {
        (self.log, self.views, self.ledger) = (log, views, ledger)
        (self.phase, self.tag, self.deadline) = (phase, tag, deadline)
    }

    var all: [Shot] { shots.withLock { $0 } }

    /// Goes on until the load is over and every shot is answered and shown.
    func run() async {
        async let watching: Void = watch()
        while !isDone {
            // Where the log cannot be reached, what is unanswered is asked again by another client.
            do {
                try await CommandClient.with(log, domains: [.orders], clock: { Self.now() }) { client in
                    await shoot(client)
                }
            } catch {}
            try? await Task.sleep(for: Self.pause)
        }
        await watching
        if let late = unanswered.first {
            let id = all[late].commands[0].id
            ledger.note { $0.contradictions.append(Discrepancy(.broken, "\(id) is not answered in time")) }
        }
    }

    /// Asks what is unanswered and then more, until the load is over or an ask fails.
    private func shoot(_ client: CommandClient) async {
        let failed = Phase()
        await withTaskGroup(of: Void.self) { group in
            func ask(_ number: Int) {
                group.addTask {
                    do {
                        try await self.ask(number, client, until: failed)
                    } catch {
                        failed.end()
                    }
                }
            }
            for number in unanswered { ask(number) }
            while !phase.isOver, !failed.isOver {
                if unanswered.count < Self.open, let number = try? await add() { ask(number) }
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private var unanswered: [Int] { shots.withLock { shots in shots.indices.filter { shots[$0].answered == nil } } }
    private var isDone: Bool { (phase.isOver && unanswered.isEmpty) || .now > deadline }

    /// A new shot, with an order for each partition.
    private func add() async throws -> Int {
        let count = try await log.partitionCounts()[Domain.orders.commandsTopic] ?? 0
        guard let decider = Domain.orders.decider else { throw Overdue(description: "orders cannot be placed") }
        let number = all.count
        let commands = try (0..<count).map { partition in
            var order = "", salt = 0
            repeat {
                order = "\(tag)probe\(number)x\(salt)"
                salt += 1
            } while Partitioner.partition(of: Bytes(order), among: count) != Partition(partition)
            return try decider.command(
                "PlaceOrder", json: Bytes(#"{"order":"\#(order)","customer":"probe"}"#),
                id: "\(tag)-probe-\(number)-\(partition)")
        }
        shots.withLock { $0.append(Shot(sent: .now, commands: commands)) }
        return number
    }

    private func ask(_ number: Int, _ client: CommandClient, until failed: Phase) async throws {
        let commands = all[number].commands
        while !isDone, !failed.isOver {
            ledger.note { $0.send(commands: commands.map(\.id)) }
            do {
                var answers: [Answer] = []
                try await client.send(commands, to: .orders, within: Self.patience) { outcome in
                    answers.append(Answer(outcome))
                    ledger.note { $0.hear(Answer(outcome), of: outcome.id) }
                }
                shots.withLock { shots in
                    shots[number].answered = .now
                    shots[number].events = answers.flatMap(\.events)
                }
                return
            } catch is CommandClient.NoAnswer {}
        }
    }

    /// Looks what the view shows.
    private func watch() async {
        let projection = Domain.orders.projections.first { $0.name == "orders.tracking" }
        while let projection, .now < deadline {
            let open = shots.withLock { shots in
                shots.indices.filter { shots[$0].answered != nil && shots[$0].shown == nil }
            }
            if open.isEmpty, isDone { return }
            if !open.isEmpty, let asOf = try? await views.read(projection, { _, asOf in asOf }) {
                shots.withLock { shots in
                    for number in open where shots[number].events.allSatisfy({ asOf[$0.place] ?? 0 > $0.offset }) {
                        shots[number].shown = .now
                    }
                }
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func now() -> Timestamp { Timestamp(Int64(Date().timeIntervalSince1970 * 1000)) }
}
