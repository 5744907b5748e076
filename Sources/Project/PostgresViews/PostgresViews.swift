public import EventModel
public import Projecting
internal import Synchronization

/// Views as tables with real columns in PostgreSQL: a schema for each version of a projection, in one database.
///
///     let views = try PostgresViews(url: "postgres://millrace@db.example/views")
///
/// `SELECT * FROM "tickets.seatmap@1".tickets_seats` shows them to anyone who may read. Any number of processes may
/// project and ask at once. A server that is away for some seconds is waited for; whether a commit whose answer was lost
/// counts, the checkpoints tell.
public final class PostgresViews: ViewStore {
    private struct State {
        var opened: Set<Schema> = []
        /// Where each claimed partition stands as far as this store knows. A server may come back without its newest
        /// commits (`synchronous_commit=off`, a standby that was behind): to fold on would leave a gap.
        var stands: [Schema: [TopicPartition: (epoch: Epoch, next: Offset?)]] = [:]
    }
    let address: Address
    private let pool: Pool
    private let state = Mutex(State())

    /// Nothing is connected yet.
    /// - Throws: ``ViewError`` `setting` where the URL is none.
    public init(url: String) throws(ViewError) {
        address = try Address(url)
        pool = Pool(address)
    }

    /// Whether a URL is one of PostgreSQL's.
    public static func isURL(_ text: String) -> Bool { Address.schemes.contains(where: text.hasPrefix) }

    /// The URL as it may be shown: without its password.
    public var shownURL: String { address.description }

    public func open(_ tables: any StoredTables) async throws {
        let schema = Schema(tables)
        if state.withLock({ $0.opened.contains(schema) }) { return }
        let all = tables.allTables
        try await attempt(schema) { session, _ in try schema.make(all, session) }
        state.withLock { _ = $0.opened.insert(schema) }
    }

    public func claim(
        _ tables: any StoredTables, _ partitions: [TopicPartition], owner: String
    ) async throws -> [TopicPartition: Claim] {
        if partitions.isEmpty { return [:] }
        try await open(tables)
        let schema = Schema(tables)
        let claimed = try await attempt(schema) { session, _ in
            try schema.claim(partitions, owner: owner, session).mapValues { Claim(epoch: $0.epoch, next: $0.next) }
        }
        state.withLock { state in
            for (partition, claim) in claimed {
                state.stands[schema, default: [:]][partition] = (claim.epoch, claim.next)
            }
        }
        return claimed
    }

    public func commit(
        _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        try await open(tables)
        let schema = Schema(tables)
        let stands = state.withLock { $0.stands[schema] ?? [:] }.filter { epochs[$0.key] == $0.value.epoch }
        let before = stands.mapValues(\.next)
        try await attempt(schema) { session, unsure in
            try session.transaction("ISOLATION LEVEL READ COMMITTED") {
                let held = try schema.lock(Array(offsets.keys), session)
                for partition in offsets.keys.sorted()
                where held[partition] == nil || held[partition]?.epoch != epochs[partition] {
                    throw ViewError.fenced(tables, partition)
                }
                if unsure, try Self.isDone(offsets, held, before) { return }
                for (partition, next) in before where offsets[partition] != nil {
                    try Self.checkPlace(of: partition, held[partition]?.next, is: next, tables)
                }
                let batch = ViewBatch { table, key in
                    let (sql, parameters) = try schema.load(table, key)
                    let answer = try session.executePrepared(sql, parameters)
                    return answer.count == 0 ? nil : try answer.row(0, of: table)
                }
                try fold(batch)
                try schema.write(batch, session)
                try schema.move(offsets, session)
            }
        }
        state.withLock { state in
            for (partition, next) in offsets {
                guard let epoch = epochs[partition] else { continue }
                state.stands[schema, default: [:]][partition] = (epoch, next)
            }
        }
    }

    /// Whether a commit whose answer was lost counts, now that its rows are locked: its offsets stand there or not.
    private static func isDone(
        _ offsets: [TopicPartition: Offset], _ held: [TopicPartition: Schema.Checkpoint],
        _ before: [TopicPartition: Offset?]
    ) throws -> Bool {
        // One that moved nothing leaves no trace to tell by.
        let moved = offsets.contains { partition, next in before[partition].map { $0 != next } ?? false }
        if !moved { throw PostgresError(message: "the connection was lost in a commit", isUnsure: true) }
        return offsets.allSatisfy { held[$0.key]?.next == $0.value }
    }

    private static func checkPlace(
        of partition: TopicPartition, _ stands: Offset?, is next: Offset?, _ tables: any StoredTables
    ) throws(ViewError) {
        if stands == next { return }
        let (found, known) = (stands?.description ?? "its start", next?.description ?? "its start")
        throw ViewError(
            .fenced,
            """
            \(partition) of \(tables.name) stands at \(found) and not at \(known), where it was left: the server has \
            lost commits or was restored. It is claimed anew
            """)
    }

    public func read<R: Sendable>(
        _ tables: any StoredTables,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R {
        try await open(tables)
        let schema = Schema(tables)
        return try await attempt(schema) { session, _ in
            try session.transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY") {
                // The first statement takes the snapshot that all others see.
                let asOf = try schema.offsets(session)
                return try body(PostgresReader(schema: schema, session: session), asOf)
            }
        }
    }

    public func snapshot(_ projection: AnyProjection) async throws -> any ViewSnapshot {
        try await open(projection)
        return try await PostgresSnapshot.take(Schema(projection), at: address)
    }

    public func close() async { await pool.close() }

    /// What is known of a schema that is gone.
    func forget(_ schema: Schema) {
        state.withLock { state in
            state.opened.remove(schema)
            state.stands[schema] = nil
        }
    }

    /// Does what uses a connection. It is done again where the server gave it up in favour of another, and where the
    /// server went away, until it is back or patience is over; then `unsure` says that the last try may have counted.
    func attempt<R: Sendable>(
        _ schema: Schema, _ work: @escaping @Sendable (_ session: Session, _ unsure: Bool) throws -> R
    ) async throws -> R {
        var (conflicts, unsure) = (0, false)
        var awaySince: ContinuousClock.Instant?
        while true {
            do {
                return try await pool.with { [unsure] session in try work(session, unsure) }
            } catch var error as PostgresError {
                unsure = unsure || error.isUnsure
                error.isUnsure = unsure
                if error.isConflict, conflicts < PostgresLimits.retries {
                    conflicts += 1
                    continue
                }
                // A server that was never there is more likely a wrong address.
                let since = awaySince ?? .now
                awaySince = since
                if error.isAway, pool.wasConnected, .now < since + PostgresLimits.patience {
                    try await Task.sleep(for: PostgresLimits.pause)
                    continue
                }
                if error.state == "3F000" || error.state == "42P01" {
                    state.withLock { _ = $0.opened.remove(schema) }
                }
                throw ViewError(error, at: address, schema.name)
            }
        }
    }
}
