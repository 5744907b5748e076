public import EventModel
public import Projecting

extension PostgresViews {
    public func lockBuilds(of projection: AnyProjection) async throws -> any BuildLock {
        try await PostgresBuildLock.take(projection, at: address)
    }
}

/// An advisory lock of a transaction of its own, which the server lets go with the connection, also behind a pooler of transactions. The
/// transaction reads and writes nothing, and so keeps no old rows. Where the connection is lost earlier, another may rebuild: epochs and numbers of
/// builds keep the two apart, and the one that swaps later fails.
struct PostgresBuildLock: BuildLock {
    private let connection: Connection

    static func take(_ projection: AnyProjection, at address: Address) async throws -> PostgresBuildLock {
        let name = projection.build(0).storage
        do {
            let connection = try await Connection.open(address)
            let (taken, _) = await connection.run { session in
                try session.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
                try session.execute(keeping)
                return try take("millrace rebuild \(name)", session)
            }
            do {
                let (isTaken, who) = try taken.get()
                if !isTaken { throw ViewError.rebuilding(projection, by: who) }
                return PostgresBuildLock(connection: connection)
            } catch {
                await connection.close()
                throw error
            }
        } catch let error as PostgresError {
            throw ViewError(error, at: address, name)
        }
    }

    /// The client says nothing while events are folded, however long that takes, and is missed where its machine is gone. Not every server has
    /// each of these settings.
    private static let keeping = """
        SELECT set_config(name, setting, true) FROM (VALUES ('idle_in_transaction_session_timeout', '0'),
            ('transaction_timeout', '0'), ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'),
            ('tcp_keepalives_count', '3')) AS wanted(name, setting)
        WHERE name IN (SELECT name FROM pg_settings)
        """

    private static func take(_ key: String, _ session: Session) throws -> (isTaken: Bool, who: String?) {
        var parameters = Parameters()
        let name = parameters.add(key)
        let taken = try session.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(\(name), 0))::int::bigint", parameters)
        if try taken.integer(0, 0) == 1 { return (true, nil) }
        let found = try session.execute(
            """
            SELECT pid::text FROM pg_locks, hashtextextended(\(name), 0) AS key
            WHERE locktype = 'advisory' AND granted AND objsubid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32) | objid::bigint = key
            """, parameters)
        return (false, found.count == 0 ? nil : found.text(0, 0).map { "process \($0) of PostgreSQL" })
    }

    /// The server lets go of what a closed connection held a moment later than it answers the next who asks.
    func release() async {
        _ = await connection.run { session in _ = try session.execute("ROLLBACK") }
        await connection.close()
    }
}
