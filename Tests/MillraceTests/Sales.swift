import EventLog
import EventModel
import Foundation
import Handling
import KafkaLog
import MillraceTestKit
import SwiftProtobuf
import Synchronization
import Testing

@testable import TicketsDomain

/// Seats of some events, sold by whatever handlers there are on the broker, and what each command was answered.
final class Sales: Sendable {
    /// So many events, of one section each, that every partition has some.
    private static let events = 16
    private static let seats = 40

    private let log: KafkaLog
    private let client: CommandClient
    /// Begins every id and every event of these sales, and nothing else on the broker.
    let name: String
    private struct State {
        var random: SeededRandom
        var sent: [(command: EncodedCommand, outcome: Outcome)] = []
        var made = 0
        var holds: [(event: String, hold: String)] = []
    }
    private let state: Mutex<State>

    private init(_ log: KafkaLog, _ client: CommandClient, seed: UInt64) {
        (self.log, self.client, name) = (log, client, Broker.name())
        state = Mutex(State(random: SeededRandom(seed)))
    }

    /// Opens the sections and talks to the handlers for as long as `body` runs.
    ///
    /// - Parameter patience: For how long the broker may be away.
    static func onBroker(
        seed: UInt64, patience: Duration = .seconds(30), _ body: (Sales) async throws -> Void
    ) async throws {
        let log = try await KafkaLog(
            brokers: try #require(Broker.address),
            properties: ["message.timeout.ms": "\(patience.components.seconds * 1000)"], limit: patience)
        do {
            try await CommandClient.with(log, domains: [.tickets], clock: now) { client in
                let sales = Sales(log, client, seed: seed)
                try await sales.ask((0..<events).map { sales.opening("\(sales.name)e\($0)") })
                try await body(sales)
            }
        } catch {
            await log.close()
            throw error
        }
        await log.close()
    }

    private static func now() -> Timestamp { Timestamp(Int64(Date.now.timeIntervalSince1970 * 1000)) }

    /// The events that askers were told of.
    var written: Set<Outcome.Written> { state.withLock { Set($0.sent.flatMap(\.outcome.events)) } }
    var count: Int { state.withLock { $0.sent.count } }

    /// Asks for some things at once and waits for the answers; now and then for something that was asked before.
    func sell(_ count: Int = 40, within limit: Duration = .seconds(300)) async throws {
        let (fresh, again) = state.withLock { state in
            let again = state.sent.shuffled(using: &state.random).prefix(count / 10)
            return ((0..<count).map { _ in draw(&state) }, Array(again))
        }
        try await ask(fresh, again: again, within: limit)
    }

    /// Holds so many seats, at times that make them run out so long from now.
    func hold(_ count: Int, runningOutWithin left: ClosedRange<Duration>) async throws {
        let commands = state.withLock { state in
            (0..<count).map { i in
                let span = Int64((left.upperBound - left.lowerBound) / .milliseconds(1))
                let wait = left.lowerBound + .milliseconds(Int64.random(in: 0...span, using: &state.random))
                var hold = command(
                    .holdSeats(
                        .with {
                            ($0.event, $0.section) = ("\(name)e\(i % Self.events)", "s")
                            ($0.hold, $0.holder, $0.seats) = ("\(name)t\(i)", "fan", ["A-\(i / Self.events + 1)"])
                        }), "\(name)t\(i)")
                hold.time = Self.now() + wait - Tickets.holdTime
                return hold
            }
        }
        try await ask(commands)
    }

    private func ask(
        _ fresh: [EncodedCommand], again: [(command: EncodedCommand, outcome: Outcome)] = [],
        within limit: Duration = .seconds(300)
    ) async throws {
        let outcomes = try await client.send(fresh + again.map(\.command), to: .tickets, within: limit)
        for (before, now) in zip(again, outcomes.dropFirst(fresh.count)) { #expect(now == before.outcome) }
        state.withLock { state in
            for (command, outcome) in zip(fresh, outcomes) {
                state.sent.append((command, outcome))
                if outcome.accepted, command.type == "HoldSeats",
                    let event = command.key.text.split(separator: ":").first
                {
                    state.holds.append((String(event), command.id))
                }
            }
        }
    }

    private func opening(_ event: String) -> EncodedCommand {
        command(
            .openSection(
                .with { open in
                    (open.event, open.section.name) = (event, "s")
                    open.section.rows = [.with { ($0.label, $0.seats) = ("A", Int32(Self.seats)) }]
                    open.section.price = .with { ($0.amount, $0.currency) = (4500, "EUR") }
                }), "\(event)-open")
    }

    private func draw(_ state: inout State) -> EncodedCommand {
        state.made += 1
        let id = "\(name)\(state.made)"
        if let old = state.holds.randomElement(using: &state.random), state.random.next() % 3 == 0 {
            if state.random.next() % 4 == 0 {
                return command(
                    .confirmPurchase(
                        .with {
                            ($0.event, $0.section, $0.hold) = (old.event, "s", old.hold)
                            ($0.holder, $0.paymentToken) = ("fan", "tok_1")
                        }), id)
            }
            return command(
                .releaseHold(.with { ($0.event, $0.section, $0.hold, $0.holder) = (old.event, "s", old.hold, "fan") }),
                id)
        }
        return command(
            .holdSeats(
                .with {
                    $0.event = "\(name)e\(Int.random(in: 0..<Self.events, using: &state.random))"
                    ($0.section, $0.hold, $0.holder) = ("s", id, "fan")
                    $0.seats = ["A-\(Int.random(in: 1...Self.seats, using: &state.random))"]
                }), id)
    }

    private func command(_ kind: TicketsCommand.OneOf_Kind, _ id: String) -> EncodedCommand {
        let value = TicketsCommand.bytes(kind)
        let type = Domain.tickets.decider?.commands.kindName(in: value) ?? ""
        return EncodedCommand(type: type, key: Bytes(Tickets.key(of: kind)), value: value, id: id, time: Self.now())
    }

    /// What these sales left on a topic, of all partitions.
    func records(_ topic: String) async throws -> [(place: TopicPartition, record: Record)] {
        var found: [(TopicPartition, Record)] = []
        for (place, range) in try await log.bounds(of: log.partitions(of: [topic])) {
            try await log.scan(place, from: range.lowerBound, to: range.upperBound) { batch in
                found += batch.records.filter { $0.key.text.hasPrefix(name) }.map { (place, $0) }
            }
        }
        return found
    }

    /// Every id has one outcome, the one that its asker was told, and the log has the events that outcomes tell of, once.
    func expectEachDecidedOnce(at place: SourceLocation = #_sourceLocation) async throws {
        var outcomes: [String: Outcome] = [:]
        for (_, record) in try await records("tickets.outcomes") {
            let outcome = try Outcome(record.value)
            let first = outcomes.updateValue(outcome, forKey: outcome.id) ?? outcome
            #expect(outcome == first, "\(outcome.id) was answered in two ways", sourceLocation: place)
        }
        for (command, outcome) in state.withLock({ $0.sent }) {
            #expect(outcomes[command.id] == outcome, "\(command.id) was told otherwise", sourceLocation: place)
        }
        var written: [String: [Outcome.Written]] = [:]
        for (place, record) in try await records("tickets.events").sorted(by: { $0.record.offset < $1.record.offset }) {
            written[record[header: "cause"] ?? "", default: []]
                .append(Outcome.Written(place: place, offset: record.offset, type: record[header: "type"] ?? ""))
        }
        let told = outcomes.mapValues(\.events).filter { !$0.value.isEmpty }
        #expect(written == told, "events are those of the outcomes", sourceLocation: place)
    }
}
