internal import EventModel
internal import Synchronization

/// Where an event is said to be.
struct Spot: Sendable, Hashable, Comparable, CustomStringConvertible {
    var place: TopicPartition
    var offset: Offset
    var type: String
    var description: String { "\(type) at \(place)@\(offset)" }

    static func < (a: Spot, b: Spot) -> Bool { (a.place, a.offset) < (b.place, b.offset) }
}

/// What a command was answered.
struct Answer: Sendable, Hashable, CustomStringConvertible {
    var isAccepted: Bool
    /// Empty where it was accepted.
    var reason: String
    var message: String
    var events: [Spot]
    var description: String { isAccepted ? "accepted \(events)" : "refused: \(reason)" }
}

/// What producers asked for and what they were told, by the ids that they chose.
struct Ledger: Sendable {
    struct Command: Sendable {
        /// How often it was sent.
        var tries = 0
        var answer: Answer?
    }
    struct Fact: Sendable {
        /// How often it was sent.
        var tries = 0
        var isAcknowledged = false
        /// Whether it is there once however often it was sent.
        var isOnce: Bool
    }
    var commands: [String: Command] = [:]
    var facts: [String: Fact] = [:]
    /// Answers that were not the first one's.
    var contradictions: [Discrepancy] = []

    mutating func send(commands ids: [String]) {
        for id in ids { commands[id, default: Command()].tries += 1 }
    }

    /// - Parameter isOnce: By an importer, which knows what it has taken.
    mutating func send(facts ids: [String], isOnce: Bool) {
        for id in ids { facts[id, default: Fact(isOnce: isOnce)].tries += 1 }
    }

    mutating func hear(_ answer: Answer, of id: String) {
        guard let before = commands[id]?.answer else {
            commands[id, default: Command()].answer = answer
            return
        }
        if before != answer {
            contradictions.append(
                Discrepancy(.twice, "\(id) was answered once: \(before), and once: \(answer)"))
        }
    }

    mutating func acknowledge(facts ids: some Sequence<String>) {
        for id in ids { facts[id]?.isAcknowledged = true }
    }

    var answered: Int { commands.values.count { $0.answer != nil } }
    var acknowledged: Int { facts.values.count { $0.isAcknowledged } }
}

/// The one ledger that all producers of a campaign write to.
final class SharedLedger: Sendable {
    private let ledger = Mutex(Ledger())

    func note(_ body: (inout Ledger) -> Void) { ledger.withLock { body(&$0) } }
    var value: Ledger { ledger.withLock { $0 } }
}
