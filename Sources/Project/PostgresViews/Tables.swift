internal import EventModel
internal import Projecting

// Making and checking a schema.
extension Schema {
    private static let checkpointsShape = [
        "topic text C", "partition bigint", "next bigint", "epoch bigint", "owner text",
    ]

    /// What there must be: columns by table, and indexes.
    private func wanted(_ tables: [Table]) -> (columns: [String: [String]], indexes: Set<String>) {
        let columns = tables.map { table in
            (table.name, table.columns.map { "\($0.name) \($0.kind.type)\($0.kind == .text ? " C" : "")" })
        }
        let indexes = tables.flatMap { table in table.indexes.map { "\(table.name)_\($0.name)" } }
        return (Dictionary(columns + [("_checkpoints", Self.checkpointsShape)]) { $1 }, Set(indexes))
    }

    /// Makes what is missing; where nothing is, nothing is asked but the catalogue, so reading rights are enough.
    func make(_ tables: [Table], _ session: Session) throws {
        try checkNames(tables)
        if try isWhole(tables, session) { return }
        try session.transaction("ISOLATION LEVEL READ COMMITTED") {
            // One maker at a time: two that make the same at once would be told of a unique index of the catalogue.
            var parameters = Parameters()
            let key = parameters.add("millrace \(name)")
            _ = try session.execute("SELECT pg_advisory_xact_lock(hashtextextended(\(key), 0))", parameters)
            var named = Parameters()
            let mark = named.add(name)
            if try session.execute("SELECT FROM pg_namespace WHERE nspname = \(mark)", named).count == 0 {
                try session.execute("CREATE SCHEMA \(quoted(name))")
            }
            try session.execute(
                """
                CREATE TABLE IF NOT EXISTS \(checkpoints)(
                    topic text COLLATE "C" NOT NULL, partition bigint NOT NULL, next bigint, epoch bigint NOT NULL,
                    owner text NOT NULL, PRIMARY KEY(topic, partition))
                """)
            for table in tables {
                for statement in create(table) { try session.execute(statement) }
            }
        }
        if try !isWhole(tables, session) { throw ViewError.otherShape("\"\(name)\"", "they change at this moment") }
    }

    private func create(_ table: Table) -> [String] {
        let columns = table.columns.enumerated().map { i, column in
            // Views are ordered by bytes, whatever the language of the database.
            "\(quoted(column.name)) \(column.kind.type)\(column.kind == .text ? " COLLATE \"C\"" : "")"
                + (i < table.key ? " NOT NULL" : "")
        }
        let key = table.columns[..<table.key].map { quoted($0.name) }.joined(separator: ", ")
        let create =
            "CREATE TABLE IF NOT EXISTS \(self.table(table))(\(columns.joined(separator: ", ")), PRIMARY KEY(\(key)))"
        return [create]
            + table.indexes.map { index in
                let order = table.order(by: index).map { i in
                    quoted(table.columns[i].name) + (i < table.key ? "" : " NULLS FIRST")
                }
                return "CREATE INDEX IF NOT EXISTS \(quoted("\(table.name)_\(index.name)")) ON \(self.table(table))"
                    + "(\(order.joined(separator: ", ")))"
            }
    }

    /// Whether all tables and indexes are there.
    /// - Throws: ``ViewError`` `mismatch` where a table has other columns.
    private func isWhole(_ tables: [Table], _ session: Session) throws -> Bool {
        var parameters = Parameters()
        let schema = parameters.add(name)
        let found = try session.execute(
            """
            SELECT c.relname::text, c.relkind::text, a.attname::text,
                format_type(a.atttypid, NULL) || CASE WHEN l.collname = 'C' THEN ' C' ELSE '' END
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_collation l ON l.oid = a.attcollation
            WHERE n.nspname = \(schema) AND c.relkind IN ('r', 'p', 'i', 'I')
            """, parameters)
        var columns: [String: Set<String>] = [:]
        var indexes: Set<String> = []
        for row in 0..<found.count {
            let relation = found.text(row, 0) ?? ""
            if ["i", "I"].contains(found.text(row, 1)) {
                indexes.insert(relation)
            } else {
                columns[relation, default: []].insert("\(found.text(row, 2) ?? "") \(found.text(row, 3) ?? "")")
            }
        }
        let wanted = wanted(tables)
        for (table, shape) in wanted.columns {
            guard let there = columns[table] else { continue }
            if let lacking = shape.first(where: { !there.contains($0) }) {
                throw ViewError.otherShape("\"\(name)\"", "\(table) has no column \(lacking)")
            }
        }
        return wanted.columns.keys.allSatisfy { columns[$0] != nil } && wanted.indexes.isSubset(of: indexes)
    }

    /// A longer name would be cut without a word, and two might become one.
    private func checkNames(_ tables: [Table]) throws(ViewError) {
        let names =
            [name]
            + tables.flatMap { table in
                [table.name] + table.columns.map(\.name) + table.indexes.map { "\(table.name)_\($0.name)" }
            }
        if let long = names.first(where: { $0.utf8.count > PostgresLimits.nameBytes }) {
            throw ViewError(
                .setting,
                "the name \(long) is over the \(PostgresLimits.nameBytes) bytes that PostgreSQL keeps of one; shorten it"
            )
        }
    }
}

