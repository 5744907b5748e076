internal import EventLog
internal import EventModel
internal import Handling

/// Something that is not as it was promised.
struct Discrepancy: Sendable, Hashable, CustomStringConvertible {
    enum Kind: String, Sendable, CaseIterable {
        /// Acknowledged, and not there.
        case lost
        /// There, or answered, more often than it may be.
        case twice
        /// Anything else that does not hold.
        case broken
    }
    var kind: Kind
    var words: String

    init(_ kind: Kind, _ words: String) {
        self.kind = kind
        self.words = words
    }
    var description: String { "\(kind.rawValue): \(words)" }
}

/// What a log holds of a campaign.
struct Contents: Sendable {
    /// Outcomes by the command's id, in their order.
    var outcomes: [String: [Answer]] = [:]
    /// Events by the id of the command that caused them.
    var events: [String: [Spot]] = [:]
    /// How often each fact is there.
    var facts: [String: Int] = [:]
    /// Records of topics that are not commands or outcomes.
    var count = 0

    init() {}

    /// Reads a log from where the campaign began.
    ///
    /// - Parameter tag: What all ids of the campaign begin with.
    init(of log: any EventLog, from starts: [TopicPartition: Offset], domains: [Domain], tag: String) async throws {
        for (partition, range) in try await log.bounds(of: starts.keys.sorted()).sorted(by: { $0.key < $1.key }) {
            guard let domain = domains.first(where: { $0.owns(partition.topic) }) else { continue }
            let from = max(range.lowerBound, starts[partition] ?? 0)
            if from >= range.upperBound { continue }
            try await log.scan(partition, from: from, to: range.upperBound) { batch in
                for record in batch.records { try add(record, in: partition, domain, tag) }
            }
        }
    }

    private mutating func add(
        _ record: Record, in partition: TopicPartition, _ domain: Domain, _ tag: String
    ) throws {
        switch partition.topic {
        case domain.commandsTopic: return
        case domain.outcomesTopic where domain.decider != nil:
            let outcome = try Outcome(record.value)
            if outcome.id.hasPrefix(tag) { outcomes[outcome.id, default: []].append(Answer(outcome)) }
            return
        case let topic where domain.telemetry.contains { $0.topic == topic }:
            if let id = try FactID.of(record, in: partition.topic), id.hasPrefix(tag) { facts[id, default: 0] += 1 }
        case domain.eventsTopic where domain.decider != nil:
            if let cause = record[header: HeaderName.cause], cause.hasPrefix(tag) {
                events[cause, default: []].append(
                    Spot(place: partition, offset: record.offset, type: record[header: HeaderName.type] ?? ""))
            }
        default: break
        }
        count += 1
    }
}

extension Domain {
    fileprivate func owns(_ topic: String) -> Bool {
        topic.hasPrefix("\(name).")
    }
}

extension Answer {
    init(_ outcome: Outcome) {
        self.init(
            isAccepted: outcome.accepted, reason: outcome.reason, message: outcome.message,
            events: outcome.events.map { Spot(place: $0.place, offset: $0.offset, type: $0.type) })
    }
}

/// Holds what producers were told against what is on the log. Pure.
///
/// **Commands.** An id that was answered has that outcome on the log and no other, at most as often as it was sent; the
/// outcome's events, and no others of that id, are there once. **Facts.** One that was acknowledged is there; once, where
/// it was sent once or by an importer, else at most as often as it was sent. **What was never acknowledged** may be there or
/// not, under the same rules.
struct Accounting: Sendable {
    let ledger: Ledger
    let contents: Contents

    var discrepancies: [Discrepancy] {
        ledger.contradictions
            + ledger.commands.sorted { $0.key < $1.key }.flatMap { check($0.key, $0.value) }
            + ledger.facts.sorted { $0.key < $1.key }.compactMap { check($0.key, $0.value) }
    }

    private func check(_ id: String, _ command: Ledger.Command) -> [Discrepancy] {
        let outcomes = contents.outcomes[id] ?? []
        let found = Set(contents.events[id] ?? [])
        guard let known = command.answer ?? outcomes.first else {
            return found.isEmpty ? [] : [Discrepancy(.broken, "\(id) has no outcome, but events: \(found.sorted())")]
        }
        var all: [Discrepancy] = []
        if outcomes.isEmpty { all.append(Discrepancy(.lost, "\(id) was answered, and its outcome is not on the log")) }
        if let other = outcomes.first(where: { $0 != known }) {
            all.append(Discrepancy(.twice, "\(id) was answered: \(known), and the log has: \(other)"))
        }
        if outcomes.count > command.tries {
            all.append(
                Discrepancy(.twice, "\(id) was sent \(command.tries) times, and has \(outcomes.count) outcomes"))
        }
        let told = Set(known.events)
        for event in told.subtracting(found).sorted() {
            all.append(Discrepancy(.lost, "\(id) made \(event), which is not there"))
        }
        for event in found.subtracting(told).sorted() {
            all.append(Discrepancy(.twice, "\(id) made \(event) too, which its outcome does not tell of"))
        }
        return all
    }

    private func check(_ id: String, _ fact: Ledger.Fact) -> Discrepancy? {
        let count = contents.facts[id] ?? 0
        if count == 0 {
            return fact.isAcknowledged ? Discrepancy(.lost, "\(id) was acknowledged, and is not there") : nil
        }
        let most = fact.isOnce ? 1 : fact.tries
        return count > most
            ? Discrepancy(.twice, "\(id) was sent \(fact.tries) times, and is there \(count) times, not \(most)") : nil
    }
}
