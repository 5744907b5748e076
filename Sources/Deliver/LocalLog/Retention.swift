internal import EventLog
internal import EventModel
internal import Foundation
internal import GRDB

/// How a partition loses what its topic does not keep.
enum Retention {
    /// What a compaction left.
    struct Compacted: Sendable {
        /// Records that were kept.
        var kept: Int
        /// Where the partition ended.
        var next: Offset

        /// Whether so much has come since that it is worth while to read all of it again. That keeps others from writing, so a large
        /// partition is left alone until it has grown by a quarter.
        func isWorthwhile(at end: Offset) -> Bool {
            kept < Retention.small || (end.rawValue - next.rawValue) * 4 >= Int64(kept)
        }
    }
    /// Records of a partition that is compacted each time.
    static let small = 10_000

    static func apply(
        _ db: Database, _ topic: Topic, _ partition: TopicPartition, at now: Timestamp, after last: Compacted?
    ) throws -> Compacted? {
        switch topic.cleanup {
        case .delete:
            if let retention = topic.retention { try drop(db, partition, before: now - retention) }
            return nil
        case .compact:
            let end = try Store.place(db, partition).next
            if let last, !last.isWorthwhile(at: end) { return last }
            return Compacted(kept: try compact(db, partition), next: end)
        }
    }

    /// Drops the batches before the first that holds something newer than the moment.
    static func drop(_ db: Database, _ partition: TopicPartition, before cutoff: Timestamp) throws {
        let place = try Store.place(db, partition)
        let kept = try Int64.fetchOne(
            db, sql: "SELECT min(id) FROM batches WHERE id >= ? AND id < ? AND newest >= ?",
            arguments: [place.rows.lowerBound, place.rows.upperBound, cutoff.rawValue])
        let first = kept.map(Store.offset) ?? place.next
        if first <= place.first { return }
        try db.execute(
            sql: "DELETE FROM batches WHERE id >= ? AND id < ?",
            arguments: [place.rows.lowerBound, place.row(first)])
        try db.execute(sql: "UPDATE partitions SET first = ? WHERE id = ?", arguments: [first.rawValue, place.id])
    }

    /// Keeps only the newest record of each key, where it was; an empty value removes its key.
    ///
    /// - Returns: how many were kept.
    static func compact(_ db: Database, _ partition: TopicPartition) throws -> Int {
        let place = try Store.place(db, partition)
        let seal = Frame.Seal(partition)
        var newest: [Bytes: Offset] = [:]
        // All is read before anything is written: what is damaged stops it there. Removed keys go as well.
        var removed: Set<Bytes> = []
        try each(db, partition, place) { batch, _ in
            for record in batch {
                newest[record.key] = record.offset
                if record.value.isEmpty { removed.insert(record.key) } else { removed.remove(record.key) }
            }
        }
        try each(db, partition, place) { batch, row in
            let kept = batch.filter { newest[$0.key] == $0.offset && !$0.value.isEmpty }
            if kept.count == batch.count { return }
            guard let last = kept.last else {
                try db.execute(sql: "DELETE FROM batches WHERE id = ?", arguments: [row])
                return
            }
            let records = kept.map { record in
                NewRecord(key: record.key, value: record.value, timestamp: record.timestamp, headers: record.headers)
            }
            let base = Store.offset(row)
            let frame = Frame.encode(records[...], of: seal, at: base, deltas: kept.map { Int($0.offset - base) })
            try db.execute(
                sql: "UPDATE batches SET frame = ?, last = ?, newest = ? WHERE id = ?",
                arguments: [frame.bytes, last.offset.rawValue, frame.greatest.rawValue, row])
        }
        return newest.count - removed.count
    }

    private static func each(
        _ db: Database, _ partition: TopicPartition, _ place: Store.Place,
        _ body: ([EventModel.Record], Int64) throws -> Void
    ) throws {
        let rows = try Int64.fetchAll(
            db, sql: "SELECT id FROM batches WHERE id >= ? AND id < ? ORDER BY id",
            arguments: [place.rows.lowerBound, place.rows.upperBound])
        for row in rows {
            let base = Store.offset(row)
            guard let batch = try Store.read(db, partition, from: base, max: 1)?.batch else { continue }
            try body(batch.records, row)
        }
    }
}
