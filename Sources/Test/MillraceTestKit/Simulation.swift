public import EventLog
public import EventModel
public import Projecting

/// The real workers of some domains on a log in memory, in virtual time and on one thread: one seed decides who goes on
/// when, and what fails.
///
/// Handlers, reactors and projectors are those of production. The log, the views, their clocks and their processes are
/// simulated, so a schedule that takes minutes of virtual time takes milliseconds, and the same seed always gives the same.
/// A run blocks its caller's thread. Invariants are those of ``/EventModel/Domain/keeping(_:)``, and those that hold of every domain:
///
/// - an id has one outcome, and its events are on the log exactly once;
/// - a view's rows are those of a fresh fold of the log up to its offsets;
/// - what workers ask by themselves has one id;
/// - no worker fails unless something failed it, and everything is worked off once faults end.
public struct Simulation: Sendable {
    /// The domains, and what is asked of them.
    public let traffic: [Traffic]
    /// The steps of one schedule.
    public var length = 120
    /// The most partitions that a topic has.
    public var partitions = 2
    /// How many of each worker there are.
    public var copies = 2
    /// The most records that a worker is given at once.
    public var mostRecords = 4
    /// How often what happens.
    public var mix = Mix()
    /// What a worker has in place of the log, and of the views: for a test that breaks something. Each call that it makes of
    /// what it is given is a step of its own.
    public var log: @Sendable (any EventLog) -> any EventLog = { $0 }
    /// What a worker has in place of the views.
    public var views: @Sendable (any ViewStore) -> any ViewStore = { $0 }
    /// How long a failure's schedule may be shortened for.
    public var shortening = Duration.seconds(10)
    let checks: Checks

    /// A simulation of these domains together, each on topics of its own in one log.
    public init(_ traffic: Traffic...) {
        precondition(!traffic.isEmpty, "a simulation needs a domain")
        self.traffic = traffic
        checks = Checks(traffic.map(\.domain))
    }

    var domains: [Domain] { traffic.map(\.domain) }

    /// The steps that a seed stands for.
    public func schedule(seed: UInt64) -> [Step] {
        mix.steps(length, seed: seed, workers: SimulatedWorker.all(of: domains, copies: copies).map(\.name))
    }

    /// Runs as many schedules as asked, of one seed after another.
    ///
    /// - Throws: ``Failure`` for the first that breaks an invariant, with the shortest schedule found; ``/EventModel/Malformed`` where
    ///   the traffic asks for what its domain does not have.
    @discardableResult
    public func check(schedules: Int, from first: UInt64 = 1) throws -> Report {
        var report = Report()
        for seed in first..<first + UInt64(max(0, schedules)) {
            let steps = schedule(seed: seed)
            let (finding, calls) = try outcome(seed, steps)
            report.schedules += 1
            report.steps += steps.count
            report.calls += calls
            guard let finding else { continue }
            let short = try shorten(steps, seed: seed, breaking: finding)
            throw Failure(
                seed: seed, finding: short.finding, steps: short.steps, from: steps.count,
                asks: asks(short.steps, seed: seed))
        }
        return report
    }

    /// Plays one schedule.
    ///
    /// - Throws: ``Failure`` where it breaks an invariant.
    public func replay(seed: UInt64, steps: [Step]) throws {
        if let finding = try outcome(seed, steps).finding {
            throw Failure(
                seed: seed, finding: finding, steps: steps, from: steps.count, asks: asks(steps, seed: seed))
        }
    }

    /// What happens in a schedule, line by line: milliseconds since 1970, and what was done.
    public func trace(seed: UInt64, steps: [Step]? = nil) throws -> [String] {
        let playing = try Playing(self, seed: seed, tracing: true)
        let finding = try playing.play(steps ?? schedule(seed: seed))
        return (playing.scheduler.trace ?? []) + [finding.map { "broken: \($0)" } ?? "all holds"]
    }

    func outcome(_ seed: UInt64, _ steps: [Step]) throws -> (finding: Finding?, calls: Int) {
        let playing = try Playing(self, seed: seed, tracing: false)
        let finding = try playing.play(steps)
        return (finding, playing.scheduler.picks)
    }

    private func asks(_ steps: [Step], seed: UInt64) -> [Int: LoadRequest] {
        steps.reduce(into: [:]) { asks, step in
            if case .send(let n) = step { asks[n] = traffic[n % traffic.count].ask(n, seed: seed) }
        }
    }
}

extension Simulation {
    /// How much was simulated.
    public struct Report: Sendable, Hashable {
        /// How many schedules were run.
        public var schedules = 0
        /// How many steps they had together.
        public var steps = 0
        /// Calls of workers to the log and the views.
        public var calls = 0
    }

    /// A schedule that breaks an invariant, as it can be put into a test.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// The seed that the schedule comes from.
        public var seed: UInt64
        /// The invariant that is broken, and how.
        public var finding: Finding
        /// The steps that break it, shortened.
        public var steps: [Step]
        /// How many steps there were before they were shortened.
        public var from: Int
        /// What the steps ask, by number.
        public var asks: [Int: LoadRequest]

        public var description: String {
            let lines = steps.map { step -> String in
                guard case .send(let n) = step, let ask = asks[n] else { return "        \(step)," }
                return "        \(step),  // \(ask.kind) \(ask.json)"
            }
            return """
                seed \(seed), \(steps.count) of \(from) steps: \(finding)

                try simulation.replay(
                    seed: \(seed),
                    steps: [
                \(lines.joined(separator: "\n"))
                    ])
                """
        }
    }
}
