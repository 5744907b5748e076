internal import EventModel
internal import Projecting

/// A read transaction of a connection of its own, beside those of the pool: however many are held, commits and queries go
/// on. PostgreSQL keeps old rows for as long.
struct PostgresSnapshot: ViewSnapshot {
    private let schema: Schema
    private let address: Address
    private let connection: Connection
    let asOf: [TopicPartition: Offset]

    static func take(_ schema: Schema, at address: Address) async throws -> PostgresSnapshot {
        do {
            let connection = try await Connection.open(address)
            let (asOf, _) = await connection.run { session in
                try session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                try session.execute(
                    "SET LOCAL idle_in_transaction_session_timeout = '\(PostgresLimits.idleInSnapshot.whole)s'")
                return try schema.offsets(session)
            }
            do {
                return PostgresSnapshot(
                    schema: schema, address: address, connection: connection, asOf: try asOf.get())
            } catch {
                await connection.close()
                throw error
            }
        } catch let error as PostgresError {
            throw ViewError(error, at: address, schema.name)
        }
    }

    func read<R: Sendable>(_ body: @escaping @Sendable (any ViewReader) throws -> R) async throws -> R {
        let schema = schema
        let (result, _) = await connection.run { try body(PostgresReader(schema: schema, session: $0)) }
        do {
            return try result.get()
        } catch let error as PostgresError {
            throw ViewError(error, at: address, schema.name)
        }
    }

    /// Ends the transaction with the connection.
    func close() async { await connection.close() }
}

struct PostgresReader: ViewReader {
    let schema: Schema
    let session: Session

    func rows(_ scan: Scan) throws -> [Row] {
        if let after = scan.after, after.count != scan.order.count {
            throw ViewError(
                .failed, "a page of \(scan.table.name) begins after \(scan.order.count) values, not \(after.count)")
        }
        let (sql, parameters) = try schema.select(scan)
        let answer = try session.executePrepared(sql, parameters)
        return try (0..<answer.count).map { try answer.row($0, of: scan.table) }
    }

    func rows(_ table: Table, keys: [Row]) throws -> [Row] { try schema.rows(table, keys: keys, session) }

    func sums(_ columns: [Int], over scan: Scan) throws -> [Int64] {
        if columns.isEmpty { return [] }
        let (sql, parameters) = try schema.sum(columns, scan)
        let answer = try session.executePrepared(sql, parameters)
        return try columns.indices.map { try answer.integer(0, $0) ?? 0 }
    }
}
