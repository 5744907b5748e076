import EventLog
import EventModel
import Foundation
import GRDB
import LocalLog
import TestSupport
import Testing

/// `kv verify`, with what it is to find done on purpose.
@Suite("Verifying keys", .serialized, .timeLimit(.minutes(10)))
struct KeyVerificationTests {
    /// Waits until the view and `kv.state` have all that was asked for.
    private func settle(_ servers: KeyServers) async throws {
        let lag = try await servers.run("lag", "--sum", "--wait", "60s")
        #expect(lag.exit == 0, "\(lag)")
    }
    private func change(_ servers: KeyServers, _ statements: [String]) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(20)
        let queue = try DatabaseQueue(
            path: "\(servers.folder)/log/views/kv.keys@1.sqlite", configuration: configuration)
        try queue.write { db in
            for statement in statements {
                try db.execute(sql: statement)
                #expect(db.changesCount == 1, "\(statement)")
            }
        }
        try queue.close()
    }

    @Test func `rows of the view that are other than the log has them are told and put right while workers run`()
        async throws
    {
        try await KeyServers.with { servers in
            let worker = try servers.start("up")
            let client = try RESPClient(port: try await servers.serve("--without-handler").port)
            _ = try client.pipeline((0..<200).map { ["SET", "key\($0)", "v\($0)"] })
            _ = try client.pipeline((0..<200).map { ["SET", "key\($0)", "w\($0)"] })
            _ = try client.pipeline((0..<10).map { ["MSET", "{t\($0)}a", "1", "{t\($0)}b", "2"] })
            _ = try client.pipeline([["DEL", "key199"], ["SET", "timed", "x", "EX", "1000"]])
            try await settle(servers)
            let good = try await servers.run("kv", "verify", "--csv")
            #expect(good.exit == 0 && good.lines.count == 9, "\(good)")
            #expect(good.err.isEmpty, "\(good)")

            try change(
                servers,
                [
                    "UPDATE kv_keys SET value = 'wX' WHERE key = 'key3'", "DELETE FROM kv_keys WHERE key = 'key4'",
                    "UPDATE kv_keys SET live = 1, value = 'back' WHERE key = 'key199'",
                    "UPDATE kv_keys SET revision = 9 WHERE key = '{t1}a'",
                    "UPDATE kv_keys SET expires_at = NULL WHERE key = 'timed'",
                    "INSERT INTO kv_keys VALUES ('never', 1, 'x', 'text', 1, 1, NULL, 0, '1')",
                    // Of a key that is put right, the history is too.
                    "DELETE FROM kv_history WHERE key = 'key3' AND revision = 2",
                ])
            let bad = try await servers.run("kv", "verify", "--only", "view", "--json")
            #expect(bad.exit == 65, "\(bad)")
            for words in [
                "key3 has another value", "key4 is missing", "key199 should not be there",
                "{t1}a has revision 9, not 1",
                "timed expires at another time", "never should not be there", "of 256",
            ] {
                #expect(bad.out.contains(words), "\(words): \(bad)")
            }
            let told = bad.lines.reduce(0) { sum, line in
                sum + (line.firstMatch(of: #/"differences":(\d+)/#).flatMap { Int($0.1) } ?? 0)
            }
            #expect(told == 6, "\(bad)")
            // Nothing was changed by looking.
            #expect(try await servers.run("kv", "verify", "--only", "view").exit == 65)

            let repaired = try await servers.run("kv", "verify", "--repair")
            #expect(repaired.exit == 0 && repaired.err.contains("put right: view of kv.events/"), "\(repaired)")
            let again = try await servers.run("kv", "verify")
            #expect(again.exit == 0 && again.err.isEmpty, "\(again)")
            // Every row and column is what the projection makes, the history too.
            let whole = try await servers.run("verify", "kv.keys")
            #expect(whole.exit == 0, "\(whole)")
            // Who folded goes on.
            _ = try client.pipeline((0..<40).map { ["SET", "key\($0)", "after"] })
            try await settle(servers)
            let last = try await servers.run("query", "kv.get", "--key", "key3", "--csv")
            #expect(last.out.contains("after"), "\(last)")
            #expect(try await servers.run("kv", "verify").exit == 0)
            #expect(try await worker.stop().exit == 0)
        }
    }

    @Test func `states that are other than the log has them are told and put right, and a server begins with them`()
        async throws
    {
        try await KeyServers.with { servers in
            let worker = try servers.start("up")
            let (front, port) = try await servers.serve("--without-handler")
            let client = try RESPClient(port: port)
            _ = try client.pipeline((0..<60).map { ["SET", "key\($0)", "v\($0)"] })
            _ = try client.pipeline([["EXPIRE", "key5", "1000"], ["DEL", "key6"]])
            try await settle(servers)
            #expect(try await front.stop().exit == 0)
            #expect(try await worker.stop().exit == 0)
            #expect(try await servers.run("kv", "verify").exit == 0)

            // A state from before, one that is lost, and one of a key that is gone.
            let log = try await LocalLog.open(directory: "\(servers.folder)/log")
            var found: [String: (TopicPartition, EventModel.Record)] = [:]
            for (partition, range) in try await log.bounds(
                of: (0..<4).map { TopicPartition("kv.state", Partition($0)) })
            {
                try await log.scan(partition, from: range.lowerBound, to: range.upperBound) { batch in
                    for record in batch.records where !record.value.isEmpty && found[record.key.text] == nil {
                        found[record.key.text] = (partition, record)
                    }
                }
            }
            let appends = try ["key5", "key6", "key7"].map { key in
                let (partition, record) = try #require(found[key])
                let value = key == "key7" ? Bytes() : record.value
                return Append(partition, [NewRecord(key: record.key, value: value, timestamp: record.timestamp)])
            }
            _ = try await log.append(appends)
            await log.close()

            let bad = try await servers.run("kv", "verify", "--only", "state", "--json")
            #expect(bad.exit == 65, "\(bad)")
            for words in ["key5 has revision 1, not 2", "key6 should not be there", "key7 is missing"] {
                #expect(bad.out.contains(words), "\(words): \(bad)")
            }
            let repaired = try await servers.run("kv", "verify", "--only", "state", "--repair", "--table")
            #expect(repaired.exit == 0 && repaired.out.contains("repaired"), "\(repaired)")
            let again = try await servers.run("kv", "verify")
            #expect(again.exit == 0 && again.err.isEmpty, "\(again)")
            let next = try RESPClient(port: try await servers.serve("--with-state").port)
            #expect(try next.ask("GET", "key7") == .bulk("v7") && next.ask("GET", "key6") == .bulk(nil))
            #expect(try next.ask("TTL", "key5") != .integer(-1))
            // The writer of states goes on from where it was.
            #expect(try next.ask("SET", "key7", "new") == .simple("OK"))
            try await eventually("kv.newest to have seen it") {
                try await servers.run("kv", "verify", "--only", "state").exit == 0 ? true : nil
            }
        }
    }

    @Test func `a server is asked for its sums, and one of another log is told`() async throws {
        try await KeyServers.with { servers in
            let (process, port) = try await servers.serve()
            let client = try RESPClient(port: port)
            _ = try client.pipeline((0..<100).map { ["SET", "key\($0)", "v\($0)"] })
            let address = "127.0.0.1:\(port)"
            // Also while keys change.
            let writing = Task.detached { [port] in
                let other = try RESPClient(port: port)
                for round in 0..<20 { _ = try other.pipeline((0..<20).map { ["SET", "other\($0)", "\(round)"] }) }
            }
            for _ in 0..<3 {
                let good = try await servers.run("kv", "verify", "--only", "state", "--server", address)
                #expect(good.exit == 0 && good.out.contains(#""check":"server""#), "\(good)")
            }
            try await writing.value
            let repaired = try await servers.run("kv", "verify", "--only", "state", "--server", address, "--repair")
            #expect(repaired.exit == 0, "\(repaired)")

            try await KeyServers.with { others in
                let second = try RESPClient(port: try await others.serve().port)
                for round in 0..<25 { _ = try second.pipeline((0..<100).map { ["SET", "key\($0)", "x\(round)"] }) }
                let wrong = try await others.run("kv", "verify", "--only", "view", "--server", address)
                #expect(wrong.exit == 65 && wrong.err.contains("server of kv.events/"), "\(wrong)")
            }
            #expect(try await process.stop().exit == 0)
            let unasked = try await servers.run("kv", "verify", "--token-file", "/none")
            #expect(unasked.exit == 64 && unasked.err.contains("--token-file is for servers"), "\(unasked)")
            let gone = try await servers.run("kv", "verify", "--server", address)
            #expect(gone.exit == 69 && gone.err.contains("cannot be reached"), "\(gone)")
            let usage = try await servers.run("kv", "verify", "--only", "memory")
            #expect(usage.exit == 64 && usage.err.contains("--only is view or state, not memory"), "\(usage)")
        }
    }

    @Test func `a server that asks for a token is asked with the one of a file, or of the environment`() async throws {
        try await KeyServers.with { servers in
            let keys = "\(servers.folder)/keys.json"
            #expect(try await servers.plain("token", "keys", keys).exit == 0)
            let address = "127.0.0.1:\(try await servers.serve("--token-keys", keys).port)"
            func verify(_ more: String...) async throws -> Ended {
                try await servers.run(["kv", "verify", "--only", "state", "--server", address] + more)
            }
            let without = try await verify()
            #expect(
                without.exit == 69 && without.err.contains("NOAUTH") && without.err.contains("--token-file"),
                "\(without)")
            let file = "\(servers.folder)/token"
            for (scope, exit) in [("kv:query", Int32(0)), ("kv:send", 69)] {
                let made = try await servers.plain(
                    "token", "make", "--token-keys", keys, "--subject", "ann", "--scope", scope)
                try made.out.write(toFile: file, atomically: true, encoding: .utf8)
                let told = try await verify("--token-file", file)
                #expect(told.exit == exit, "\(scope): \(told)")
                #expect(told.out.contains(#""check":"server""#) == (exit == 0), "\(told)")
            }
            try "nonsense".write(toFile: file, atomically: true, encoding: .utf8)
            let wrong = try await verify("--token-file", file)
            #expect(wrong.exit == 69 && wrong.err.contains("WRONGPASS"), "\(wrong)")
            let missing = try await verify("--token-file", file + "-none")
            #expect(missing.exit == 66 && missing.err.contains("the token file"), "\(missing)")
        }
    }
}
