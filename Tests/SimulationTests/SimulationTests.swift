import Domains
import Foundation
import MillraceTestKit
import Testing

/// How many schedules a test runs: `MILLRACE_SCHEDULES` for more.
let schedules = ProcessInfo.processInfo.environment["MILLRACE_SCHEDULES"].flatMap { Int($0) } ?? 40

@Suite("Simulation")
struct SimulationTests {
    @Test func `the same seed gives the same trace, byte for byte`() throws {
        let simulation = Simulation(.tickets())
        for seed in 1...5 as ClosedRange<UInt64> {
            let trace = try simulation.trace(seed: seed)
            #expect(trace.count > 200, "seed \(seed)")
            #expect(try trace == simulation.trace(seed: seed), "seed \(seed)")
        }
        #expect(try simulation.trace(seed: 1) != simulation.trace(seed: 2))
    }

    @Test func `tickets keeps its invariants whatever happens`() throws {
        let start = ContinuousClock.now
        let report = try Simulation(.tickets()).check(schedules: schedules)
        print("tickets: \(report) in \(ContinuousClock.now - start)")
    }
}
