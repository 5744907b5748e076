internal import EventLog
internal import EventModel
internal import Projecting

/// One schedule on its way.
final class Playing {
    let scheduler: Scheduler
    private let simulation: Simulation
    private let seed: UInt64
    private let log: MemoryLog
    private let views = MemoryViews()
    private let berths: [SimulatedWorker]
    private let counts: [String: Int]
    private(set) var performed = 0

    /// 2026-11-01T12:00:00Z.
    static let start = Timestamp(1_793_534_400_000)
    /// Calls after which a simulation that does not come to rest is given up.
    static let mostCalls = 200_000

    init(_ simulation: Simulation, seed: UInt64, tracing: Bool) throws {
        self.simulation = simulation
        self.seed = seed
        let scheduler = Scheduler(now: Self.start, tracing: tracing)
        self.scheduler = scheduler
        log = MemoryLog(clock: { scheduler.now })
        let topics = simulation.domains.topicsWithOthers.map { topic in
            var topic = topic
            topic.partitions = min(topic.partitions, simulation.partitions)
            return topic
        }
        try log.create(topics)
        counts = Dictionary(uniqueKeysWithValues: topics.map { ($0.name, $0.partitions) })
        berths = SimulatedWorker.all(of: simulation.domains, copies: simulation.copies)
        scheduler.mostRecords = simulation.mostRecords
        for berth in berths { start(berth) }
        scheduler.executor.drain()
    }

    deinit { end() }

    /// Everything that runs is ended, so that nothing is left waiting.
    func end() {
        for berth in berths { for process in berth.leftovers + [berth.process].compactMap({ $0 }) { process.kill() } }
    }

    func play(_ steps: [Step]) throws -> Finding? {
        let middle = steps.count / 2
        for (i, step) in steps.enumerated() {
            if scheduler.trace != nil { scheduler.note("-- \(step)") }
            try perform(step)
            performed += 1
            if let found = failed() { return found }
            if i == middle, let found = try check(atRest: false) { return found }
        }
        return try rest() ?? check(atRest: true)
    }

    private func berth(_ name: String) throws -> SimulatedWorker {
        guard let berth = berths.first(where: { $0.name == name }) else {
            throw Malformed("worker", "there is no \(name), only \(berths.map(\.name).joined(separator: ", "))")
        }
        return berth
    }

    private func start(_ berth: SimulatedWorker) {
        let simulation = simulation
        berth.start(scheduler) { process in
            (
                simulation.log(SimulatedLog(self.log, process)), simulation.views(SimulatedViews(self.views, process))
            )
        }
    }

    private func perform(_ step: Step) throws {
        switch step {
        case .send(let n): try send(n)
        case .run(let calls, let salt):
            scheduler.random = SeededRandom(seed, salt)
            for _ in 0..<calls {
                if scheduler.pick() { continue }
                if !scheduler.idle() { break }
            }
            restartEnded()
        case .kill(let name):
            let berth = try berth(name)
            guard let process = berth.process else { return }
            process.kill()
            berth.leftovers.append(process)
            berth.process = nil
        case .start(let name):
            let berth = try berth(name)
            if berth.process == nil { start(berth) }
        case .restart(let name):
            let berth = try berth(name)
            guard let process = berth.process, !process.isStalled else { return }
            process.stop()
            berth.leftovers.append(process)
            start(berth)
        case .stall(let name): try berth(name).process?.isStalled = true
        case .resume(let name): try berth(name).process?.isStalled = false
        case .expel(let name):
            let berth = try berth(name)
            for process in berth.leftovers + [berth.process].compactMap({ $0 }) { try expel(process) }
        case .fault(let name, let fault): try berth(name).process?.fault = fault
        case .skew(let name, let ahead):
            let berth = try berth(name)
            berth.skew = ahead
            berth.process?.skew = ahead
        case .pass(let milliseconds): scheduler.pass(.milliseconds(milliseconds))
        }
        scheduler.executor.drain()
    }

    private func expel(_ process: Process) throws {
        for member in process.memberships { try scheduler.executor.now { await member.expel() } }
    }

    private func send(_ n: Int) throws {
        let traffic = simulation.traffic[n % simulation.traffic.count]
        let ask = traffic.ask(n, seed: seed)
        let (topic, record) = try traffic.record(ask, n, now: scheduler.now)
        let target = TopicPartition(topic, Partitioner.partition(of: record.key, among: counts[topic] ?? 1))
        scheduler.note("asks \(ask.kind) \(ask.json) as \(ask.id ?? "c\(n)") of \(target)")
        _ = try log.append([Append(target, [record])])
        scheduler.changed()
    }

    /// Whoever supervises workers starts those that a fault has ended.
    private func restartEnded() {
        for berth in berths {
            guard let process = berth.process, process.ended != nil, process.isExcused else { continue }
            berth.leftovers.append(process)
            start(berth)
        }
    }

    /// A worker that ended though nothing had failed it.
    private func failed() -> Finding? {
        for berth in berths {
            for process in berth.leftovers + [berth.process].compactMap({ $0 })
            where !process.isDead && !process.isExcused && !process.isStopping {
                if case .failure(let error) = process.ended {
                    return Finding(invariant: Finding.working, message: "\(process.name): \(error)")
                }
            }
        }
        return nil
    }

    /// All faults end, and workers go on until there is nothing to do.
    private func rest() throws -> Finding? {
        scheduler.note("-- rest")
        for berth in berths {
            berth.process?.isStalled = false
            berth.process?.fault = nil
            for process in berth.leftovers where process.isDead { try expel(process) }
            if berth.process == nil { start(berth) }
        }
        scheduler.random = SeededRandom(seed, 2)
        let limit = scheduler.picks + Self.mostCalls
        for _ in 0..<3 {
            repeat {
                while scheduler.pick() {
                    if scheduler.picks > limit {
                        return Finding(
                            invariant: Finding.finished,
                            message: "workers still have to do after \(Self.mostCalls) calls")
                    }
                }
                restartEnded()
                scheduler.executor.drain()
            } while berths.contains { $0.process?.ended != nil && $0.process?.isExcused == true }
            if let found = failed() { return found }
            scheduler.idleAll()
        }
        return nil
    }

    private func check(atRest: Bool) throws -> Finding? {
        let (log, views, checks) = (log, views, simulation.checks)
        return try scheduler.executor.now { try await checks.finding(log, views, atRest: atRest) }
    }
}
