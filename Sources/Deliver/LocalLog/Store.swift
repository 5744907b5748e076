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
    /// Bytes of keys and values after which a read has enough, however few records they are: large values would else fill the memory.
    static let readBytes = 64 << 20
    /// The version of these tables and frames, kept in the database's `user_version`. 2 has frames of the second version
    /// beside those of the first.
    static let version = 2

    /// The version that the tables have, where this program knows it.
    static func knownVersion(_ db: Database) throws -> Int {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        if found < 0 || found > version {
            throw LogError(
                .mismatch,
                "the log was written by a newer millrace (format \(found), this one knows \(version)); use that one")
        }
        return found
    }

    static func create(_ db: Database) throws {
        let found = try knownVersion(db)
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
                CREATE TABLE IF NOT EXISTS compacted(
                    id INTEGER PRIMARY KEY, kept INTEGER NOT NULL, removals INTEGER NOT NULL, next INTEGER NOT NULL,
                    settled INTEGER NOT NULL, young INTEGER NOT NULL, since INTEGER) STRICT;
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
        /// The timestamp that the next is not to be behind: the newest, unless that is of a clock that was wrong.
        var last: Timestamp

        /// Whether its last timestamp cannot be true.
        func isAhead(of now: Timestamp) -> Bool { last > now + maximumClockSkew }

        /// The log's own time for a record that comes now.
        func stamp(at now: Timestamp) -> Timestamp { isAhead(of: now) ? now : max(now, last) }

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
        let (id, first, next, newest, clock) = try row.whole(partition) {
            (try $0.integer(0), try $0.integer(1), try $0.integer(2), Timestamp(try $0.integer(3)), try $0.text(4))
        }
        guard ids.contains(id), 0 <= first, first <= next, next <= 1 << offsetBits else {
            throw LogError.damaged(partition, "it has the number \(id) and goes from \(first) to \(next)")
        }
        return Place(
            id: id, first: Offset(first), next: Offset(next), newest: newest,
            stamped: clock == Topic.Clock.log.rawValue, last: newest)
    }

    /// Numbers that partitions can have, so that a batch's row is a number above 0 too.
    private static let ids: Range<Int64> = 1..<1 << 22

    /// The newest timestamp of the last batch of a partition, the least there is where it has none.
    static func last(_ db: Database, _ place: Place) throws -> Timestamp {
        let newest = try Int64.fetchOne(
            db, sql: "SELECT newest FROM batches WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1",
            arguments: [place.rows.lowerBound, place.rows.upperBound])
        return Timestamp(newest ?? .min)
    }

    static func topics(_ db: Database) throws -> [Topic] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT name, partitions, replication, retention, cleanup, clock, key, schema, owner FROM topics
                ORDER BY name
                """)
        return try rows.map { row in
            let (name, partitions) = (try row.text(0), try row.integer(1))
            let retention: Int64? = try row.decode(atIndex: 3)
            guard 1...Int64(Limits.partitions) ~= partitions, retention ?? 0 >= 0 else {
                throw LogError.damaged(name, "it has \(partitions) partitions, retention \(retention ?? 0)")
            }
            return Topic(
                name, partitions: Int(partitions), replication: try row.decode(atIndex: 2),
                retention: retention.map { .milliseconds($0) },
                cleanup: Topic.Cleanup(rawValue: try row.text(4)) ?? .delete,
                clock: Topic.Clock(rawValue: try row.text(5)) ?? .event, key: try row.text(6),
                schema: try row.text(7), owner: try row.text(8))
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
            offsets[TopicPartition(try row.text(0), Partition(rawValue: try row.decode(atIndex: 1)))] = Offset(
                try row.integer(2))
        }
    }
}

/// What is in a column, or an error where the database is damaged: GRDB's subscripts end the process there.
extension GRDB.Row {
    func integer(_ column: Int) throws -> Int64 { try decode(Int64.self, atIndex: column) }
    func text(_ column: Int) throws -> String { try decode(String.self, atIndex: column) }

    /// With a word of what the row is of, where it is damaged.
    func whole<R>(_ part: some CustomStringConvertible, _ body: (GRDB.Row) throws -> R) throws -> R {
        do {
            return try body(self)
        } catch is RowDecodingError {
            throw LogError.damaged(part, "a column of its row has no value that it can have")
        }
    }
}

extension LogError {
    /// What is wrong with a part of the log.
    static func damaged(_ part: some CustomStringConvertible, _ why: String) -> LogError {
        LogError(
            .damaged,
            "\(part) is damaged: \(why). Restore the log's database from a copy, or read on from another offset")
    }
}
