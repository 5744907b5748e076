internal import Domains
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import Synchronization

/// Fans who buy seats and visitors who hit pages, all from one seed.
final class Crowd: Sendable {
    static let event = "gala"
    static let sites = ["home", "shop", "blog"]
    private static let sections = [("stalls", 8, 24), ("balcony", 4, 30)]

    struct Tally {
        var accepted = 0
        var refused = 0
        var hits = 0
        /// Milliseconds from send to outcome, of each command.
        var waits: [Double] = []

        func percentile(_ percent: Int) -> String {
            if waits.isEmpty { return "-" }
            let sorted = waits.sorted()
            return String(format: "%.1f", sorted[min(sorted.count - 1, sorted.count * percent / 100)])
        }
    }

    private let seed: UInt64
    private let fans: Int
    private let length: Duration
    private let counted = Mutex(Tally())

    init(seed: UInt64, fans: Int, length: Duration) {
        self.seed = seed
        self.fans = fans
        self.length = length
    }

    var tally: Tally { counted.withLock { $0 } }

    func play(on log: any EventLog) async throws {
        let catalogue = Catalogue(domains: Domains.all)
        try await CommandClient.with(log, domains: [.tickets], clock: { now() }) { client in
            let desk = Desk(client: client, catalogue: catalogue, crowd: self)
            try await openHouse(desk)
            let end = ContinuousClock.now + length
            try await withThrowingTaskGroup(of: Void.self) { group in
                for fan in 0..<fans {
                    group.addTask { try await self.buy(as: fan, at: desk, until: end) }
                }
                group.addTask { try await self.visit(log, until: end) }
                try await group.waitForAll()
            }
        }
    }

    private func openHouse(_ desk: Desk) async throws {
        let sections = Self.sections.enumerated().map { i, section in
            let rows = (0..<section.1).map { row in
                #"{"label":"\#(Character(Unicode.Scalar(UInt8(65 + row))))","seats":\#(section.2)}"#
            }
            return
                #"{"name":"\#(section.0)","rows":[\#(rows.joined(separator: ","))],"price":{"amount":\#(9000 - 3000 * i),"currency":"EUR"}}"#
        }
        let starts = (now() + .seconds(30 * 86_400)).rfc3339
        _ = try await desk.send(
            "ListEvent",
            #"{"event":"\#(Self.event)","title":"The Gala","venue":"Opera","startsAt":"\#(starts)","sections":[\#(sections.joined(separator: ","))]}"#
        )
        // The sections are opened by a reaction; seats can be held once the first hold is not refused for that.
        for section in Self.sections {
            let probe =
                #"{"event":"\#(Self.event)","section":"\#(section.0)","holder":"usher","seats":["A-1"],"hold":"opening-\#(section.0)"}"#
            let deadline = ContinuousClock.now + .seconds(20)
            while try await desk.send("HoldSeats", probe).reason == "unknown-section", .now < deadline {
                try await Task.sleep(for: .milliseconds(5))
            }
            _ = try await desk.send(
                "ReleaseHold",
                #"{"event":"\#(Self.event)","section":"\#(section.0)","holder":"usher","hold":"opening-\#(section.0)"}"#
            )
        }
    }

    private func buy(as fan: Int, at desk: Desk, until end: ContinuousClock.Instant) async throws {
        var random = SplitMix(seed: seed &+ UInt64(fan) &* 7919)
        var turn = 0
        while .now < end {
            turn += 1
            let section = Self.sections[Int.random(in: 0..<Self.sections.count, using: &random)]
            let row = Character(Unicode.Scalar(UInt8(65 + Int.random(in: 0..<section.1, using: &random))))
            let count = Int.random(in: 1...4, using: &random)
            let first = Int.random(in: 1...(section.2 - count + 1), using: &random)
            let seats = (first..<first + count).map { "\"\(row)-\($0)\"" }.joined(separator: ",")
            let who =
                #""event":"\#(Self.event)","section":"\#(section.0)","holder":"fan-\#(fan)","hold":"fan-\#(fan)-\#(turn)""#
            let choice = Int.random(in: 0..<100, using: &random)
            // Some came almost five minutes ago and have forgotten: their holds run out while the demo lasts.
            let forgotten = choice >= 80
            let held = try await desk.send(
                "HoldSeats", "{\(who),\"seats\":[\(seats)]}", at: forgotten ? now() - .seconds(298) : nil)
            if held.accepted, choice < 45 {
                _ = try await desk.send("ConfirmPurchase", "{\(who),\"paymentToken\":\"tok_\(fan)_\(turn)\"}")
            } else if held.accepted, choice < 60 {
                _ = try await desk.send("ReleaseHold", "{\(who)}")
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...120, using: &random)))
        }
    }

    private func visit(_ log: any EventLog, until end: ContinuousClock.Instant) async throws {
        guard let telemetry = Domain.hits.telemetry, let kind = telemetry.events.kind(named: "Hit"),
            let count = try await log.partitionCounts()[telemetry.topic]
        else { return }
        var random = SplitMix(seed: seed)
        while .now < end {
            var appends: [TopicPartition: [NewRecord]] = [:]
            for _ in 0..<200 {
                let site = Self.sites[[0, 0, 0, 1, 1, 2][Int.random(in: 0..<6, using: &random)]]
                let visitor = Int.random(in: 0..<5000, using: &random)
                let value = try telemetry.events.encode(
                    kind,
                    json: Bytes(
                        #"{"site":"\#(site)","path":"/\#(visitor % 97)","visitor":"v\#(visitor)","status":200}"#))
                let key = try telemetry.keyOfEvent(value)
                let target = TopicPartition(telemetry.topic, Partitioner.partition(of: key, among: count))
                appends[target, default: []].append(NewRecord(key: key, value: value, timestamp: now()))
            }
            _ = try await log.append(appends.map { Append($0.key, $0.value) })
            counted.withLock { $0.hits += 200 }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    fileprivate func count(_ outcome: Outcome, _ wait: Duration) {
        counted.withLock { tally in
            if outcome.accepted { tally.accepted += 1 } else { tally.refused += 1 }
            tally.waits.append(Double(wait.components.attoseconds) / 1e15 + Double(wait.components.seconds) * 1000)
        }
    }
}

/// Where fans send their commands.
private struct Desk {
    let client: CommandClient
    let catalogue: Catalogue
    let crowd: Crowd

    func send(_ name: String, _ json: String, at time: Timestamp? = nil) async throws -> Outcome {
        let found = try catalogue.command(name)
        let command = try found.command(json: json, id: UUID().uuidString.lowercased(), at: time)
        let start = ContinuousClock.now
        let outcome = try await client.send([command], to: found.domain, within: .seconds(20))[0]
        crowd.count(outcome, .now - start)
        return outcome
    }
}

/// A small seeded generator (Steele, Lea and Flood: Fast Splittable Pseudorandom Number Generators, 2014).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
