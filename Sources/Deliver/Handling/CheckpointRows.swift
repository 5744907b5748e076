internal import EventLog
internal import EventModel

/// The tables of one worker's checkpoint.
struct CheckpointRows: Sendable {
    /// The state of each key, and when its next timer is due.
    let states: Table
    /// Where each answered command's outcome stands, for handlers: by ``KeyedID/storable``, or in rows of earlier versions by
    /// the id alone.
    let ids: Table
    /// The last record that was folded, to tell whether the log is still the one that it was folded from.
    let marks: Table
    /// All of them, as a store keeps them.
    let kept: WorkerTables

    init(_ worker: String, version: Int, remembersIDs: Bool) {
        let prefix = Table.prefix(of: worker)
        let partition = Column("partition", .integer)
        states = Table(
            prefix + "_states", key: [partition, Column("key", .text)],
            columns: [Column("due", .timestamp), Column("state", .text)], indexes: [Index("due", ["partition", "due"])])
        ids = Table(
            prefix + "_ids", key: [partition, Column("id", .text)],
            columns: [Column("digest", .integer), Column("outcome", .integer), Column("time", .timestamp)],
            indexes: [Index("time", ["partition", "time"])])
        marks = Table(
            prefix + "_marks", key: [partition, Column("topic", .text)],
            columns: [Column("last", .integer), Column("digest", .integer)])
        let tables = remembersIDs ? [states, ids, marks] : [states, marks]
        kept = WorkerTables(keptBy: worker, version: version, tables: tables)
    }
}

extension LogFingerprint {
    init?(_ row: Row) {
        guard let last = row[2].integer, let digest = row[3].integer else { return nil }
        self.init(last: Offset(last), digest: UInt64(bitPattern: digest))
    }

    func row(_ source: TopicPartition) -> Row {
        [Value(source.partition), .text(source.topic), .integer(last.rawValue), .integer(Int64(bitPattern: digest))]
    }
}

extension Remembered.Entry {
    init?(_ row: Row) {
        guard let digest = row[2].integer, let outcome = row[3].integer, let time = row[4].integer else { return nil }
        self.init(digest: UInt64(bitPattern: digest), outcome: Offset(outcome), time: Timestamp(time))
    }

    func row(_ id: KeyedID, in partition: Partition) -> Row {
        [
            Value(partition), .text(id.storable), .integer(Int64(bitPattern: digest)),
            .integer(outcome.rawValue), Value(time),
        ]
    }
}
