internal import EventModel
internal import GRDB
internal import Projecting

/// How far each partition has been folded, and who may write.
enum Checkpoints {
    static let create = """
        CREATE TABLE IF NOT EXISTS _checkpoints(
            topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER, epoch INTEGER NOT NULL,
            owner TEXT NOT NULL, PRIMARY KEY(topic, partition)) STRICT
        """

    /// Takes a partition for an owner.
    static func claim(_ partition: TopicPartition, owner: String, _ db: Database) throws -> Claim {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO _checkpoints VALUES (?, ?, NULL, 1, ?)
                ON CONFLICT DO UPDATE SET epoch = epoch + 1, owner = excluded.owner RETURNING epoch, next
                """)
        let row = try statement.rows([.text(partition.topic), Value(partition.partition), .text(owner)]).first ?? []
        guard row.count == 2, let epoch = row[0].integer.flatMap(Stored.epoch) else { throw damaged("epoch") }
        return Claim(epoch: epoch, next: try offset(row[1]))
    }

    /// The offsets that the view's rows show.
    static func offsets(_ db: Database) throws -> [TopicPartition: Offset] {
        try offsets(RowStatement(try db.cachedStatement(sql: all).sqliteStatement))
    }

    /// Gives the offsets that the view's rows show.
    static let all = "SELECT topic, partition, next FROM _checkpoints WHERE next IS NOT NULL"

    /// - Parameter statement: Of ``all``.
    static func offsets(_ statement: RowStatement) throws -> [TopicPartition: Offset] {
        try statement.rows([]).reduce(into: [:]) { asOf, row in
            guard let topic = row[0].text, let partition = row[1].integer.flatMap(Stored.partition) else {
                throw damaged("partition")
            }
            asOf[TopicPartition(topic, partition)] = try offset(row[2])
        }
    }

    /// The same of some partitions among many.
    static func offsets(_ db: Database, of partitions: [TopicPartition]) throws -> [TopicPartition: Offset] {
        let statement = try db.cachedStatement(
            sql: "SELECT next FROM _checkpoints WHERE topic = ? AND partition = ? AND next IS NOT NULL")
        return try partitions.reduce(into: [:]) { asOf, partition in
            guard let row = try statement.rows([.text(partition.topic), Value(partition.partition)]).first else {
                return
            }
            asOf[partition] = try offset(row[0])
        }
    }

    private static func offset(_ value: Value) throws -> Offset? {
        if value == .null { return nil }
        guard case .integer(let number) = value, let offset = Stored.offset(number) else { throw damaged("next") }
        return offset
    }

    private static func damaged(_ column: String) -> DatabaseError {
        DatabaseError(
            resultCode: .SQLITE_CORRUPT, message: "a row of _checkpoints has in \(column) what was never written there")
    }
}
