import Foundation
import TestSupport
import Testing

/// Handlers of tickets, each in a process of its own, whose group misses them as soon as brokers allow.
struct Crew {
    let bus: Bus
    private let config: String
    private(set) var handlers: [Running] = []
    /// How many have ended by themselves, and were started anew.
    private(set) var mended = 0

    init(_ bus: Bus, _ count: Int) async throws {
        self.bus = bus
        config = try bus.file("kafka.properties", "session.timeout.ms=6000\n")
        for i in 0..<count { handlers.append(try await start(i)) }
        for handler in handlers { try await begun(handler) }
    }

    private func begun(_ handler: Running) async throws {
        try await eventually("\(handler.name) to have partitions: \(handler.err)") {
            handler.err.contains("partition taken") || handler.hasEnded ? true : nil
        }
    }

    /// The last of three is on a machine of its own: its checkpoints are no other's.
    private func start(_ i: Int) async throws -> Running {
        let own = i == 2 ? ["--views", "sqlite:\(bus.folder)/elsewhere"] : []
        return try await bus.work(["tickets.handler", "--verbose", "--kafka-config", config] + own)
    }

    /// Kills one without a word.
    func crash(_ i: Int) async throws { try await handlers[i].crash() }

    mutating func replace(_ i: Int) async throws { handlers[i] = try await start(i) }

    /// What a supervisor does: starts anew those that ended by themselves, which they may only for want of a broker.
    mutating func mend() async throws {
        for (i, handler) in handlers.enumerated() where handler.hasEnded {
            let ended = try await handler.end()
            #expect(ended.exit == 69, "\(ended)")
            handlers[i] = try bus.start(["work", "tickets.handler", "--verbose", "--kafka-config", config])
            mended += 1
        }
    }

    /// All of them finish what they have in hand and leave.
    mutating func stop() async throws {
        for handler in handlers {
            // One that was started just now ends by the signal itself for as long as it does not listen to it.
            try await begun(handler)
            let ended = try await handler.stop()
            #expect(ended.exit == 0, "\(ended)")
        }
        handlers = []
    }
}
