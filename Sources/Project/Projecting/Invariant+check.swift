public import EventLog
public import EventModel

extension Invariant {
    /// Holds a log, and the view that the invariant names, against it.
    ///
    /// - Parameters:
    ///   - projections: Those whose views are in the store.
    /// - Returns: what breaks it first; nil where nothing does.
    /// - Throws: whatever keeps it from being checked.
    public func violation(
        on log: any EventLog, _ views: any ViewStore, projections: [AnyProjection]
    ) async throws -> Violation? {
        let audit = begin()
        guard let projection else { return try await check(audit, on: log, upTo: [:], of: [], nil) }
        guard let known = projections.first(where: { $0.name == projection }) else {
            throw ViewError(.mismatch, "\(name): there is no projection \(projection)")
        }
        return try await views.withSnapshot(known) { snapshot in
            try await check(audit, on: log, upTo: snapshot.asOf, of: known.topics, snapshot)
        }
    }

    private func check(
        _ audit: any Audit, on log: any EventLog, upTo asOf: [TopicPartition: Offset], of shown: [String],
        _ snapshot: (any ViewSnapshot)?
    ) async throws -> Violation? {
        let partitions = try await log.partitions(of: topics)
        let bounds = try await log.bounds(of: partitions)
        do {
            for partition in partitions {
                guard let range = bounds[partition] else { continue }
                let end = shown.contains(partition.topic) ? asOf[partition] ?? range.lowerBound : range.upperBound
                try await log.scan(partition, from: range.lowerBound, to: end) { batch in
                    for record in batch.records { try audit.apply(record, from: partition) }
                }
            }
            let ending = Ending(audit)
            if let snapshot {
                try await snapshot.read { try ending.audit.finish($0) }
            } else {
                try ending.audit.finish(nil)
            }
            return nil
        } catch let violation as Violation {
            return violation
        }
    }

    /// Takes an audit to the store's thread.
    private final class Ending: @unchecked Sendable {
        // Only one thread has it at a time: whoever began it waits until the store's thread has ended it.
        let audit: any Audit
        init(_ audit: any Audit) { self.audit = audit }
    }
}
