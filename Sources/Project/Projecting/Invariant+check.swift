public import EventLog
public import EventModel

/// What came of holding a log, and a view of it, against an invariant.
public struct Verdict: Sendable, Hashable {
    /// How many records it was told.
    public var records: Int
    /// What breaks it first; nil where nothing does.
    public var violation: Violation?
}

extension Invariant {
    /// Holds a log, and the view that the invariant names, against it.
    ///
    /// - Parameters:
    ///   - projections: Those whose views are in the store.
    ///   - progress: Told how many records have been told.
    /// - Throws: whatever keeps it from being checked.
    public func verdict(
        on log: any EventLog, _ views: any ViewStore, projections: [AnyProjection],
        progress: (_ records: Int) -> Void = { _ in }
    ) async throws -> Verdict {
        let audit = begin()
        guard let projection else { return try await check(audit, on: log, upTo: [:], of: nil, nil, progress) }
        guard let known = projections.first(where: { $0.name == projection }) else {
            throw ViewError(.mismatch, "\(name): there is no projection \(projection)")
        }
        return try await views.withSnapshot(known) { snapshot in
            try await check(audit, on: log, upTo: snapshot.asOf, of: known, snapshot, progress)
        }
    }

    /// What breaks it first, as ``verdict(on:_:projections:progress:)`` finds it; nil where nothing does.
    public func violation(
        on log: any EventLog, _ views: any ViewStore, projections: [AnyProjection]
    ) async throws -> Violation? {
        try await verdict(on: log, views, projections: projections).violation
    }

    private func check(
        _ audit: any Audit, on log: any EventLog, upTo asOf: [TopicPartition: Offset], of known: AnyProjection?,
        _ snapshot: (any ViewSnapshot)?, _ progress: (_ records: Int) -> Void
    ) async throws -> Verdict {
        let partitions = try await log.partitions(of: topics)
        let bounds = try await log.bounds(of: partitions)
        if let snapshot, let known { try await log.checkReach(of: known, asOf: snapshot.asOf) }
        var verdict = Verdict(records: 0)
        do {
            for partition in partitions {
                guard let range = bounds[partition] else { continue }
                let end =
                    known?.topics.contains(partition.topic) ?? false
                    ? asOf[partition] ?? range.lowerBound : range.upperBound
                try await log.scan(partition, from: range.lowerBound, to: end) { batch in
                    for record in batch.records { try audit.apply(record, from: partition) }
                    verdict.records += batch.records.count
                    progress(verdict.records)
                }
            }
            let ending = Ending(audit)
            if let snapshot {
                try await snapshot.read { try ending.audit.finish($0) }
            } else {
                try ending.audit.finish(nil)
            }
        } catch let violation as Violation {
            verdict.violation = violation
        }
        return verdict
    }

    /// Takes an audit to the store's thread.
    private final class Ending: @unchecked Sendable {
        // Only one thread has it at a time: whoever began it waits until the store's thread has ended it.
        let audit: any Audit
        init(_ audit: any Audit) { self.audit = audit }
    }
}
