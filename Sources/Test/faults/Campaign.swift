internal import Domains
internal import EventLog
internal import EventModel
internal import Foundation
internal import Projecting
internal import TestSupport

/// One place under load and faults, and what was left of it.
struct Campaign: Sendable {
    let site: Site
    let seed: UInt64
    /// How long there is a load.
    let time: Duration
    /// What all ids and keys begin with, for a broker has those of other campaigns too.
    let tag: String

    /// In which everything must have been worked off once faults are over.
    static let settling = Duration.seconds(240)

    func run() async throws -> Report {
        try await prepare()
        return try await site.openLog().closed { try await run(on: $0) }
    }

    private func tell(_ words: String) { progress("\(site.place.rawValue): \(words)") }

    /// Makes the topics.
    private func prepare() async throws {
        let command = site.place == .broker ? ["topics", "apply"] : ["topics", "list", "--json"]
        let ended = try await site.start(command, label: "topics").end(within: .seconds(120))
        if ended.exit != 0 { throw Overdue(description: "millrace \(command.joined(separator: " ")): \(ended)") }
    }

    private func run(on log: any EventLog) async throws -> Report {
        let topics = try await log.topics().map(\.name)
        let starts = try await log.bounds(of: log.partitions(of: topics)).mapValues(\.upperBound)
        let views = try site.openViews()
        let (ledger, phase, workers) = (SharedLedger(), Phase(), Workers(site))
        let start = ContinuousClock.now
        let deadline = start + time + Self.settling
        let producers = Producers(
            site: site, ledger: ledger, phase: phase, seed: seed, tag: tag, deadline: deadline)
        let probe = Probe(log: log, views: views, ledger: ledger, phase: phase, tag: tag, deadline: deadline)
        let injector = Injector(site: site, workers: workers, producers: producers.live, start: start)
        var report = Report(place: site.place, seed: seed)
        report.impossible = site.faults.impossible
        try await withThrowingTaskGroup(of: Void.self) { group in
            for slot in Workers.slots.indices { group.addTask { await workers.keep(slot) } }
            async let asked: Void = producers.run()
            async let probed: Void = probe.run()
            let pause = site.place == .broker ? Schedule.longPause : Schedule.pause
            try await injector.run(Schedule(seed: seed, kinds: site.faults.possible, over: time, pause: pause))
            try await Task.sleep(until: start + time, clock: .continuous)
            phase.end()
            report.loaded = .now - start
            tell("the load is over, \(injector.done.all.count) faults; what is left is worked off")
            await asked
            await probed
            report.discrepancies += try await rest()
            tell("worked off; workers stop")
            await workers.stopAll()
            try await group.waitForAll()
        }
        report.discrepancies += try await restAfterStop()
        report.took = .now - start
        tell("everything is verified")
        await views.close()
        report.injected = injector.done.all
        report.shots = probe.all
        report.ended = await workers.ended
        report.discrepancies += await workers.discrepancies
        report.discrepancies += try await verify()
        let contents = try await Contents(of: log, from: starts, domains: Domains.all, tag: tag)
        let accounting = Accounting(ledger: ledger.value, contents: contents)
        report.discrepancies += accounting.discrepancies
        report.commands = accounting.ledger.answered
        report.facts = accounting.ledger.acknowledged
        report.events = contents.count
        report.accounting = accounting
        report.starts = starts
        return report
    }

    /// Waits until nothing is left to do. Timers that are due meanwhile are work too.
    private func rest() async throws -> [Discrepancy] {
        let ended = try await lag(within: Self.settling)
        return ended.exit == 0 ? [] : [Discrepancy(.broken, "not worked off: \(ended.err)")]
    }

    private func lag(within limit: Duration) async throws -> Ended {
        try await site.start(
            ["lag", "--sum", "--wait", "\(limit.components.seconds)s", "--json"], label: "lag", directly: true
        ).end(within: limit + .seconds(60))
    }

    /// Timers may come due while the workers stop: what is left then is worked off by one process more.
    private func restAfterStop() async throws -> [Discrepancy] {
        let deadline = ContinuousClock.now + Self.settling
        while try await lag(within: .zero).exit != 0 {
            if .now > deadline { return [Discrepancy(.broken, "not worked off after the workers had stopped")] }
            let worker = try site.start(["work"], label: "last")
            _ = try await lag(within: Self.settling)
            worker.send(SIGTERM)
            _ = try await worker.end(within: Workers.patience)
        }
        return []
    }

    /// What the program itself says of the log and the views, once nobody works on them.
    private func verify() async throws -> [Discrepancy] {
        var found: [Discrepancy] = []
        for arguments in [["verify", "--at-rest"], ["verify", "--decisions"], ["quarantine", "list"]] {
            let ended = try await site.start(arguments + ["--json"], label: arguments.joined(), directly: true)
                .end(within: .seconds(600))
            let words = "millrace \(arguments.joined(separator: " "))"
            if ended.exit != 0 { found.append(Discrepancy(.broken, "\(words): \(ended.err)")) }
            // No record of the load deserves to wait.
            if arguments[0] == "quarantine", !ended.out.isEmpty {
                found.append(Discrepancy(.broken, "\(words): \(ended.out)"))
            }
        }
        return found
    }
}
