package import EventLog
package import EventModel
internal import Foundation
package import Handling

/// Where produced events go: appended, or to the handler that admits them.
package struct EventSink: Sendable {
    private enum Way: Sendable {
        case append(any EventLog, PartitionCount)
        case admission(CommandClient, Catalogue.Found, Duration)
    }
    private var way: Way
    /// The last offset written in each partition.
    package private(set) var ends: [TopicPartition: Offset] = [:]

    private init(_ way: Way) { self.way = way }

    /// Straight to the topic of telemetry.
    package static func append(_ log: any EventLog, _ count: PartitionCount) -> EventSink {
        EventSink(.append(log, count))
    }

    /// As facts to a handler, which is waited for so long.
    package static func admission(
        _ client: CommandClient, _ found: Catalogue.Found, within limit: Duration
    ) -> EventSink { EventSink(.admission(client, found, limit)) }

    /// Whether `put` can refuse one event and take another.
    package var canRefuse: Bool { if case .admission = way { true } else { false } }

    /// Puts events in order; gives those that were refused by their place.
    package mutating func put(_ events: [EventLines.Event]) async throws -> [Int: Refused] {
        switch way {
        case .append(let log, var spread):
            let records = events.map { NewRecord(key: $0.key, value: $0.value, timestamp: $0.time ?? now()) }
            let ordered = Append.byKey(records, to: spread.topic, among: try await spread.now())
            way = .append(log, spread)
            for (append, offsets) in zip(ordered, try await log.append(ordered)) { ends[append.target] = offsets.last }
            return [:]
        case .admission(let client, let found, let limit):
            let facts = events.map { event in
                EncodedCommand(
                    type: found.kind.name, key: event.key, value: event.value, id: UUID().uuidString.lowercased(),
                    time: event.time)
            }
            var refused: [Int: Refused] = [:]
            let outcomes = try await client.send(facts, to: found.domain, asFacts: true, within: limit)
            for (i, outcome) in outcomes.enumerated() {
                if !outcome.accepted { refused[i] = Refused(reason: outcome.reason, message: outcome.message) }
                ends.merge(outcome.places, uniquingKeysWith: max)
            }
            return refused
        }
    }
}
