internal import EventLog
internal import EventModel
internal import SwiftProtobuf
internal import Synchronization

/// What a program that produces events over and over need not look up each time: which event a message is, and how many
/// partitions its topic has.
final class WrittenKinds: Sendable {
    private struct State {
        var kinds: [String: Catalogue.Found] = [:]
        var counts: [String: PartitionCount] = [:]
    }
    private let state = Mutex(State())

    /// - Throws: ``UnknownName`` where no domain has the event.
    func kind<E: Message>(of event: E.Type, in catalogue: Catalogue) throws -> Catalogue.Found {
        let name = E.protoMessageName
        if let known = state.withLock({ $0.kinds[name] }) { return known }
        let events = catalogue.events
        guard let found = events.first(where: { $0.schema.kind(of: E.self) == $0.kind }) else {
            throw UnknownName("event", name, among: events.map(\.kind.name))
        }
        state.withLock { $0.kinds[name] = found }
        return found
    }

    /// How many partitions a topic has; what is known may be ``PartitionCount/pause`` old.
    func partitions(of topic: String, on log: any EventLog) async throws -> Int {
        if var known = state.withLock({ $0.counts[topic] }) {
            let count = try await known.now()
            state.withLock { [known] in $0.counts[topic] = known }
            return count
        }
        guard let count = try await log.partitionCounts()[topic] else { throw LogError.unknown(topic) }
        state.withLock { $0.counts[topic] = PartitionCount(of: topic, on: log, count) }
        return count
    }
}
