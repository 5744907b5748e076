import Foundation
import MillraceTestKit
import TestSupport
import Testing

/// Handlers in processes of their own, killed and frozen while there is work; nothing is lost, decided twice or hangs.
@Suite(
    "Handlers that die and freeze on a broker", .serialized, .timeLimit(.minutes(10)),
    .enabled(if: Broker.address != nil, Broker.absent))
struct BrokerFaultTests {
    /// Handlers whose groups miss them as soon as brokers allow.
    private struct Crew {
        let bus: Bus
        let config: String
        var handlers: [Running] = []

        init(_ bus: Bus, _ count: Int) async throws {
            self.bus = bus
            config = try bus.file("kafka.properties", "session.timeout.ms=6000\n")
            for i in 0..<count { handlers.append(try await start(i)) }
        }

        /// The last one is on a machine of its own: its checkpoints are no other's.
        func start(_ i: Int) async throws -> Running {
            let own = i == 2 ? ["--views", "sqlite:\(bus.folder)/elsewhere"] : []
            let handler = try bus.start(["work", "tickets.handler", "--kafka-config", config] + own)
            try await eventually("\(handler.name) to work: \(handler.err)") {
                handler.err.contains("ready after") || (i > 0 && handler.err.contains("working:")) ? true : nil
            }
            return handler
        }

        /// What a supervisor does: starts anew what has ended, which it may have only with a word.
        mutating func mend() async throws {
            for (i, handler) in handlers.enumerated() where handler.hasEnded {
                let ended = try await handler.end()
                #expect([69, 75].contains(ended.exit), "\(ended)")
                handlers[i] = try await start(i)
            }
        }
    }

    private func verify(_ bus: Bus, _ sales: Sales) async throws {
        try await sales.expectEachDecidedOnce()
        let decisions = try await bus.run("verify", "--decisions", within: .seconds(120))
        #expect(decisions.exit == 0, "\(decisions)")
    }

    @Test(arguments: [2, 3])
    func `one that was frozen is fenced, goes on by itself, and decides nothing twice`(_ count: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed)
        try await onBroker { bus in
            var crew = try await Crew(bus, count)
            try await Sales.onBroker(seed: seed) { sales in
                for _ in 0..<2 * count {
                    for _ in 0..<5 { try await sales.sell() }
                    // In the middle of whatever it does for these.
                    let victim = Int.random(in: 0..<count, using: &random)
                    let answers = sales.count
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { for _ in 0..<10 { try await sales.sell() } }
                        let wait = Int.random(in: 0..<200, using: &random)
                        try await eventually("some answers") { sales.count > answers + wait ? true : nil }
                        crew.handlers[victim].send(SIGSTOP)
                        // Every command is answered though, so the others have all partitions.
                        try await group.waitForAll()
                    }
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { for _ in 0..<5 { try await sales.sell() } }
                        crew.handlers[victim].send(SIGCONT)
                        try await group.waitForAll()
                    }
                    try await crew.mend()
                }
                // Those that were frozen can do all the work, if they are there.
                let last = crew.handlers.removeFirst()
                #expect(try await last.stop().exit == 0)
                try await sales.sell()
                for handler in crew.handlers { #expect(try await handler.stop().exit == 0, "\(handler.err)") }
                try await verify(bus, sales)
            }
        }
    }

    @Test(arguments: [2, 3])
    func `those that are killed are replaced by the others, and nothing is decided twice`(_ count: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed)
        try await onBroker { bus in
            var crew = try await Crew(bus, count)
            try await Sales.onBroker(seed: seed) { sales in
                for _ in 0..<2 * count {
                    let victim = Int.random(in: 0..<count, using: &random)
                    let answers = sales.count
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { for _ in 0..<10 { try await sales.sell() } }
                        let wait = Int.random(in: 0..<200, using: &random)
                        try await eventually("some answers") { sales.count > answers + wait ? true : nil }
                        try await crew.handlers[victim].crash()
                        if Bool.random(using: &random) { crew.handlers[victim] = try await crew.start(victim) }
                        try await group.waitForAll()
                    }
                    if crew.handlers[victim].hasEnded { crew.handlers[victim] = try await crew.start(victim) }
                    try await crew.mend()
                }
                for handler in crew.handlers { #expect(try await handler.stop().exit == 0, "\(handler.err)") }
                try await verify(bus, sales)
            }
        }
    }
}
