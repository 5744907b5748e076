import EventLog
import EventModel
import Projecting
import SwiftProtobuf
import Synchronization
import Testing

@testable import Handling
@testable import TicketsDomain

@Suite("Checkpoints of handlers", .timeLimit(.minutes(10)))
struct CheckpointTests {
    static let rows = CheckpointRows(
        "tickets.handler", version: Tickets.stateVersion, remembersIDs: true)
    static let topics = ["tickets.events", "tickets.outcomes"]

    /// Opens sections of some events, so that all partitions have work.
    private func open(_ events: Range<Int>, _ client: CommandClient, _ site: Site) async throws {
        let commands = events.map { site.command(.open(.named("s", seats: 4), event: "e\($0)"), id: "open-\($0)") }
        let outcomes = try await client.send(commands, to: .tickets, within: .seconds(300))
        #expect(outcomes.allSatisfy { $0.accepted })
    }

    @Test(arguments: Carrier.keepingLogs)
    func `a start after a stop folds nothing, and knows all`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let hold = site.command(.hold("h1", by: "ann", "A-1"), id: "hold")
            let other = site.command(.hold("h1", by: "ann", "A-2"), id: "hold")
            let taken = site.command(.hold("h2", by: "bob", "A-1"), id: "taken")
            let told = try await running(site.handler("first")) {
                try await site.talk { client async throws in
                    try await open(0..<60, client, site)
                    let outcomes = try await client.send(
                        site.command(.open(.named("s", seats: 4)), id: "open"), hold, taken)
                    #expect(outcomes.map(\.accepted) == [true, true, false])
                    return outcomes
                }
            }
            for name in ["second", "third"] {
                try await running(site.handler(name)) {
                    try await site.talk { client async throws in
                        #expect(try await client.send(hold, taken) == Array(told.dropFirst()))
                        let reused = try await client.ask(other)
                        #expect(!reused.accepted && reused.reason == "id-reused")
                        let anew = try await client.ask(site.command(.hold("h3", by: "cy", "A-1"), id: name))
                        #expect(anew.reason == "seat-not-free", "what it decides on is in the checkpoint")
                    }
                }
                #expect(site.journal.folded(by: name) == 0)
            }
            #expect(site.journal.folded(by: "first") == 0)
            #expect(try await site.facts().count == 61)
        }
    }

    @Test(arguments: Carrier.keepingLogs)
    func `timers of states that are not in memory come when they are due, each once`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await running(site.handler("first")) {
                try await site.talk { client async throws in
                    try await open(0..<30, client, site)
                    let holds = (0..<30).map { i in
                        site.command(
                            .holdSeats(
                                .with {
                                    ($0.event, $0.section, $0.hold) = ("e\(i)", "s", "h\(i)")
                                    ($0.holder, $0.seats) = ("ann", ["A-1"])
                                }), id: "hold-\(i)", at: noon + .seconds(10 * (i % 3)))
                    }
                    let outcomes = try await client.send(holds, to: .tickets, within: .seconds(300))
                    #expect(outcomes.allSatisfy { $0.accepted })
                }
            }
            for (name, wanted) in [("second", 10), ("third", 20), ("fourth", 30)] {
                site.clock.move(by: .seconds(name == "second" ? 300 : 10))
                try await running(site.handler(name)) {
                    try await site.read("tickets.events", wanted) { $0[header: "type"] == "HoldExpired" }
                }
            }
            #expect(site.journal.folded(by: "fourth") == 0)
            #expect(try await site.records("tickets.commands").values.joined().count == 90, "each timer spoke once")
        }
    }

    @Test(arguments: Carrier.keepingLogs)
    func `decisions through restarts and with three states in memory are those of one handler that knows all`(
        on carrier: Carrier
    ) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed)
        try await site(.memory) { whole in
            try await site(carrier) { site in
                var appends: [TopicPartition: [NewRecord]] = [:]
                for i in 0..<3000 {
                    let event = "e\(Int.random(in: 0..<60, using: &random))"
                    let (hold, holder) = ("h\(Int.random(in: 0..<5, using: &random))", "fan")
                    let seat = "A-\(Int.random(in: 1...4, using: &random))"
                    let order: Order =
                        switch Int.random(in: 0..<10, using: &random) {
                        case 0: .open(.named("s", seats: 4), event: event)
                        case 1..<6:
                            .holdSeats(
                                .with {
                                    ($0.event, $0.section, $0.hold) = (event, "s", hold)
                                    ($0.holder, $0.seats) = (holder, [seat])
                                })
                        case 6..<9:
                            .releaseHold(
                                .with { ($0.event, $0.section, $0.hold, $0.holder) = (event, "s", hold, holder) })
                        default:
                            .confirmPurchase(
                                .with { ($0.event, $0.section, $0.hold, $0.holder) = (event, "s", hold, holder) })
                        }
                    let id = "c\(Int.random(in: 0...20, using: &random) == 0 ? i / 2 : i)"
                    let command = site.command(order, id: id, at: noon - .seconds(1))
                    let place = Partitioner.partition(of: command.key, among: 4)
                    appends[TopicPartition("tickets.commands", place), default: []].append(command.record(now: noon))
                }
                let all = appends.sorted { $0.key < $1.key }.map { Append($0.key, $0.value) }
                let halves = [
                    all.map { Append($0.target, Array($0.records.prefix(300))) },
                    all.map { Append($0.target, Array($0.records.dropFirst(300))) },
                ]
                for half in halves { _ = try await whole.log.append(half) }
                try await running(whole.handler()) { try await whole.read("tickets.outcomes", 3000) }
                _ = try await site.log.append(halves[0])
                for name in ["cut 1", "cut 2"] {
                    try await cutting(site.handler(name)) {
                        try await site.journal.bell.until("it had begun") { site.journal.taken(by: name) > 0 }
                    }
                }
                try await running(site.handler("middle")) {
                    try await site.journal.bell.until("it had all") { site.journal.taken(by: "middle") == 4 }
                }
                _ = try await site.log.append(halves[1])
                try await running(site.handler("last")) { try await site.read("tickets.outcomes", 3000) }
                for topic in ["tickets.events", "tickets.outcomes"] {
                    let (mine, theirs) = (try await site.records(topic), try await whole.records(topic))
                    #expect(mine.mapValues { $0.map(\.value) } == theirs.mapValues { $0.map(\.value) }, "seed \(seed)")
                }
                #expect(site.journal.folded(by: "last") <= site.journal.folded(by: "middle") + 1200)
            }
        }
    }
}
