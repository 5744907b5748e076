import EventLog
import EventModel
import Foundation
import Handling
import MillraceTestKit
import TestSupport
import Testing

extension BrokerTests {
    /// Timers on a broker, by the broker's own clock: it stamps commands and outcomes as it takes them.
    @Suite("Timers") struct TimerTests {
        /// How long after its hold was over each expiry was committed, by the command that made it.
        private func delays(_ sales: Sales) async throws -> [String: Duration] {
            let events = try await sales.records("tickets.events")
            let outcomes = try await sales.records("tickets.outcomes").map { (try Outcome($0.record.value), $0.record) }
            // A command that came twice is answered twice.
            let answered = Dictionary(outcomes.map { ($0.0.id, $0.1.timestamp) }) { first, _ in first }
            var delays: [String: Duration] = [:]
            for (_, event) in events where event[header: "type"] == "HoldExpired" {
                let cause = event[header: "cause"] ?? ""
                let time = try #require(answered[cause], "each expiry has its outcome")
                // The event has the moment when the hold was over.
                let delay = Duration.milliseconds(time.rawValue - event.timestamp.rawValue)
                #expect(delays.updateValue(delay, forKey: cause) == nil, "\(cause) twice")
            }
            return delays
        }

        @Test func `holds expire within a second while two handlers run`() async throws {
            try await onBroker { bus in
                _ = try await Crew(bus, 2)
                try await Sales.onBroker(seed: 1) { sales in
                    try await sales.hold(48, runningOutWithin: .seconds(2)...(.seconds(5)))
                    try await eventually("all holds to expire") {
                        try await delays(sales).count == 48 ? true : nil
                    }
                    let found = try await delays(sales)
                    #expect(found.count == 48)
                    let sorted = found.values.sorted()
                    print("expired after \(sorted[sorted.count / 2]), the last after \(sorted[sorted.count - 1])")
                    #expect(sorted[0] >= .zero, "none before its time")
                    // A busy machine may hold one up.
                    #expect(sorted[sorted.count * 9 / 10] < .seconds(1))
                }
            }
        }

        @Test func `holds that ran out while no handler was there expire at once when one comes, and once`()
            async throws
        {
            try await onBroker { bus in
                var crew = try await Crew(bus, 2)
                try await Sales.onBroker(seed: 2) { sales in
                    try await sales.hold(48, runningOutWithin: .seconds(3)...(.seconds(4)))
                    try await crew.stop()
                    let before = try await delays(sales).count
                    let past = Date.now.addingTimeInterval(6)
                    try await eventually("all of them to be over") { Date.now > past ? true : nil }
                    #expect(try await delays(sales).count == before)
                    crew = try await Crew(bus, 1)
                    let began = ContinuousClock.now
                    try await eventually("all holds to expire") {
                        try await delays(sales).count == 48 ? true : nil
                    }
                    print("\(48 - before) holds expired \(ContinuousClock.now - began) after a handler came")
                    #expect(ContinuousClock.now - began < .seconds(30))
                    // Whoever takes the partitions over makes none of them expire again.
                    let others = try await Crew(bus, 2)
                    try await crew.crash(0)
                    try await sales.sell()
                    try await others.crash(0)
                    try await sales.sell()
                    #expect(try await delays(sales).count >= 48)
                    try await sales.expectEachDecidedOnce()
                }
            }
        }
    }
}
