internal import EventModel
internal import Projecting

/// Which build of each projection is live: a table beside the builds' schemas, made with the first rebuild.
enum BuildsTable {
    private static let name = "millrace.builds"

    /// Where there is no row, the first build is live.
    static func read(_ projection: AnyProjection, _ session: Session) throws -> Builds {
        var builds = Builds()
        if try isThere(session) {
            var parameters = Parameters()
            let key = parameters.add(projection.build(0).storage)
            let found = try session.execute(
                """
                SELECT live, previous, coalesce(held_until > clock_timestamp(), false)::int::bigint FROM \(name)
                WHERE projection = \(key)
                """, parameters)
            if found.count > 0 {
                builds.live = Int(found.integer(0, 0) ?? 0)
                builds.previous = found.integer(0, 1).map { Int($0) }
                builds.isHeld = found.integer(0, 2) == 1
            }
        }
        let schemas = try session.execute("SELECT nspname::text FROM pg_namespace")
        builds.all = (0..<schemas.count).compactMap { schemas.text($0, 0).flatMap(projection.build(keptUnder:)) }
            .sorted()
        return builds
    }

    static func enliven(_ build: Int, of projection: AnyProjection, _ session: Session) throws {
        try make(session)
        if try !read(projection, session).all.contains(build) { throw ViewError.missing(projection.build(build)) }
        var parameters = Parameters()
        let (key, live) = (parameters.add(projection.build(0).storage), parameters.add(Int64(build)))
        // Done once more after a lost answer, it changes nothing.
        try session.execute(
            """
            INSERT INTO \(name) AS kept VALUES (\(key), \(live), 0, NULL) ON CONFLICT (projection) DO UPDATE SET
                previous = CASE WHEN kept.live = excluded.live THEN kept.previous ELSE kept.live END,
                live = excluded.live, held_until = NULL
            """, parameters)
    }

    static func hold(_ projection: AnyProjection, for time: Duration, _ session: Session) throws {
        try make(session)
        var parameters = Parameters()
        let key = parameters.add(projection.build(0).storage)
        let milliseconds = parameters.add(Int64(time / .milliseconds(1)))
        try session.execute(
            """
            INSERT INTO \(name) VALUES (\(key), 0, NULL, clock_timestamp() + \(milliseconds) * interval '1 millisecond')
            ON CONFLICT (projection) DO UPDATE SET held_until = excluded.held_until
            """, parameters)
    }

    private static func isThere(_ session: Session) throws -> Bool {
        let sql = "SELECT FROM pg_tables WHERE schemaname = 'millrace' AND tablename = 'builds'"
        return try session.execute(sql).count > 0
    }

    /// Everyone may read it: who may read a view must know which build to read.
    private static func make(_ session: Session) throws {
        if try isThere(session) { return }
        for statement in [
            "SELECT pg_advisory_xact_lock(hashtextextended('\(name)', 0))", "CREATE SCHEMA IF NOT EXISTS millrace",
            """
            CREATE TABLE IF NOT EXISTS \(name)(projection text COLLATE "C" PRIMARY KEY, live bigint NOT NULL,
                previous bigint, held_until timestamptz)
            """, "GRANT USAGE ON SCHEMA millrace TO PUBLIC", "GRANT SELECT ON \(name) TO PUBLIC",
        ] { try session.execute(statement) }
    }
}
