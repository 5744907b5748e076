internal import EventLog
internal import EventModel
internal import Handling
internal import Logging
internal import Projecting

/// One place for a worker: which it is, and its process while it has one.
final class SimulatedWorker {
    let name: String
    private let run: @Sendable (any EventLog, any ViewStore, @escaping @Sendable () -> Timestamp) async throws -> Void
    var process: Process?
    /// How far its machine's clock is ahead, in milliseconds.
    var skew: Int64 = 0
    /// Processes that are dead, or on their way to stop, and whose groups have not been told.
    var leftovers: [Process] = []

    init(
        _ name: String,
        _ run:
            @escaping @Sendable (any EventLog, any ViewStore, @escaping @Sendable () -> Timestamp) async throws -> Void
    ) {
        self.name = name
        self.run = run
    }

    func start(_ scheduler: Scheduler, _ places: (Process) -> (log: any EventLog, views: any ViewStore)) {
        let process = Process(name, scheduler)
        self.process = process
        let (log, views) = places(process)
        process.skew = skew
        let run = run
        process.start { try await run(log, views) { scheduler.now + .milliseconds(process.skew) } }
    }

    /// The workers of some domains, each so many times.
    static func all(of domains: [Domain], copies: Int) -> [SimulatedWorker] {
        let quiet = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        return domains.flatMap { domain -> [SimulatedWorker] in
            (1...max(1, copies)).flatMap { copy -> [SimulatedWorker] in
                var berths: [SimulatedWorker] = []
                if let decider = domain.decider {
                    berths.append(
                        SimulatedWorker("\(Handler.group(of: domain))/\(copy)") { log, _, clock in
                            try await Handler(domain, decider, log: log, clock: clock, logger: quiet).run()
                        })
                }
                berths += domain.reactions.map { reaction in
                    SimulatedWorker("\(reaction.name)/\(copy)") { log, _, _ in
                        try await Reactor(reaction, log: log, logger: quiet).run()
                    }
                }
                berths += domain.projections.map { projection in
                    SimulatedWorker("\(projection.name)/\(copy)") { log, views, _ in
                        try await Projector(projection, log: log, views: views, logger: quiet).run()
                    }
                }
                return berths
            }
        }
    }
}
