import EventLog
import EventModel
import Foundation
import LocalLog
import MillraceTestKit
import SwiftProtobuf
import TestSupport
import Testing

@testable import TicketsDomain

/// Handlers that are killed at any moment decide what one that nobody disturbed decides.
@Suite("Starting from a checkpoint", .serialized, .timeLimit(.minutes(10)))
struct RecoveryTests {
    private static let rounds = 4
    private static let portion = 1500
    private static let time = Timestamp(Int64(Date.now.timeIntervalSince1970) * 1000 - 60_000)

    /// Commands of one round, each with its partition; every tenth id comes twice, some with another body.
    private func commands(_ round: Int, _ random: inout SeededRandom) -> [Append] {
        var appends: [TopicPartition: [NewRecord]] = [:]
        for i in 0..<Self.portion {
            let event = "e\(Int.random(in: 0..<200, using: &random))"
            let (hold, holder) = ("h\(Int.random(in: 0..<8, using: &random))", "fan")
            let kind: TicketsCommand.OneOf_Kind =
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<2:
                    .openSection(
                        .with { command in
                            (command.event, command.section.name) = (event, "s")
                            command.section.rows = [.with { ($0.label, $0.seats) = ("A", 9) }]
                            command.section.price = .with { ($0.amount, $0.currency) = (100, "EUR") }
                        })
                case 2..<6:
                    .holdSeats(
                        .with {
                            ($0.event, $0.section, $0.hold, $0.holder) = (event, "s", hold, holder)
                            $0.seats = ["A-\(Int.random(in: 1...9, using: &random))"]
                        })
                case 6..<9:
                    .releaseHold(.with { ($0.event, $0.section, $0.hold, $0.holder) = (event, "s", hold, holder) })
                default:
                    .confirmPurchase(.with { ($0.event, $0.section, $0.hold, $0.holder) = (event, "s", hold, holder) })
                }
            let old = Int.random(in: 0..<10, using: &random) == 0
            let id =
                "c\(old ? Int.random(in: 0..<(round * Self.portion + i + 1), using: &random) : round * Self.portion + i)"
            let key = Bytes(Tickets.key(of: kind))
            let command = EncodedCommand(
                type: "", key: key, value: TicketsCommand.bytes(kind), id: id, time: Self.time)
            let place = TopicPartition("tickets.commands", Partitioner.partition(of: key, among: 4))
            appends[place, default: []].append(command.record(now: Self.time))
        }
        return appends.sorted { $0.key < $1.key }.map { Append($0.key, $0.value) }
    }

    private func values(_ topic: String, _ folder: String) async throws -> [[Bytes]] {
        let log = try await LocalLog.open(directory: folder)
        var values = [[Bytes]](repeating: [], count: 4)
        for (place, range) in try await log.bounds(of: (0..<4).map { TopicPartition(topic, Partition($0)) }) {
            try await log.scan(place, from: range.lowerBound, to: range.upperBound) { batch in
                values[Int(place.partition.rawValue)] += batch.records.map(\.value)
            }
        }
        await log.close()
        return values
    }

    /// How many records a worker has said to have folded.
    private func folded(_ worker: Running) -> Int {
        worker.err.matches(of: /folded=(\d+)/).reduce(0) { $0 + (Int($1.1) ?? 0) }
    }

    @Test func `handlers killed at random moments decide and answer as one that was not disturbed`() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed)
        try await onBus { bus in
            try await onBus { undisturbed in
                var lives: [String] = []
                for round in 0..<Self.rounds {
                    let appends = commands(round, &random)
                    for folder in [bus.log, undisturbed.log] {
                        let log = try await LocalLog.open(directory: folder)
                        if round == 0 { try await log.create(Domain.tickets.topics) }
                        _ = try await log.append(appends)
                        await log.close()
                    }
                    let worker = try bus.start("work", "tickets.handler", "--verbose")
                    if round == Self.rounds / 2 {
                        // One is let to do all, and stops: however slow the machine is, there is a checkpoint after it.
                        try await eventually("what is there to be answered", within: .seconds(300)) {
                            try await bus.count("tickets.outcomes") == (round + 1) * Self.portion ? true : nil
                        }
                        #expect(try await worker.stop().exit == 0, "\(worker.err)")
                        lives.append("stopped")
                        continue
                    }
                    let life = Duration.milliseconds(Int.random(in: 100...2200, using: &random))
                    // Not for a condition: the moment is to be any.
                    try await Task.sleep(for: life)
                    try await worker.crash()
                    lives.append("\(life)")
                }
                let (last, whole) = (
                    try bus.start("work", "tickets.handler", "--verbose"),
                    try undisturbed.start("work", "tickets.handler")
                )
                for (bus, worker) in [(bus, last), (undisturbed, whole)] {
                    try await eventually("every command to be answered", within: .seconds(300)) { () -> Bool? in
                        guard worker.err.contains("ready after") else { return nil }
                        return try await bus.count("tickets.outcomes") == Self.rounds * Self.portion ? true : nil
                    }
                    #expect(try await worker.stop().exit == 0, "\(worker.err)")
                }
                for topic in ["tickets.events", "tickets.outcomes"] {
                    let (mine, theirs) = (try await values(topic, bus.log), try await values(topic, undisturbed.log))
                    #expect(mine == theirs, "\(topic), seed \(seed), lives \(lives)")
                    #expect(theirs.joined().count > 1000, "\(topic) has \(theirs.joined().count)")
                }
                let total = Self.rounds * Self.portion

                // After a stop nothing is left to fold, and a deleted checkpoint is folded again.
                let checkpoint = "\(bus.log)/views/tickets.handler@2.sqlite"
                for (isThere, expected) in [(true, 0...0), (false, total...3 * total), (true, 0...0)] {
                    if !isThere {
                        for end in ["", "-wal", "-shm"] {
                            try? FileManager.default.removeItem(atPath: checkpoint + end)
                        }
                    }
                    let worker = try bus.start("work", "tickets.handler", "--verbose")
                    try await eventually("a start: \(worker.err)") { worker.err.contains("ready after") ? true : nil }
                    #expect(expected.contains(folded(worker)), "\(worker.err)")
                    if !isThere { #expect(folded(last) < folded(worker), "seed \(seed), lives \(lives)") }
                    #expect(worker.err.contains(/ready after tickets\.handler \d+ ms/))
                    #expect(try await worker.stop().exit == 0)
                }
            }
        }
    }
}
