package import EventLog
package import EventModel
internal import Handling
package import KVDomain
package import Projecting
internal import Quarantining

/// What was found of one partition's keys.
package struct KeyFinding: Sendable {
    /// Where keys are kept that were looked at.
    package enum Place: String, Sendable, CaseIterable { case view, state, server }

    package var place: Place
    /// Of `kv.events`.
    package var partition: TopicPartition
    /// Up to where the log was folded.
    package var end: Offset
    /// Keys by the log, and the root of their checksums.
    package var keys = 0
    package var root: UInt64 = 0
    /// Those of the checksum tree's 256 that differ.
    package var ranges: [Int] = []
    /// The keys that differ, where they can be told.
    package var differences: [KeyDifference] = []
    /// How many were put right.
    package var repaired = 0
    /// Why it could not be checked.
    package var unchecked: String?
    /// Why it was not put right, though somebody asked for that.
    package var unrepaired: String?

    package var isWrong: Bool { !ranges.isEmpty && unrepaired != nil || !ranges.isEmpty && repaired == 0 }

    package init(_ place: Place, _ partition: TopicPartition, to end: Offset) {
        (self.place, self.partition, self.end) = (place, partition, end)
    }

    /// The partition, and up to where it was compared.
    package var what: String { "\(partition)@\(end)" }

    /// Keys that are named in a message.
    private static let named = 5

    /// What differs, for people.
    package var words: String {
        let place = ranges.count == 1 ? "range \(ranges[0])" : "\(ranges.count) ranges"
        let start = "\(self.place.rawValue) of \(what): \(place) of 256"
        let why = unrepaired.map { "; not put right: \($0)" } ?? ""
        if differences.isEmpty { return "\(start)\(repaired > 0 ? ", \(repaired) keys" : "")\(why)" }
        let rest = differences.count - Self.named
        let keys = differences.prefix(Self.named).map(\.words).joined(separator: ", ")
        return "\(start): \(keys)\(rest > 0 ? " and \(rest) more" : "")\(why)"
    }
}

/// Holds the keys that a view, `kv.state` or a server has against the log: checksums of 256 ranges of each partition's keys beside those of
/// the same keys folded from `kv.events` anew, up to the same place.
package struct KeyVerification: Sendable {
    let domain: Domain
    let log: any EventLog
    let events: [TopicPartition]

    /// - Throws: `LogError` where the log has no topic of keys.
    package init(_ domain: Domain, on log: any EventLog) async throws {
        guard let count = try await log.partitionCounts()[domain.eventsTopic] else {
            throw LogError.unknown(domain.eventsTopic)
        }
        (self.domain, self.log) = (domain, log)
        events = (0..<count).map { TopicPartition(domain.eventsTopic, Partition($0)) }
    }

    /// Folds a partition from its beginning up to an offset.
    func fold(_ partition: TopicPartition, to end: Offset) async throws -> KeyCopy {
        var copy = KeyCopy()
        try await eachRecord(of: partition, to: end) { try copy.apply($0.value, telling: false) }
        return copy
    }

    func eachRecord(of partition: TopicPartition, to end: Offset, _ body: (Record) throws -> Void) async throws {
        let first = try await log.bounds(of: [partition])[partition]?.lowerBound ?? 0
        try await log.scan(partition, from: first, to: end) { batch in for record in batch.records { try body(record) }
        }
    }

    /// Why a partition cannot be compared: the log has not all of its events, or a worker has left some out.
    func obstacle(_ partition: TopicPartition, of worker: String) async throws -> String? {
        let first = try await log.bounds(of: [partition])[partition]?.lowerBound ?? 0
        if first > 0 { return "the log has \(partition) only from \(first) on" }
        let said = try await QuarantineLog.state(of: log)
        let waits = said.workers[worker]?[partition].map { !$0.isEmpty } ?? false
        let missed = said.missed[worker]?[partition].map { !$0.isEmpty } ?? false
        return waits || missed ? "the quarantine has records of \(partition) for \(worker)" : nil
    }

    /// Compares a partition's copy with the log.
    func compare(_ copy: KeyCopy, _ place: KeyFinding.Place, _ partition: TopicPartition, at end: Offset) async throws
        -> KeyFinding
    {
        var finding = KeyFinding(place, partition, to: end)
        let fresh = try await fold(partition, to: end)
        let (own, sums) = (try copy.checksums(), try fresh.checksums())
        (finding.keys, finding.root) = (fresh.count, sums.root)
        finding.ranges = own.differences(from: sums).sorted()
        if !finding.ranges.isEmpty { finding.differences = try copy.differences(from: fresh) }
        return finding
    }

    // MARK: The view

    /// Compares the live build of `kv.keys` with the log, at the offsets that it shows.
    ///
    /// - Parameter repairing: Whether rows that differ are written as they should be. A projector at work goes on behind that.
    package func view(in views: any ViewStore, repairing: Bool) async throws -> [KeyFinding] {
        guard let projection = domain.projections.first(where: { $0.name == KeyRows.projection }) else { return [] }
        let live = try await views.live(projection)
        let (count, worker) = (events.count, projection.name)
        try await views.open(live)
        let (copies, asOf) = try await views.withSnapshot(live) { held in
            (try await held.read { try KeyRows.copies($0, partitions: count) }, held.asOf)
        }
        var findings: [KeyFinding] = []
        for (number, partition) in events.enumerated() {
            let end = asOf[partition] ?? 0
            if let why = try await obstacle(partition, of: worker) {
                var finding = KeyFinding(.view, partition, to: end)
                finding.unchecked = why
                findings.append(finding)
                continue
            }
            var finding = try await compare(copies[number], .view, partition, at: end)
            if repairing, !finding.differences.isEmpty {
                do {
                    try await repair(finding.differences.map(\.key), of: partition, in: live, views)
                    finding.repaired = finding.differences.count
                } catch let error as ViewError where error.kind == .fenced {
                    finding.unrepaired = "a projector took the view back each time: \(error.message)"
                }
            }
            findings.append(finding)
        }
        return findings
    }

    /// How often a projector may take the view back before its rows are written.
    private static let tries = 5

    /// Takes the partition, so that nobody else writes, and writes the rows of some keys as they are at its offset.
    private func repair(
        _ keys: [Bytes], of partition: TopicPartition, in live: AnyProjection, _ views: any ViewStore
    ) async throws {
        var tries = Self.tries
        while true {
            let claims = try await views.claim(live, [partition], owner: "kv verify")
            guard let claim = claims[partition], let next = claim.next else { return }
            var fold = KeyRowsFold(keys)
            try await eachRecord(of: partition, to: next) { try fold.apply($0, in: partition) }
            let rows = fold
            let there = try await views.read(live) { reader, _ in Rows(all: try rows.there(reader)) }
            do {
                return try await views.commit(live, to: [partition: next], under: [partition: claim.epoch]) {
                    rows.write(to: $0, over: there.all)
                }
            } catch let error as ViewError where error.kind == .fenced {
                tries -= 1
                if tries == 0 { throw error }
            }
        }
    }

    private struct Rows: Sendable { let all: [(table: Table, key: Row)] }
}