// How far a projection has come, and who may write.
extension Schema {
    struct Checkpoint {
        var next: Offset?
        var epoch: Epoch
    }

    private static func arrays(_ partitions: [TopicPartition]) -> Parameters {
        var parameters = Parameters()
        parameters.add(partitions.map(\.topic))
        parameters.add(partitions.map { Int64($0.partition.rawValue) })
        return parameters
    }
    private static func checkpoint(
        _ answer: Answer, _ row: Int
    ) throws(PostgresError) -> (TopicPartition, Checkpoint) {
        let stored = try answer.integer(row, 2)
        let next = stored.flatMap(Stored.offset)
        guard let topic = answer.text(row, 0), let partition = try answer.integer(row, 1).flatMap(Stored.partition),
            let epoch = try answer.integer(row, 3).flatMap(Stored.epoch), (stored == nil) == (next == nil)
        else { throw .damaged("a row of _checkpoints has what was never written there") }
        return (TopicPartition(topic, partition), Checkpoint(next: next, epoch: epoch))
    }
    private static func all(_ answer: Answer) throws(PostgresError) -> [TopicPartition: Checkpoint] {
        var all: [TopicPartition: Checkpoint] = [:]
        for row in 0..<answer.count {
            let (partition, checkpoint) = try checkpoint(answer, row)
            all[partition] = checkpoint
        }
        return all
    }

    /// Locks the rows of some partitions, always in the same order: so no two commits wait for each other.
    func lock(_ partitions: [TopicPartition], _ session: Session) throws -> [TopicPartition: Checkpoint] {
        try Self.all(
            session.executePrepared(
                """
                SELECT topic, partition, next, epoch FROM \(checkpoints)
                WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))
                ORDER BY topic, partition FOR UPDATE
                """, Self.arrays(partitions.sorted())))
    }

    func move(_ offsets: [TopicPartition: Offset], _ session: Session) throws {
        let sorted = offsets.sorted { $0.key < $1.key }
        var parameters = Self.arrays(sorted.map(\.key))
        parameters.add(sorted.map(\.value.rawValue))
        _ = try session.executePrepared(
            """
            UPDATE \(checkpoints) AS kept SET next = moved.next
            FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS moved(topic, partition, next)
            WHERE kept.topic = moved.topic AND kept.partition = moved.partition
            """, parameters)
    }

    func claim(_ partitions: [TopicPartition], owner: String, _ session: Session) throws
        -> [TopicPartition: Checkpoint]
    {
        var parameters = Self.arrays(partitions)
        let mark = parameters.add(owner)
        return try Self.all(
            session.execute(
                """
                INSERT INTO \(checkpoints) AS kept
                SELECT topic, partition, NULL, 1, \(mark)
                FROM unnest($1::text[], $2::bigint[]) AS claimed(topic, partition)
                ORDER BY topic COLLATE "C", partition
                ON CONFLICT (topic, partition) DO UPDATE SET epoch = kept.epoch + 1, owner = excluded.owner
                RETURNING topic, partition, next, epoch
                """, parameters))
    }

    func offsets(_ session: Session) throws -> [TopicPartition: Offset] {
        let all = try Self.all(
            session.execute("SELECT topic, partition, next, epoch FROM \(checkpoints) WHERE next IS NOT NULL"))
        return all.compactMapValues(\.next)
    }
}
