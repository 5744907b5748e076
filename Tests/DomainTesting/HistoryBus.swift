package import EventModel
package import Foundation
internal import Testing

/// Aggregates, what they came to, and what was written of it.
package final class HistoryBus {
    private let domain: Domain
    private let events: TopicPartition
    private let aggregates: any Aggregates
    package private(set) var records: [Placed] = []
    package private(set) var refused = 0

    package init(_ domain: Domain) throws {
        self.domain = domain
        events = TopicPartition(domain.eventsTopic, 0)
        aggregates = try #require(domain.decider).aggregates()
        aggregates.states.keepInCheckpoint()
    }

    private func load(_ key: Bytes) throws {
        for key in aggregates.states.missing([key]) { try aggregates.states.load(key, nil) }
    }
    private func write(_ decision: Decision, at time: Timestamp) -> [Placed] {
        guard case .accepted(let made) = decision else {
            refused += 1
            return []
        }
        let written: [Placed] = made.enumerated().map { i, event in
            let offset = Offset(Int64(records.count + i))
            return (events, Record(offset: offset, timestamp: time, key: event.key, value: event.value))
        }
        records += written
        return written
    }

    /// Decides a command, and what timers and the commands of reactions come of it.
    @discardableResult
    package func ask(_ command: EncodedCommand, at time: Timestamp) throws -> Decision {
        for timer in aggregates.due(by: time) { try decide(timer, at: timer.time ?? time) }
        return try decide(command, at: time)
    }
    @discardableResult
    private func decide(_ command: EncodedCommand, at time: Timestamp) throws -> Decision {
        try load(command.key)
        let decision = aggregates.decide(key: command.key, command: command.value, id: command.id, at: time)
        for (source, record) in write(decision, at: time) {
            for reaction in domain.reactions where reaction.topics == [domain.eventsTopic] {
                for emission in try reaction.memory().react(to: record, from: source) {
                    guard let id = emission.commandID else { continue }
                    let caused = EncodedCommand(type: "", key: emission.key, value: emission.value, id: id)
                    try decide(caused, at: time)
                }
            }
        }
        return decision
    }
    /// Admits what was recorded, each at its own time.
    package func admit(_ recorded: [Placed], seed: UInt64) throws {
        for (_, record) in recorded {
            try load(record.key)
            let decision = aggregates.admit(key: record.key, fact: record.value, at: record.timestamp)
            #expect(write(decision, at: record.timestamp).count == 1, "\(decision), seed \(seed)")
        }
    }

    /// Each aggregate's state as checkpoints keep it.
    package func states() throws -> NSDictionary {
        let states = try aggregates.states.changes().map { change in
            (change.key.text, try JSONSerialization.jsonObject(with: Data((try change.json() ?? "{}").utf8)))
        }
        // They are to be asked for again.
        aggregates.states.settle(kept: false)
        return NSDictionary(dictionary: Dictionary(uniqueKeysWithValues: states))
    }
    /// The rows of every view, also of what reactions derive.
    package func rows() throws -> [String: [Row]] {
        var derived: [Placed] = []
        for reaction in domain.reactions {
            let memory = reaction.memory()
            for (source, record) in records {
                for emission in try memory.react(to: record, from: source) where emission.commandID == nil {
                    let place = TopicPartition(emission.topic, 0)
                    derived.append(
                        (
                            place,
                            Record(
                                offset: Offset(Int64(derived.count)), timestamp: record.timestamp,
                                key: emission.key, value: emission.value)
                        ))
                }
            }
        }
        return try domain.projections.reduce(into: [:]) { rows, projection in
            let fold = Fold(projection: projection)
            try fold.take((records + derived).filter { projection.topics.contains($0.source.topic) })
            rows.merge(try fold.rows()) { _, new in new }
        }
    }
}

/// Expects that two of them wrote the same, and have the same states and rows.
package func expectSame(_ one: HistoryBus, _ other: HistoryBus, _ how: String, seed: UInt64) throws {
    #expect(one.records.map(\.record) == other.records.map(\.record), "\(how), seed \(seed)")
    #expect(try one.states() == other.states(), "\(how), seed \(seed)")
    let (here, there) = (try one.rows(), try other.rows())
    #expect(here == there && here.values.allSatisfy { !$0.isEmpty }, "\(how), seed \(seed)")
}

extension EncodedCommand {
    /// A command of this kind.
    package init<E: Envelope>(_ kind: E.Kind, _ key: String, _ id: String, as type: E.Type) {
        self.init(type: "", key: Bytes(key), value: E.bytes(kind), id: id)
    }
}
