public import EventModel
public import Projecting

/// Builds are schemas side by side: `hits.windows@1`, `hits.windows@1+2`. The comment of the live one's schema says so, and
/// changes hands in one transaction: `live PREVIOUS HELD`, the number of the previous build or a dash, and until when it is
/// held, in milliseconds since 1970 by the server's clock. Where no schema has such a comment the first build is live.
extension PostgresViews {
    public func builds(of projection: AnyProjection) async throws -> Builds {
        try await attempt(Schema(projection.build(0))) { session, _ in try Self.builds(of: projection, session).builds }
    }

    private static func builds(
        of projection: AnyProjection, _ session: Session
    ) throws -> (builds: Builds, now: Int64) {
        var parameters = Parameters()
        let name = parameters.add(projection.build(0).storage)
        let found = try session.executePrepared(
            """
            SELECT nspname::text, obj_description(oid, 'pg_namespace'),
                (extract(epoch FROM clock_timestamp()) * 1000)::bigint
            FROM pg_namespace WHERE starts_with(nspname::text, \(name)) ORDER BY oid
            """, parameters)
        var builds = Builds()
        var now: Int64 = 0
        for row in 0..<found.count {
            guard let build = projection.build(keptUnder: found.text(row, 0) ?? "") else { continue }
            builds.all.append(build)
            now = try found.integer(row, 2) ?? 0
            let fields = (found.text(row, 1) ?? "").split(separator: " ")
            guard fields.count == 3, fields[0] == "live", let held = Int64(fields[2]) else { continue }
            (builds.live, builds.previous, builds.isHeld) = (build, Int(fields[1]), held > now)
        }
        builds.all.sort()
        return (builds, now)
    }

    public func promote(_ build: Int, of projection: AnyProjection) async throws {
        let next = Schema(projection.build(build))
        try await attempt(next) { session, _ in
            try session.transaction("ISOLATION LEVEL READ COMMITTED") {
                let builds = try Self.builds(of: projection, session).builds
                if !builds.all.contains(build) { throw ViewError.missing(projection.build(build)) }
                // Done already, where the answer to the first try was lost.
                if builds.live == build, builds.previous != nil { return }
                if builds.all.contains(builds.live) {
                    let live = Schema(projection.build(builds.live))
                    try session.execute("COMMENT ON SCHEMA \(quoted(live.name)) IS NULL")
                }
                try session.execute("COMMENT ON SCHEMA \(quoted(next.name)) IS 'live \(builds.live) 0'")
            }
        }
    }

    public func hold(_ projection: AnyProjection, for time: Duration) async throws {
        try await attempt(Schema(projection.build(0))) { session, _ in
            let (builds, now) = try Self.builds(of: projection, session)
            let live = Schema(projection.build(builds.live))
            let previous = builds.previous.map { String($0) } ?? "-"
            _ = try session.execute(
                "COMMENT ON SCHEMA \(quoted(live.name)) IS 'live \(previous) \(now + time.milliseconds)'")
        }
    }

    public func discard(_ tables: any StoredTables) async throws {
        let schema = Schema(tables)
        try await attempt(schema) { session, _ in
            _ = try session.execute("DROP SCHEMA IF EXISTS \(quoted(schema.name)) CASCADE")
        }
        forget(schema)
    }
}
