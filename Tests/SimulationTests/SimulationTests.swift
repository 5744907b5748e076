import EventModel
import Foundation
import HitsDomain
import MillraceTestKit
import OrdersDomain
import Testing
import TicketsDomain

/// How many schedules a test runs of each domain: `MILLRACE_SCHEDULES` for more, or fewer.
let schedules = ProcessInfo.processInfo.environment["MILLRACE_SCHEDULES"].flatMap { Int($0) } ?? 20
/// The first seed: `MILLRACE_SEED` for other schedules.
let seed = ProcessInfo.processInfo.environment["MILLRACE_SEED"].flatMap { UInt64($0) } ?? 1

@Suite("Simulation", .serialized, .timeLimit(.minutes(60)))
struct SimulationTests {
    @Test func `the same seed gives the same trace, byte for byte`() throws {
        for traffic in Traffic.all {
            let simulation = Simulation(traffic)
            let trace = try simulation.trace(seed: 1)
            #expect(trace.count > 200)
            #expect(try trace == simulation.trace(seed: 1))
            #expect(try trace != simulation.trace(seed: 2))
            // To be held against another process's, which hashes otherwise.
            print("\(traffic.name): seed 1 has \(trace.count) lines, hash \(FNV1a(trace.joined()).value)")
        }
    }

    @Test func `what may happen does happen`() throws {
        let simulation = Simulation(.tickets)
        let lines = try (1...20 as ClosedRange<UInt64>).flatMap { try simulation.trace(seed: $0) }
        let expected =
            Fault.allCases.map { "meets \($0.rawValue)" } + [
                "tickets.handler/1 is fenced", "is given the loss of",
                "is given notice of", "tickets.handler/1 appends tickets.commands", "-- .kill", "-- .stall", "-- .skew",
            ]
        for what in expected { #expect(lines.contains { $0.contains(what) }, "\(what)") }
    }

    @Test(arguments: Traffic.all)
    func `a domain keeps its invariants, whatever happens`(traffic: Traffic) throws {
        let start = ContinuousClock.now
        let report = try Simulation(traffic).check(schedules: schedules, from: seed)
        print("\(traffic.name): \(report) from seed \(seed) in \(ContinuousClock.now - start)")
    }

    @Test func `two domains may be on one log`() throws {
        try Simulation(.tickets, .orders).check(schedules: max(1, schedules / 5), from: seed)
    }

    @Test func `workers that nothing happens to do all there is to do`() throws {
        var simulation = Simulation(.tickets)
        simulation.mix = .calm
        try simulation.check(schedules: 3)
    }

    @Test func `an ask that its domain does not take is told`() {
        #expect(throws: (any Error).self) {
            try Simulation(Traffic(.hits) { _, _ in LoadRequest("HoldSeats", "{}") }).check(schedules: 1)
        }
    }

    @Test func `a schedule can be written by hand`() throws {
        try Simulation(.tickets).replay(
            seed: 1,
            steps: [
                .send(0), .run(60, salt: 1), .send(3), .fault("tickets.handler/1", .unknown), .run(60, salt: 2),
                .send(3), .kill("tickets.handler/1"), .expel("tickets.handler/1"), .run(60, salt: 3),
            ])
        #expect(throws: (any Error).self) {
            try Simulation(.tickets).replay(seed: 1, steps: [.kill("tickets.nobody/1")])
        }
    }
}
