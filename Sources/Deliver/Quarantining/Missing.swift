public import EventLog
public import EventModel
public import Logging

/// Notices what retention took before a worker came to it, and says so: to people, and on the quarantine's topic, where
/// `lag` finds it.
///
/// A log that keeps a record for each offset shows it by any gap. On another, transactions leave marks between records, one
/// offset each; it is asked only where more is missing.
public struct Missing: Sendable {
    private let worker: String
    /// What comes of it: `what they did is not in the view`.
    private let consequence: String
    private let log: any EventLog
    private let quarantine: QuarantineLog?
    private let logger: Logger

    public init(
        of worker: String, _ consequence: String, log: any EventLog, quarantine: QuarantineLog?, logger: Logger
    ) {
        (self.worker, self.consequence) = (worker, consequence)
        (self.log, self.quarantine, self.logger) = (log, quarantine, logger)
    }

    /// Partitions are taken.
    ///
    /// - Parameters:
    ///   - next: Where the worker would go on.
    ///   - bounds: What the log has.
    public func begin(
        _ next: [TopicPartition: Offset], _ bounds: [TopicPartition: Range<Offset>]
    ) async throws {
        for (source, next) in next.sorted(by: { $0.key < $1.key }) {
            if let first = bounds[source]?.lowerBound, next < first { try await tell(source, next..<first) }
        }
    }

    /// Batches have come.
    ///
    /// - Parameter next: Up to where the worker has come before them.
    public func check(_ batches: [Batch], after next: [TopicPartition: Offset]) async throws {
        let smallest: Int64 = isContiguous ? 1 : 2
        var gaps: [TopicPartition: [Range<Offset>]] = [:]
        for batch in batches {
            guard let expected = next[batch.source] else { continue }
            let found = batch.gaps(from: expected, of: smallest)
            if !found.isEmpty { gaps[batch.source, default: []] += found }
        }
        if gaps.isEmpty { return }
        let bounds: [TopicPartition: Range<Offset>]
        do {
            bounds = try await log.bounds(of: Array(gaps.keys))
        } catch let error as LogError {
            logger.warning("\(worker) could not ask whether records are past their retention: \(error)")
            return
        }
        for (source, gaps) in gaps.sorted(by: { $0.key < $1.key }) {
            guard let first = bounds[source]?.lowerBound else { continue }
            for gap in gaps where gap.lowerBound < first {
                try await tell(source, gap.lowerBound..<min(gap.upperBound, first))
            }
        }
    }

    private var isContiguous: Bool { log.promises.contains(.contiguous) }

    private func tell(_ source: TopicPartition, _ range: Range<Offset>) async throws {
        let count = "\(isContiguous ? "" : "up to ")\(range.upperBound - range.lowerBound)"
        logger.warning(
            """
            \(worker) has missed \(count) records of \(source): it goes on at \(range.upperBound), and those from \
            \(range.lowerBound) on are past their retention; \(consequence)
            """)
        guard let quarantine else { return }
        if try await quarantine.read().missed[worker]?[source]?.contains(range) ?? false { return }
        try await quarantine.append([.missed(worker: worker, source, range)])
    }
}

extension RangeSet<Offset> {
    public func contains(_ range: Range<Offset>) -> Bool {
        ranges.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
    }

    /// How many offsets they are.
    public var count: Int64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }
}

extension Batch {
    /// Where so many offsets or more have no record, from one that was to be the first.
    func gaps(from expected: Offset, of least: Int64) -> [Range<Offset>] {
        // As a rule each offset has one.
        if next - expected < Int64(records.count) + least { return [] }
        var gaps: [Range<Offset>] = []
        var at = expected
        for record in records {
            if record.offset - at >= least { gaps.append(at..<record.offset) }
            at = max(at, record.offset + 1)
        }
        if next - at >= least { gaps.append(at..<next) }
        return gaps
    }
}
