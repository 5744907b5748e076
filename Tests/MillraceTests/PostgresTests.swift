import Foundation
import PostgresServer
import TestSupport
import Testing

/// The program with its views in PostgreSQL.
@Suite(
    "The program with views in PostgreSQL", .serialized,
    .enabled(if: PostgresServer.isHere, Comment(rawValue: PostgresServer.absent)), .timeLimit(.minutes(10)))
struct PostgresTests {
    /// What the hits' view in a database has folded; 0 where it is not there yet.
    private func folded(_ server: PostgresServer, _ database: String = "postgres") -> Int {
        let sum = try? server.psql(#"SELECT sum(next) FROM "hits.windows@1"._checkpoints"#, database: database)
        return sum.flatMap(Int.init) ?? 0
    }
    private func hits(_ range: Range<Int>) -> String {
        range.map { i in
            #"{"site":"s\#(i % 3)","path":"/\#(i % 7)","visitor":"v\#(i % 91)","@time":\#(1_700_000_000 + i * 37 % 1200)}"#
        }.joined(separator: "\n")
    }
    private func produce(_ bus: Bus, _ range: Range<Int>) async throws {
        let ended = try await bus.run("produce", "Hit", stdin: hits(range))
        try #require(ended.exit == 0, "\(ended)")
    }

    @Test func `answers as with SQLite, also after projectors were killed in the middle`() async throws {
        let server = try PostgresServer.shared()
        let url = try server.url(for: #function)
        let database = String(url.split(separator: "/").last ?? "")
        try await onBus(viewsURL: url) { bus in
            let handlers = try await bus.work("handler", "reactor")
            let producers = try [0, 1, 2].map {
                try bus.start("produce", "Hit", stdin: hits($0 * 6_000..<($0 + 1) * 6_000))
            }
            for _ in 0..<2 {
                let before = folded(server, database)
                let worker = try await bus.work("projector")
                try await eventually("the projector to fold past \(before): \(worker.err)") {
                    folded(server, database) > before || folded(server, database) == 18_000 ? true : nil
                }
                try await worker.crash()
            }
            for producer in producers { #expect(try await producer.end().exit == 0) }
            // Two share the partitions, which one folder of files would not allow on two machines.
            let workers = [try await bus.work("projector"), try await bus.work("projector")]
            for event in ["e1", "e2"] { try await bus.list(event, rows: 2, seats: 6) }
            try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "stalls", "--holder", "ann", "--seats", "A-1,B-2", "--hold",
                "h1")
            try await bus.settle()
            for worker in workers + [handlers] {
                let ended = try await worker.stop()
                #expect(ended.exit == 0, "\(ended)")
            }
            #expect(folded(server, database) == 18_000)
            let verified = try await bus.run("verify", "hits.windows", "tickets.seatmap", "tickets.calendar")
            #expect(verified.exit == 0, "\(verified)")

            let questions = [
                "hits.window --site s0 --window 1h --at 2023-11-14T22:40:00Z",
                "hits.window --window 90s --at 2023-11-14T22:20:00Z",
                "tickets.seats --event e1", "tickets.seats --event e2 --limit 5", "tickets.sections --event e1",
                "tickets.hold --id h1",
            ]
            let inPostgres = try await answers(bus, questions, at: url)
            let folder = "sqlite:\(bus.folder)/beside"
            let second = try bus.start("work", "projector", "--views", folder)
            let lag = try await bus.run("lag", "--sum", "--wait", "60s", "--views", folder, within: .seconds(70))
            #expect(lag.exit == 0)
            try await second.stop()
            let inSQLite = try await answers(bus, questions, at: folder)
            #expect(inPostgres == inSQLite)
            #expect(inPostgres[0].contains("6000"), "\(inPostgres[0])")
            #expect(inPostgres[2].contains(#""status":"held""#))
        }
    }
    private func answers(_ bus: Bus, _ questions: [String], at views: String) async throws -> [String] {
        var answers: [String] = []
        for question in questions {
            let words = ["query"] + question.split(separator: " ").map(String.init) + ["--json", "--views", views]
            let ended = try await bus.start(words).end()
            #expect(ended.exit == 0, "\(ended)")
            answers.append("\(question): \(ended.out)")
        }
        return answers
    }

    @Test func `goes on when the server is started again, and exits with 69 when it stays away`() async throws {
        let server = try PostgresServer()
        let url = server.url("postgres").replacing("postgres@", with: "postgres:s3cret@")
        try await onBus(viewsURL: url) { bus in
            let worker = try await bus.work("projector")
            for round in 0..<3 {
                try await produce(bus, round * 500..<(round + 1) * 500)
                try server.stop(round == 1 ? "fast" : "immediate")
                if round == 1 { try await produce(bus, 1500..<2000) }
                try server.start()
                try await bus.settle()
            }
            #expect(folded(server) == 2000)
            #expect(!worker.hasEnded, "\(worker.err)")

            try server.stop()
            try await produce(bus, 2000..<2010)
            let query = try await bus.run("query", "hits.window")
            #expect(query.exit == 69, "\(query)")
            let ended = try await worker.end(within: .seconds(300))
            #expect(ended.exit == 69, "\(ended)")
            for said in [query.err, ended.err] {
                #expect(
                    said.contains("PostgreSQL does not answer at postgres://postgres@127.0.0.1:\(server.port)/postgres")
                )
                #expect(!said.contains("s3cret"))
            }
            try server.start()
            _ = try await bus.work("projector")
            try await bus.settle()
            #expect(folded(server) == 2010)
        }
    }

    @Test func `tells a wrong URL, and what does not let it in`() async throws {
        let server = try PostgresServer.shared()
        let port = server.port
        // Another test of this process may have made it.
        _ = try? server.psql("CREATE ROLE keeper LOGIN PASSWORD 'right'")
        try await onBus { bus in
            for (url, exit) in [
                ("postgres://x:s3cret@127.0.0.1:port/x", 78),
                ("postgres://keeper:s3cret@127.0.0.1:\(port)/postgres", 77),
                ("postgres://postgres:s3cret@127.0.0.1:\(port)/none", 78), ("postgres://u:s3cret@127.0.0.1:1/x", 69),
                ("postgress://u:s3cret@127.0.0.1:1/x", 64),
            ] as [(String, Int32)] {
                for command in [["query", "hits.window"], ["work", "projector"]] {
                    let ended = try await bus.start(command + ["--views", url]).end(within: .seconds(300))
                    #expect(ended.exit == exit, "\(url) \(command) \(ended)")
                    #expect(!ended.err.contains("s3cret"), "\(ended.err)")
                }
            }
            let right = try await bus.start(
                ["query", "hits.window", "--views", "postgres://keeper@127.0.0.1:\(port)/postgres"],
                environment: ["PGPASSWORD": "right"]
            ).end()
            #expect(right.exit == 77 && right.err.contains("needs CREATE on the database"), "\(right)")
        }
    }
}
