internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus
internal import Synchronization

/// A city for some seconds: fans buy seats, people tweet and follow, orders are cooked and carried, taxis drive on a grid
/// of streets, visitors hit pages. All of it from one seed, so that the same people choose the same.
struct City {
    let seed: UInt64
    /// Fans at the ticket office; the other crowds are as large in proportion.
    let fans: Int
    let length: Duration

    func play(on log: any EventLog, in domains: [Domain], _ tally: Tally) async throws {
        try await CommandClient.with(log, domains: domains, clock: { now() }) { client in
            let desk = Desk(
                log: log, client: client, catalogue: Catalogue(domains: domains),
                counts: try await log.partitionCounts(),
                tally: tally)
            let crowds: [any Crowd] = [
                Fans(seed: seed, count: fans), Tweeters(seed: seed, count: max(8, fans * 3 / 2)),
                Kitchens(seed: seed, count: max(2, fans / 4)), Taxis(seed: seed, count: fans * 5),
                Visitors(seed: seed),
            ]
            for crowd in crowds { try await crowd.open(desk) }
            let end = ContinuousClock.now + length
            try await withThrowingTaskGroup(of: Void.self) { group in
                for crowd in crowds {
                    for person in 0..<crowd.people {
                        group.addTask { try await crowd.act(as: person, at: desk, until: end) }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

/// People who do the same kind of thing.
protocol Crowd: Sendable {
    /// How many act at once.
    var people: Int { get }
    /// What must be there before they come.
    func open(_ desk: Desk) async throws
    func act(as person: Int, at desk: Desk, until end: ContinuousClock.Instant) async throws
}

/// What a crowd has done so far.
final class Tally: Sendable {
    struct Counts {
        var accepted = 0
        var refused = 0
        /// Facts appended without a decision, by their name.
        var facts: [String: Int] = [:]
        /// Milliseconds from send to outcome, of each command.
        var waits: [Double] = []

        func percentile(_ percent: Int) -> String {
            if waits.isEmpty { return "-" }
            let sorted = waits.sorted()
            return String(format: "%.1f", sorted[min(sorted.count - 1, sorted.count * percent / 100)])
        }
    }
    private let counted = Mutex(Counts())
    var counts: Counts { counted.withLock { $0 } }

    fileprivate func count(_ outcomes: [Outcome], _ wait: Duration) {
        let milliseconds = Double(wait.components.attoseconds) / 1e15 + Double(wait.components.seconds) * 1000
        counted.withLock { counts in
            for outcome in outcomes {
                if outcome.accepted { counts.accepted += 1 } else { counts.refused += 1 }
                counts.waits.append(milliseconds)
            }
        }
    }
    fileprivate func count(_ fact: String, _ number: Int) { counted.withLock { $0.facts[fact, default: 0] += number } }
}

/// Where people send their commands and facts, as JSON, like anyone outside.
struct Desk: Sendable {
    let log: any EventLog
    let client: CommandClient
    let catalogue: Catalogue
    let counts: [String: Int]
    let tally: Tally

    @discardableResult
    func send(_ name: String, _ json: String, at time: Timestamp? = nil) async throws -> Outcome {
        try await send(name, [(json, time)])[0]
    }

    /// Sends several commands of one kind at once.
    @discardableResult
    func send(_ name: String, _ all: [(json: String, time: Timestamp?)]) async throws -> [Outcome] {
        let found = try catalogue.command(name)
        let commands = try all.map { try found.command(json: $0.json, id: UUID().uuidString.lowercased(), at: $0.time) }
        let start = ContinuousClock.now
        let outcomes = try await client.send(commands, to: found.domain, within: .seconds(20))
        tally.count(outcomes, .now - start)
        return outcomes
    }

    /// Appends facts that need no decision.
    func observe(_ name: String, _ all: [String]) async throws {
        let found = try catalogue.event(name)
        guard let count = counts[found.topic] else { throw LogError.unknown(found.topic) }
        let records = try all.map { json in
            let value = try found.schema.encode(found.kind, json: Bytes(json))
            return NewRecord(key: try found.key(value), value: value, timestamp: now())
        }
        _ = try await log.append(Append.byKey(records, to: found.topic, among: count))
        tally.count(name, all.count)
    }
}

extension SeededRandom {
    /// One of them; there must be some.
    mutating func one<T>(of all: [T]) -> T { all[Int.random(in: 0..<all.count, using: &self)] }

    /// A while, so many milliseconds.
    mutating func pause(_ range: ClosedRange<Int>) async throws {
        try await Task.sleep(for: .milliseconds(Int.random(in: range, using: &self)))
    }
}
