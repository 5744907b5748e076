package import EventLog
package import EventModel
internal import Foundation
internal import Handling
package import Quarantining

/// The waiting records of one key, or one that has no key, in the order in which they will be handled.
package struct QuarantineGroup {
    package typealias Item = (source: TopicPartition, record: Quarantine.Parked)
    package var worker: String
    package var items: [Item]

    package var key: Bytes { items[0].record.key }
    package var time: Timestamp { items[0].record.timestamp }
    package var place: String { "\(items[0].source)@\(items[0].record.offset)" }
    package var attempts: Int { items.map(\.record.attempts).max() ?? 0 }
    /// Why the key is stopped: the first reason that there is.
    package var reason: String { items.lazy.map(\.record.reason).first { !$0.isEmpty } ?? "" }

    package func answers(to name: String) -> Bool {
        key.isEmpty ? place == name : key.text == name || key.storable == name
    }

    package func request(drop: Int) -> RedriveRequest {
        RedriveRequest(
            id: UUID().uuidString.lowercased(), worker: worker, source: items[0].source, key: key, drop: drop,
            only: key.isEmpty ? items[0].record.offset : nil)
    }
}

extension QuarantineGroup {
    /// What waits for one worker, by key. A handler's events come before its commands, which wait for them; topics of others
    /// have nothing to do with each other.
    private static func groups(
        of worker: String, _ sources: [TopicPartition: Quarantine], in domains: [Domain]
    ) -> [QuarantineGroup] {
        let domain = domains.first { Handler.group(of: $0) == worker }
        let all = sources.sorted { $0.key < $1.key }.flatMap { source, quarantine in
            quarantine.parked.map { Item(source, $0) }
        }
        struct Line: Hashable {
            var topic: String?
            var partition: Partition
            var key: Bytes
            var offset: Offset?
        }
        let lines = Dictionary(grouping: all) { item in
            Line(
                topic: domain == nil ? item.source.topic : nil, partition: item.source.partition, key: item.record.key,
                offset: item.record.key.isEmpty ? item.record.offset : nil)
        }
        return lines.values.map { items in
            let events = items.filter { $0.source.topic == domain?.eventsTopic }
            return QuarantineGroup(
                worker: worker, items: events + items.filter { $0.source.topic != domain?.eventsTopic })
        }.sorted { ($0.items[0].source, $0.items[0].record.offset) < ($1.items[0].source, $1.items[0].record.offset) }
    }

    /// What waits, by worker, partition and key, in the order of the first records.
    package static func groups(
        _ book: QuarantineState, _ worker: String?, _ key: String? = nil, in domains: [Domain]
    ) throws -> [QuarantineGroup] {
        let workers = Workers.all(of: domains).map(\.name)
        let worker = try worker.map { name in
            guard let found = Naming.find(name, in: workers, names: { [$0] }).first else {
                throw UnknownName("worker", name, among: workers)
            }
            return found
        }
        let all = book.workers.filter { worker == nil || $0.key == worker }.sorted { $0.key < $1.key }.flatMap {
            groups(of: $0, $1, in: domains)
        }
        let chosen = all.filter { group in key.map { group.answers(to: $0) } ?? true }
        if let worker, let key, chosen.isEmpty {
            throw BusError(
                .usage, "nothing of \(key) waits for \(worker); what does is shown by: \(Program.name) quarantine list")
        }
        return chosen
    }
}

extension EventLog {
    /// What the topic of the quarantine says.
    package func quarantine() -> QuarantineLog { QuarantineLog(self, clock: { now() }) }
}
