import EventModel
import Foundation
import PostgresServer
import PostgresViews
import Projecting
import Testing

@Suite(
    "Views in PostgreSQL", .enabled(if: PostgresServer.isHere, Comment(rawValue: PostgresServer.absent)),
    .timeLimit(.minutes(10)))
struct PostgresTests {
    private let p0 = TopicPartition("events", 0)
    private let one = AnyProjection(ShelfOne.self, domain: "test")

    /// A store on a database of the test's own.
    private func onServer(_ name: String = #function, _ test: (Shelf, _ url: String) async throws -> Void) async throws
    {
        let url = try PostgresServer.shared().url(for: name)
        let views = try PostgresViews(url: url)
        try await views.open(one)
        try await test(Shelf(views: views, projection: one), url)
        await views.close()
    }
    private func failure(_ body: () async throws -> Void) async -> ViewError? {
        await #expect(throws: ViewError.self) { try await body() }
    }

    @Test func `refuse a text with NUL, and write nothing of its batch`() async throws {
        try await onServer { shelf, _ in
            try await shelf.commit([p0: 1]) { $0.put(items, ["a", 1, "one", .null]) }
            for row in [["b", 2, "x\0y", .null], ["\0", 2, "x", .null]] as [Row] {
                let error = await failure {
                    try await shelf.commit([p0: 2]) { view in
                        view.put(items, ["a", 1, "other", .null])
                        view.add(sums, ["x"], [1, 1])
                        view.put(items, row)
                    }
                }
                #expect(error?.kind == .unstorable && error?.message.contains("has the character NUL") == true)
            }
            #expect(try await shelf.rows(Scan(items)) == [["a", 1, "one", .null]])
            #expect(try await shelf.rows(Scan(sums)) == [])
            #expect(try await shelf.offsets() == [p0: 1])
        }
    }

    @Test(arguments: [
        "UPDATE SCHEMA._checkpoints SET next = -5", "UPDATE SCHEMA._checkpoints SET partition = 99999999999",
        "UPDATE SCHEMA._checkpoints SET epoch = -1", "ALTER TABLE SCHEMA._checkpoints ALTER COLUMN next TYPE int",
        """
        ALTER TABLE SCHEMA.items DROP CONSTRAINT items_pkey, ALTER COLUMN name DROP NOT NULL;
        UPDATE SCHEMA.items SET name = NULL
        """,
    ])
    func `say that what was never written there is damage, and do not die of it`(sql: String) async throws {
        try await onServer(sql) { shelf, url in
            try await shelf.commit([p0: 1]) { $0.put(items, ["a", 1, "one", .null]) }
            try PostgresServer.shared().psql(sql.replacing("SCHEMA", with: #""test.shelf@1""#), at: url)
            let error = await failure {
                _ = try await shelf.rows(Scan(items))
                _ = try await shelf.views.claim(shelf.projection, [p0], owner: "test")
            }
            #expect(
                error?.kind == .damaged && error?.message.contains("drop the schema") == true,
                "\(String(describing: error))")
        }
    }

    @Test func `refuse sums beyond 64 bits, written or read`() async throws {
        try await onServer { shelf, _ in
            try await shelf.commit([p0: 1]) { $0.add(sums, ["x"], [.max, 1]) }
            let error = await failure { try await shelf.commit([p0: 2]) { $0.add(sums, ["x"], [1, 1]) } }
            #expect(error?.kind == .unstorable && error?.message.contains("beyond 64 bits") == true)
            #expect(try await shelf.rows(Scan(sums)) == [["x", .integer(.max), 1]])
            try await shelf.commit([p0: 2]) { $0.add(sums, ["y"], [.max, 1]) }
            let read = await failure { _ = try await shelf.sums([1], Scan(sums)) }
            #expect(read?.kind == .unstorable)
            #expect(try await shelf.sums([2], Scan(sums)) == [2])
        }
    }

    @Test func `count a commit once whose answer was lost`() async throws {
        try await onServer { shelf, url in
            let server = try PostgresServer.shared()
            let proxy = try DeafProxy(to: server.port)
            let views = try PostgresViews(url: url.replacing(":\(server.port)/", with: ":\(proxy.port)/"))
            let epochs = try await views.claim(one, [p0], owner: "a").mapValues(\.epoch)
            for n in 1...5 as ClosedRange<Int64> {
                if n % 2 == 0 { proxy.cutNextCommit() }
                try await views.commit(one, to: [p0: Offset(n)], under: epochs) { $0.add(sums, ["x"], [1, n]) }
                #expect(proxy.cuts == Int(n / 2))
                #expect(try await shelf.rows(Scan(sums)) == [["x", .integer(n), .integer(n * (n + 1) / 2)]])
                #expect(try await shelf.offsets() == [p0: Offset(n)])
            }
            await views.close()
            proxy.close()
        }
    }

    @Test func `that lost commits are not folded on with a gap, but claimed anew`() async throws {
        try await onServer { shelf, url in
            let views = shelf.views
            let epochs = try await views.claim(one, [p0], owner: "a").mapValues(\.epoch)
            try await views.commit(one, to: [p0: 5], under: epochs) { $0.add(sums, ["x"], [1, 5]) }
            // As after a crash without the newest commits, or where an older copy was restored.
            try PostgresServer.shared().psql(
                #"UPDATE "test.shelf@1"._checkpoints SET next = 3; DELETE FROM "test.shelf@1".sums"#, at: url)
            let error = await failure {
                try await views.commit(one, to: [p0: 9], under: epochs) { $0.add(sums, ["x"], [1, 9]) }
            }
            #expect(error?.kind == .fenced && error?.message.contains("stands at 3 and not at 5") == true)
            #expect(try await shelf.rows(Scan(sums)) == [])
            let claim = try await views.claim(one, [p0], owner: "a")
            #expect(claim[p0]?.next == 3)
            try await views.commit(one, to: [p0: 9], under: claim.mapValues(\.epoch)) { $0.add(sums, ["x"], [1, 9]) }
            #expect(try await shelf.offsets() == [p0: 9])
        }
    }

    @Test func `go on where they stand when the server crashed in the middle of commits`() async throws {
        let server = try PostgresServer()
        let views = try PostgresViews(url: server.url("postgres"))
        let shelf = Shelf(views: views, projection: one)
        let epochs = try await views.claim(one, [p0], owner: "a").mapValues(\.epoch)
        let held = try await views.snapshot(one)
        for n in 1...30 as ClosedRange<Int64> {
            try await views.commit(one, to: [p0: Offset(n)], under: epochs) { view in
                view.add(sums, ["x"], [1, n])
                // Only the first time: then the same is folded once more, on another connection.
                guard n % 10 == 5, try !restarted(server, at: n) else { return }
                view.add(sums, ["never"], [1, 1])
            }
        }
        #expect(try await shelf.rows(Scan(sums)) == [["x", 30, 465]])
        #expect(try await shelf.offsets() == [p0: 30])
        let lost = await failure { _ = try await held.read { try $0.rows(Scan(sums)) } }
        #expect(lost?.kind == .unreachable)
        await held.close()
        await views.close()
    }
    /// Whether the server has been started again at this place; where not, it crashes and is started again.
    private func restarted(_ server: PostgresServer, at n: Int64) throws -> Bool {
        let mark = "\(server.folder)/restarted-\(n)"
        if FileManager.default.fileExists(atPath: mark) { return true }
        try Data().write(to: URL(fileURLWithPath: mark))
        try server.stop("immediate")
        try server.start()
        return false
    }

    @Test func `tell who is not let in, what is missing, and never a password`() async throws {
        try await onServer { shelf, url in
            let server = try PostgresServer.shared()
            // Another test of this process may have made it.
            _ = try? server.psql("CREATE ROLE keeper LOGIN PASSWORD 'right'")
            let place = "127.0.0.1:\(server.port)/"
            let cases: [(String, ViewError.Kind, String)] = [
                ("postgres://keeper:s3cret@\(place)postgres", .denied, "does not let this user in"),
                ("postgres://keeper@\(place)postgres?password=s3cret", .denied, "PGPASSWORD or ~/.pgpass"),
                ("postgres://postgres:s3cret@\(place)nowhere", .setting, "createdb"),
                ("postgres://postgres:s3cret@127.0.0.1:1/postgres", .unreachable, "127.0.0.1:1"),
                ("postgres://keeper:right@\(place)postgres", .denied, "needs CREATE"),
            ]
            for (url, kind, what) in cases {
                let views = try PostgresViews(url: url)
                #expect(!views.shownURL.contains("s3cret"))
                let error = await failure { try await views.open(one) }
                #expect(error?.kind == kind && error?.message.contains(what) == true, "\(String(describing: error))")
                #expect(error?.message.contains("s3cret") == false)
                await views.close()
            }
            for url in [
                "postgres://us er:s3cret@host/x", "postgres://u:s3cret@host:x/y?sslmode=perhaps", "mysql://s3cret@h",
            ] {
                do {
                    let views = try PostgresViews(url: url)
                    let error = await failure { try await views.open(one) }
                    #expect(error?.message.contains("s3cret") == false)
                } catch {
                    let error = try #require(error as? ViewError)
                    #expect(error.kind == .setting && !error.message.contains("s3cret"))
                }
            }
        }
    }

    @Test func `are read by one who may only read`() async throws {
        try await onServer { shelf, url in
            try await shelf.commit([p0: 3]) { $0.put(items, ["a", 1, "one", .null]) }
            let server = try PostgresServer.shared()
            try server.psql(
                """
                CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA "test.shelf@1" TO reader;
                GRANT SELECT ON ALL TABLES IN SCHEMA "test.shelf@1" TO reader
                """, at: url)
            let views = try PostgresViews(url: url.replacing("postgres@", with: "reader@"))
            let reader = Shelf(views: views, projection: one)
            #expect(try await reader.rows(Scan(items)) == [["a", 1, "one", .null]])
            #expect(try await reader.offsets() == [p0: 3])
            let error = await failure { _ = try await views.claim(one, [p0], owner: "b") }
            #expect(error?.kind == .denied)
            await views.close()
        }
    }

    @Test func `are not taken for those of another shape`() async throws {
        try await onServer { _, url in
            let server = try PostgresServer.shared()
            try server.psql(#"ALTER TABLE "test.shelf@1".items DROP COLUMN label"#, at: url)
            let views = try PostgresViews(url: url)
            let error = await failure { try await views.open(one) }
            #expect(error?.kind == .mismatch && error?.message.contains("items has no column label text") == true)
            await views.close()
        }
    }

    @Test func `have a schema a version, text that sorts by its bytes, and indexes`() async throws {
        try await onServer { _, url in
            let told = try PostgresServer.shared().psql(
                """
                SELECT indexdef FROM pg_indexes WHERE schemaname = 'test.shelf@1' AND indexname = 'items_label';
                SELECT string_agg(DISTINCT collation_name, ',') FROM information_schema.columns
                WHERE table_schema = 'test.shelf@1' AND data_type = 'text' AND table_name <> '_checkpoints'
                """, at: url)
            #expect(
                told == """
                    CREATE INDEX items_label ON "test.shelf@1".items USING btree (label NULLS FIRST, name, number)
                    C
                    """)
        }
    }
}
