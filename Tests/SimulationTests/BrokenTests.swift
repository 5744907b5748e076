import EventModel
import MillraceTestKit
import Testing

/// What is broken on purpose is found, and by what it breaks.
@Suite("What a simulation finds", .serialized, .timeLimit(.minutes(10)))
struct BrokenTests {
    /// Enough schedules for what is seldom.
    private let most = 400

    private func failure(
        _ simulation: Simulation, shortening: Duration = .milliseconds(500)
    ) throws -> Simulation.Failure {
        var simulation = simulation
        simulation.shortening = shortening
        do {
            try simulation.check(schedules: most)
        } catch let failure as Simulation.Failure {
            print(failure)
            // What is printed fails again, alike.
            #expect(throws: Simulation.Failure.self) {
                try simulation.replay(seed: failure.seed, steps: failure.steps)
            }
            #expect(failure.steps.count <= failure.from)
            return failure
        }
        throw Missed()
    }
    private struct Missed: Error {}

    @Test func `a decider that sells a seat twice`() throws {
        let failure = try failure(Simulation(Traffic(SellsTwice.domain)), shortening: .seconds(60))
        #expect(failure.finding.invariant == "no seat has two owners at once")
        #expect(failure.steps.count <= 8, "\(failure)")
    }

    @Test func `a timer whose id is not a function of the state`() throws {
        let failure = try failure(Simulation(Traffic(TimesByTheClock.domain)))
        #expect(failure.finding.invariant == "what workers ask has one id, however often they ask")
    }

    @Test func `a log that fences nobody`() throws {
        var simulation = Simulation(.tickets)
        simulation.log = { BrokenLog(log: $0, fault: .noFence) }
        let found = try failure(simulation).finding.invariant
        let expected = [
            "an id has one outcome, whose events are on the log once", "no seat has two owners at once",
            "every command is answered as often as it was asked",
        ]
        #expect(expected.contains(found), "\(found)")
    }

    @Test func `a handler that remembers no ids`() throws {
        var simulation = Simulation(.tickets)
        simulation.log = { BrokenLog(log: $0, fault: .forgetsOutcomes) }
        #expect(
            try failure(simulation).finding.invariant == "an id has one outcome, whose events are on the log once")
    }

    @Test func `a reaction's records and offsets that are not one transaction`() throws {
        var simulation = Simulation(.orders)
        simulation.log = { BrokenLog(log: $0, fault: .notAtOnce) }
        let found = try failure(simulation).finding.invariant
        let expected = [
            "no notification is sent twice", "an id has one outcome, whose events are on the log once",
            "an order goes through its stages in their order", "every command is answered as often as it was asked",
        ]
        #expect(expected.contains(found), "\(found)")
    }

    @Test func `views that fence nobody`() throws {
        var simulation = Simulation(.hits)
        simulation.views = { BrokenViews(views: $0, fault: .noFence) }
        #expect(try failure(simulation).finding.invariant == Finding.refolded)
    }

    @Test func `views whose offsets are committed before their rows`() throws {
        var simulation = Simulation(.hits)
        simulation.views = { BrokenViews(views: $0, fault: .offsetsFirst) }
        #expect(try failure(simulation).finding.invariant == Finding.refolded)
    }
}
