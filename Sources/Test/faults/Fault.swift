internal import EventModel
internal import MillraceTestKit

/// Something that goes wrong, and with what.
struct Fault: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        case workerKilled = "worker killed"
        case producerKilled = "producer killed"
        case workerFrozen = "worker frozen, woken later"
        case workerRestarted = "worker restarted"
        case allWorkersKilled = "all workers killed"
        case databaseCrashed = "database crashed"
        case brokerRestarted = "broker restarted"
        case connectionsDropped = "connections dropped"
        case connectionsFrozen = "connections frozen"
        case diskFull = "disk full"
        case clockSkewed = "worker's clock skewed"
    }
    var kind: Kind
    /// Which of those there are: counted round and round.
    var target: Int
    /// How long it lasts, for what does not happen in a moment.
    var lasts: Duration
    /// Seconds that a skewed clock is ahead, or behind.
    var skew: Int
}

/// Which faults happen when: the same for the same seed.
struct Schedule: Sendable {
    var faults: [(at: Duration, fault: Fault)] = []

    /// Milliseconds between two faults on a local log, drawn evenly.
    static let pause = 1000...3000
    /// The same on a broker, where a group misses a dead member only after its session of 10 s.
    static let longPause = 8000...16_000
    /// Longer than a member may be silent, so others take over before it wakes.
    static let frozen = 11_000...13_000

    /// - Parameters:
    ///   - kinds: Those that are possible; each comes once in every round.
    ///   - time: How long there is a load.
    ///   - pause: Milliseconds between two.
    init(seed: UInt64, kinds: [Fault.Kind], over time: Duration, pause: ClosedRange<Int> = Self.pause) {
        var random = SeededRandom(seed, 0xfa17)
        var round: [Fault.Kind] = []
        var at = Int.random(in: pause, using: &random)
        /// From when on a kind may come again: the one before is over.
        var free: [Fault.Kind: Int] = [:]
        while !kinds.isEmpty {
            if round.isEmpty { round = kinds.shuffled(using: &random) }
            let kind = round.removeLast()
            at = max(at, free[kind] ?? 0)
            if Duration.milliseconds(at) >= time { break }
            let lasts = Int.random(in: kind == .workerFrozen ? Self.frozen : 500...4000, using: &random)
            free[kind] = at + lasts + pause.lowerBound
            let seconds = Int.random(in: 5...50, using: &random)
            faults.append(
                (
                    .milliseconds(at),
                    Fault(
                        kind: kind, target: Int.random(in: 0..<1000, using: &random), lasts: .milliseconds(lasts),
                        skew: Bool.random(using: &random) ? seconds : -seconds)
                ))
            at += Int.random(in: pause, using: &random)
        }
    }
}
