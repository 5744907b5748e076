internal import EventLog
internal import EventModel
internal import Foundation
internal import GRDB

/// How a partition loses what its topic does not keep.
enum Retention {
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

    /// Keeps the records of a batch that are to be kept, each where it was.
    static func rewrite(
        _ db: Database, _ partition: TopicPartition, _ row: Int64, _ keeps: (EventModel.Record) -> Bool
    ) throws {
        guard let batch = try Store.batch(db, partition, row) else { return }
        let kept = batch.filter(keeps)
        if kept.count == batch.count { return }
        guard let last = kept.last else {
            try db.execute(sql: "DELETE FROM batches WHERE id = ?", arguments: [row])
            return
        }
        let records = kept.map { record in
            NewRecord(key: record.key, value: record.value, timestamp: record.timestamp, headers: record.headers)
        }
        let base = Store.offset(row)
        let frame = Frame.encode(
            records[...], of: Frame.Seal(partition), at: base, deltas: kept.map { Int($0.offset - base) })
        try db.execute(
            sql: "UPDATE batches SET frame = ?, last = ?, newest = ? WHERE id = ?",
            arguments: [frame.bytes, last.offset.rawValue, frame.greatest.rawValue, row])
    }
}
