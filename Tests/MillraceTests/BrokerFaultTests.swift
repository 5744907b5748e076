import EventModel
import Foundation
import MillraceTestKit
import TestSupport
import Testing

extension BrokerTests {
    /// Handlers in processes of their own, killed and frozen while there is work; nothing is lost, decided twice or hangs.
    @Suite("Handlers that die and freeze") struct FaultTests {
        /// Two or three handlers, and sales that they decide. Then every id must have one outcome, and all decisions be the same
        /// when they are made again.
        private func trouble(
            _ count: Int, patience: Duration = .seconds(30),
            _ body: (inout Crew, Sales, inout SeededRandom) async throws -> Void
        ) async throws {
            let seed = UInt64.random(in: 0...UInt64.max)
            print("seed \(seed)")
            var random = SeededRandom(seed)
            try await onBroker { bus in
                var crew = try await Crew(bus, count)
                try await Sales.onBroker(seed: seed, patience: patience) { sales in
                    try await body(&crew, sales, &random)
                    try await sales.sell()
                    try await crew.stop()
                    try await sales.expectEachDecidedOnce()
                }
                let decisions = try await bus.run("verify", "--decisions", within: .seconds(300))
                #expect(decisions.exit == 0, "\(decisions)")
            }
        }

        /// Goes on selling while something happens in the middle of it; every command is answered.
        private func selling(
            _ sales: Sales, _ random: inout SeededRandom, _ trouble: () async throws -> Void
        ) async throws {
            let answers = sales.count
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for _ in 0..<10 { try await sales.sell() } }
                let wait = Int.random(in: 0..<200, using: &random)
                try await eventually("some answers") { sales.count > answers + wait ? true : nil }
                try await trouble()
                try await group.waitForAll()
            }
        }

        @Test(arguments: [2, 3])
        func `one that was frozen is fenced, goes on by itself, and decides nothing twice`(_ count: Int) async throws {
            try await trouble(count) { crew, sales, random in
                var thawed = 0
                for _ in 0..<2 * count {
                    thawed = Int.random(in: 0..<count, using: &random)
                    let victim = crew.handlers[thawed]
                    // Every command is answered, so the others have got all partitions when it wakes up.
                    try await selling(sales, &random) { victim.send(SIGSTOP) }
                    try await selling(sales, &random) { victim.send(SIGCONT) }
                    #expect(!victim.hasEnded, "\(victim.err)")
                }
                // The last one of them can do all the work.
                for i in 0..<count where i != thawed { try await crew.crash(i) }
                try await sales.sell()
                for i in 0..<count where i != thawed { try await crew.replace(i) }
            }
        }

        @Test(arguments: [2, 3])
        func `those that are killed are replaced by the others, and nothing is decided twice`(_ count: Int) async throws
        {
            try await trouble(count) { crew, sales, random in
                for _ in 0..<2 * count {
                    let victim = Int.random(in: 0..<count, using: &random)
                    let atOnce = Bool.random(using: &random)
                    try await selling(sales, &random) {
                        try await crew.crash(victim)
                        if atOnce { try await crew.replace(victim) }
                    }
                    if !atOnce { try await crew.replace(victim) }
                }
            }
        }

        @Test(
            .enabled(if: Broker.control != nil, "set MILLRACE_TEST_KAFKA_CONTROL to what stops and starts the broker"))
        func `a broker that is killed or frozen makes handlers wait or end with 69, and nothing is decided twice`()
            async throws
        {
            try await trouble(2, patience: .seconds(120)) { crew, sales, random in
                for round in 0..<4 {
                    let (ill, well) = round % 2 == 0 ? ("kill", "start") : ("pause", "unpause")
                    let away = [0, 3, 8, 20].randomElement(using: &random) ?? 0
                    print("\(ill), \(away) s, \(well)")
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            for _ in 0..<10 { try await sales.sell(within: .seconds(300)) }
                        }
                        let answers = sales.count
                        try await eventually("some answers") { sales.count > answers + 50 ? true : nil }
                        try await Broker.control(ill)
                        try await ContinuousClock().sleep(for: .seconds(away))
                        try await Broker.control(well)
                        // Meanwhile somebody looks after the handlers.
                        while sales.count < answers + 10 * 40 {
                            try await crew.mend()
                            try await ContinuousClock().sleep(for: .milliseconds(100))
                        }
                        try await group.waitForAll()
                    }
                }
                print("\(crew.mended) handlers ended by themselves")
            }
        }
    }
}
