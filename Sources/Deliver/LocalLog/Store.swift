internal import EventLog
internal import EventModel
internal import Foundation
internal import GRDB

/// The tables of the log, and the statements over them.
///
/// A batch's row id is its partition's number in the upper 22 bits and its first offset in the lower 40, so that a
/// partition's batches lie together in order without a second index.
enum Store {
    static let offsetBits: Int64 = 40
    static let batchBytes = 1 << 20
    /// The version of these tables and frames, kept in the database's `user_version`. 2 has frames of the second version
    /// beside those of the first.
    static let version = 2

    static func create(_ db: Database) throws {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        if found > version {
            throw LogError(
                .mismatch,
                "the log was written by a newer millrace (format \(found), this one knows \(version)); use that one")
        }
        if found == 0, try db.tableExists("topics") {
            throw LogError(
                .mismatch, "the log has tables of an early format that this millrace does not know; begin a new one")
        }
        try db.execute(sql: "PRAGMA user_version = \(version)")
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS topics(
                    name TEXT PRIMARY KEY, partitions INTEGER NOT NULL, replication INTEGER NOT NULL, retention INTEGER,
                    cleanup TEXT NOT NULL, clock TEXT NOT NULL, key TEXT NOT NULL, schema TEXT NOT NULL, owner TEXT NOT NULL) STRICT;
                CREATE TABLE IF NOT EXISTS partitions(
                    id INTEGER PRIMARY KEY, topic TEXT NOT NULL REFERENCES topics(name), partition INTEGER NOT NULL,
                    first INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0,
                    newest INTEGER NOT NULL DEFAULT \(Int64.min), UNIQUE(topic, partition)) STRICT;
                CREATE TABLE IF NOT EXISTS batches(
                    id INTEGER PRIMARY KEY, last INTEGER NOT NULL, newest INTEGER NOT NULL, reached INTEGER NOT NULL,
                    frame BLOB NOT NULL) STRICT;
                CREATE TABLE IF NOT EXISTS members(
                    team TEXT NOT NULL, id TEXT NOT NULL, topics TEXT NOT NULL, PRIMARY KEY(team, id)) STRICT;
                CREATE TABLE IF NOT EXISTS owners(
                    team TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, member TEXT NOT NULL,
                    PRIMARY KEY(team, topic, partition)) STRICT, WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS consumed(
                    team TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
                    PRIMARY KEY(team, topic, partition)) STRICT, WITHOUT ROWID;
                """)
    }

    struct Place {
        var id: Int64
        var first: Offset
        var next: Offset
        /// The newest timestamp so far.
        var newest: Timestamp
        /// Whether the log puts its own time on records.
        var stamped: Bool

        func row(_ offset: Offset) -> Int64 { id << Store.offsetBits | offset.rawValue }
        var rows: Range<Int64> { (id << Store.offsetBits)..<((id + 1) << Store.offsetBits) }
    }

    static func offset(_ row: Int64) -> Offset { Offset(row & ((1 << offsetBits) - 1)) }

    static func place(_ db: Database, _ partition: TopicPartition) throws -> Place {
        let statement = try db.cachedStatement(
            sql: """
                SELECT id, first, next, newest, clock FROM partitions JOIN topics ON name = topic
                WHERE topic = ? AND partition = ?
                """)
        guard
            let row = try Row.fetchOne(statement, arguments: [partition.topic, partition.partition.rawValue])
        else {
            let known = try Bool.fetchOne(
                db, sql: "SELECT EXISTS(SELECT 1 FROM topics WHERE name = ?)", arguments: [partition.topic])
            throw known == true ? LogError.unknown(partition) : LogError.unknown(partition.topic)
        }
        return Place(
            id: row[0], first: Offset(row[1]), next: Offset(row[2]), newest: Timestamp(row[3]),
            stamped: row[4] == Topic.Clock.log.rawValue)
    }

    static func topics(_ db: Database) throws -> [Topic] {
        try Row.fetchAll(db, sql: "SELECT * FROM topics ORDER BY name").map { row in
            let retention: Int64? = row["retention"]
            return Topic(
                row["name"], partitions: row["partitions"], replication: row["replication"],
                retention: retention.map { .milliseconds($0) },
                cleanup: Topic.Cleanup(rawValue: row["cleanup"]) ?? .delete,
                clock: Topic.Clock(rawValue: row["clock"]) ?? .event, key: row["key"], schema: row["schema"],
                owner: row["owner"])
        }
    }

    static func create(_ db: Database, _ topic: Topic) throws {
        if let has = try Int.fetchOne(db, sql: "SELECT partitions FROM topics WHERE name = ?", arguments: [topic.name])
        {
            if has != topic.partitions { throw LogError.mismatch(topic.name, has: has, wanted: topic.partitions) }
            return
        }
        try db.execute(
            sql: "INSERT INTO topics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                topic.name, topic.partitions, topic.replication, topic.retention?.milliseconds, topic.cleanup.rawValue,
                topic.clock.rawValue, topic.key, topic.schema, topic.owner,
            ])
        for p in 0..<topic.partitions {
            try db.execute(sql: "INSERT INTO partitions(topic, partition) VALUES (?, ?)", arguments: [topic.name, p])
        }
    }

    /// Gives a topic that is there another retention, cleanup or description.
    static func configure(_ db: Database, _ topic: Topic) throws {
        try db.execute(
            sql: "UPDATE topics SET retention = ?, cleanup = ?, key = ?, schema = ?, owner = ? WHERE name = ?",
            arguments: [
                topic.retention?.milliseconds, topic.cleanup.rawValue, topic.key, topic.schema, topic.owner, topic.name,
            ])
    }

    static func committed(_ db: Database, _ group: String) throws -> [TopicPartition: Offset] {
        let statement = try db.cachedStatement(sql: "SELECT topic, partition, next FROM consumed WHERE team = ?")
        return try Row.fetchAll(statement, arguments: [group]).reduce(into: [:]) { offsets, row in
            offsets[TopicPartition(row[0], Partition(rawValue: row[1]))] = Offset(row[2])
        }
    }
}
